"""Which of a source's files are the voice and its index."""

import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from mlx_rvc_voices.errors import VoiceError
from mlx_rvc_voices.recognising import MODEL_ENDINGS, Model, index_width, recognise
from mlx_rvc_voices.sources import INDEX_ENDING, Item, Source, config_names

_SHOWN = 6
_CHECKPOINT = re.compile(r"(?P<which>[GD])_\d*\.pth", re.IGNORECASE)
_TRAINED = "trained_"


@dataclass(frozen=True)
class Chosen:
    """A voice file with what belongs to it. `notes`: what a user should hear about the choice."""

    item: Item
    model: Model
    config: Path | None
    index: Path | None
    notes: list[str] = field(default_factory=list)


def archive_of(source: Source, wanted: str | None) -> Item | None:
    """The zip that a repository's voice is in, if it has no voice file of its own."""
    zips = [item for item in source.items if item.name.lower().endswith(".zip")]
    if wanted is not None:
        return next(iter(_named(zips, wanted)), None)
    if not zips or any(_is_model(item) for item in source.items):
        return None
    if len(zips) > 1:
        raise _several(source, zips, "archives")
    return zips[0]


def choose(source: Source, wanted: str | None = None, *, with_index: bool = True) -> Chosen:
    """Choose the voice of a source and the index that belongs to it.

    wanted: the name of the voice file, where there are several; the last part is enough.
    with_index: whether to look for an index.

    Small models go before checkpoints of their training (G_*), discriminators (D_*) are none.
    Raises VoiceError where there is no voice, or no way to tell which is meant.
    """
    item, model = _model(source, wanted)
    beside = {other.name: other for other in source.items}
    configs = (beside[name] for name in config_names(item.name) if name in beside)
    config = next((other.fetch() for other in configs), None)
    index, notes = _index(source, item, model) if with_index else (None, [])
    return Chosen(item, model, config, index, notes)


def _model(source: Source, wanted: str | None) -> tuple[Item, Model]:
    candidates = [item for item in source.items if _is_model(item)]
    if wanted is not None:
        named = _named(candidates, wanted)
        if not named:
            raise VoiceError(
                f"{source.origin} has no voice file {wanted!r}; it has {_list(candidates)}"
            )
        candidates = named
    elif source.remote:
        candidates = _likely(candidates)
        if len(candidates) > 1:
            raise _several(source, candidates, "voice files")
    if not candidates:
        what = f": it has {_list(source.items)}" if source.items else ""
        raise VoiceError(
            f"{source.origin} holds no voice file ({', '.join(MODEL_ENDINGS)}){what}; add the "
            f"voice's own file"
        )
    found: list[tuple[Item, Model]] = []
    refusals: list[str] = []
    for item in candidates:
        try:
            found.append((item, recognise(item.fetch())))
        except ValueError as error:
            refusals.append(str(error))
    if not found:
        more = f" (nor are {len(refusals) - 1} others voices)" if len(refusals) > 1 else ""
        raise VoiceError(f"{refusals[0]}{more}")
    rank = min(model.rank for _, model in found)
    best = _distinct([(item, model) for item, model in found if model.rank == rank])
    if len(best) > 1:
        raise _several(source, [item for item, _ in best], "voice files")
    return best[0]


def _is_model(item: Item) -> bool:
    return item.name.lower().endswith(MODEL_ENDINGS)


def _likely(items: list[Item]) -> list[Item]:
    """Those whose names say that they are voices, where looking inside costs a download."""
    kinds: dict[str, list[Item]] = {}
    for item in items:
        match = _CHECKPOINT.fullmatch(item.base)
        kinds.setdefault(match["which"].upper() if match else "", []).append(item)
    return kinds.get("") or kinds.get("G") or items


def _distinct(found: list[tuple[Item, Model]]) -> list[tuple[Item, Model]]:
    """Each content once: packs hold the same file twice, under two names."""
    if len(found) == 1:
        return found
    from mlx_weights import sha256

    by_hash: dict[str, tuple[Item, Model]] = {}
    for item, model in found:
        by_hash.setdefault(sha256(model.path), (item, model))
    return list(by_hash.values())


def _index(source: Source, item: Item, model: Model) -> tuple[Path | None, list[str]]:
    """The index of a voice: by width where the file is at hand, then by name and folder."""
    names = [other for other in source.items if other.name.lower().endswith(INDEX_ENDING)]
    candidates = [other for other in names if not other.base.lower().startswith(_TRAINED)]
    notes = []
    if names and not candidates:
        notes.append(
            f"{names[0].base} is only a step of making an index and is not taken; look for the "
            f"added_* file"
        )
    if source.remote:
        candidates = _belonging(source, item, candidates)
    fitting: list[tuple[Item, Path]] = []
    for other in candidates:
        path = other.fetch()
        try:
            width = index_width(path)
        except VoiceError as error:
            notes.append(f"not taken as the index: {error}")
            continue
        if model.width in (None, width):
            fitting.append((other, path))
        else:
            notes.append(
                f"{other.base} is not taken as the index: it is {width} wide, the voice takes "
                f"{model.width}"
            )
    paths = {other.name: path for other, path in fitting}
    chosen = _belonging(source, item, [other for other, _ in fitting])
    return (paths[chosen[0].name] if chosen else None), notes


def _belonging(source: Source, model: Item, indexes: list[Item]) -> list[Item]:
    """The one index that a voice's name, or its folder, points to; nothing where there is none."""
    if len(indexes) < 2:
        return indexes
    stem = _letters(PurePosixPath(model.name).stem)
    folder = PurePosixPath(model.name).parent
    for chosen in (
        [other for other in indexes if stem and stem in _letters(other.base)],
        [other for other in indexes if PurePosixPath(other.name).parent == folder],
        [other for other in indexes if other.base.lower().startswith("added_")],
    ):
        if len(chosen) == 1:
            return chosen
    raise VoiceError(
        f"{source.origin} holds several indexes, {_list(indexes)}; choose one with --index"
    )


def _letters(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


def _named(items: list[Item], wanted: str) -> list[Item]:
    exact = [item for item in items if item.name == wanted]
    return exact or [item for item in items if item.base == wanted]


def _several(source: Source, items: list[Item], what: str) -> VoiceError:
    return VoiceError(
        f"{source.origin} holds {len(items)} {what}, {_list(items)}; choose one with --file"
    )


def _list(items: list[Item]) -> str:
    names = [item.name for item in items]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more if names else "none"
