"""From what a user names (file, folder, archive, link, repository) to files on this disk.

file        voice.pth, model.safetensors or .npz (the JSON beside it comes along), pack.zip
folder      all that lies below it
link        a file anywhere, or on the hub: .../blob/... and .../resolve/... mean the same
owner/name  a hub repository, "@revision" after it if need be; only what is needed is fetched
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from mlx_rvc_voices.archive import MAX_ENTRIES, Progress, is_junk, unpack
from mlx_rvc_voices.download import download, is_link, without_secrets
from mlx_rvc_voices.errors import VoiceError
from mlx_rvc_voices.recognising import FLAT_ENDINGS, MODEL_ENDINGS, is_zip_of_files

INDEX_ENDING = ".index"
CONFIG = "config.json"
ENDINGS = (*MODEL_ENDINGS, INDEX_ENDING, ".json")
HUB_HOSTS = ("huggingface.co", "www.huggingface.co", "hf.co")
ADVICE = "fetch the voice by other means and add its file"

_REPOSITORY = re.compile(r"(?P<repo>[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(@(?P<rev>[\w.-]+))?")
_HUB_FILE = re.compile(
    r"/(?P<repo>[^/]+/[^/]+)/(?:blob|resolve|raw)/(?P<rev>[^/]+)/(?P<file>.+)", re.ASCII
)
_HUB_REPO = re.compile(r"/(?P<repo>[^/]+/[^/]+)(?:/tree/(?P<rev>[^/]+))?/?", re.ASCII)


@dataclass(frozen=True)
class Item:
    """A file that a source holds: its name there, and how to have it on this disk."""

    name: str
    fetch: Callable[[], Path]

    @property
    def base(self) -> str:
        """The last part of the name."""
        return PurePosixPath(self.name).name


@dataclass(frozen=True)
class Source:
    """What a source holds. `stem`: its own name without ending; `origin`: for voice.json."""

    items: list[Item]
    stem: str
    origin: str
    remote: bool = False
    """Whether each item costs a download, so that it is chosen by name."""


def open_source(source: str, staging: Path, progress: Progress) -> Source:
    """See what `source` holds; archives are unpacked and links fetched into `staging`.

    Raises VoiceError or WeightsError, one line each, for what cannot be had.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        return _folder(path)
    if path.is_file():
        return _file(path, path.stem, str(path.resolve()), staging, progress)
    if is_link(source):
        return _link(source, staging, progress)
    match = _REPOSITORY.fullmatch(source)
    if match is None or source.lower().endswith((*ENDINGS, ".zip")):
        raise VoiceError(
            f"{source} does not exist; a .pth, .safetensors, .npz or .zip file, a folder, a link "
            f"(https://...) or a hub repository owner/name is expected"
        )
    return _repository(match["repo"], match["rev"] or "main")


def bring_file(source: str, staging: Path, progress: Progress) -> Path:
    """Give one file, an index, on this disk: a path or a link."""
    path = Path(source).expanduser()
    if path.is_file():
        return path
    if not is_link(source):
        what = "is a folder" if path.is_dir() else "does not exist"
        raise VoiceError(f"the index {source} {what}; give an added_*.index file or a link to one")
    staging.mkdir()
    return _fetched(source, staging, progress)


def config_names(name: str) -> tuple[str, ...]:
    """Give where the configuration of a voice file may stand, the first that is there counts."""
    path = PurePosixPath(name)
    if path.suffix.lower() not in FLAT_ENDINGS:
        return ()
    own = (path.with_suffix(ending) for ending in (".json", ".config.json"))
    return tuple(dict.fromkeys(map(str, (*own, path.with_name(CONFIG)))))


def _on_disk(name: str, path: Path) -> Item:
    return Item(name, lambda: path)


def _folder(folder: Path) -> Source:
    items: list[Item] = []
    seen = 0
    for root, _, names in os.walk(folder):
        for file in names:
            seen += 1
            if seen > MAX_ENTRIES:
                raise VoiceError(
                    f"{folder} holds more than {MAX_ENTRIES} files; give the voice's own folder"
                )
            path = Path(root, file)
            name = path.relative_to(folder).as_posix()
            if name.lower().endswith(ENDINGS) and not is_junk(name) and path.is_file():
                items.append(_on_disk(name, path))
    whole = folder.resolve()
    return Source(sorted(items, key=lambda item: item.name), whole.name, str(whole))


def _file(path: Path, stem: str, origin: str, staging: Path, progress: Progress) -> Source:
    if is_zip_of_files(path):
        unpacked = staging / "unpacked"
        unpacked.mkdir()
        found = unpack(path, unpacked, ENDINGS, progress)
        return Source([_on_disk(name, place) for name, place in found], stem, origin)
    items = [_on_disk(path.name, path)]
    beside = map(path.with_name, config_names(path.name))
    items += [_on_disk(config.name, config) for config in beside if config.is_file()]
    return Source(items, stem, origin)


def _link(link: str, staging: Path, progress: Progress) -> Source:
    if _is_hub(link):
        match = _HUB_REPO.fullmatch(urlsplit(link).path)
        if match:
            return _repository(match["repo"], unquote(match["rev"] or "main"))
    folder = staging / "fetched"
    folder.mkdir()
    path = _fetched(link, folder, progress)
    return _file(path, path.stem, without_secrets(link), staging, progress)


def _fetched(link: str, folder: Path, progress: Progress) -> Path:
    match = _HUB_FILE.fullmatch(urlsplit(link).path) if _is_hub(link) else None
    if match is None:
        return download(link, folder, progress)
    revision, name = unquote(match["rev"]), unquote(match["file"])  # a revision may hold %2F
    return _from_hub(match["repo"], revision, name, config_names(PurePosixPath(name).name))


def _is_hub(link: str) -> bool:
    from mlx_weights.hub import endpoint

    return urlsplit(link).netloc in (*HUB_HOSTS, urlsplit(endpoint()).netloc)


def _from_hub(repo: str, revision: str, name: str, companions: tuple[str, ...] = ()) -> Path:
    """A file in the hub client's cache; resumed, and with the user's token where it needs one."""
    from mlx_weights import HubFile, locate

    file = HubFile(repo, name, revision=revision, companions=companions)
    return locate(None, default=file, env=None, option="mlx-rvc voices add", filenames=[name])


def _repository(repo: str, revision: str) -> Source:
    from mlx_weights import repository_files

    names = [
        name
        for name in repository_files(repo, revision=revision, advice=ADVICE)
        if name.lower().endswith((*ENDINGS, ".zip")) and not is_junk(name)
    ]
    items = [Item(name, lambda name=name: _from_hub(repo, revision, name)) for name in names]
    at = "" if revision == "main" else f"@{revision}"
    return Source(items, repo.partition("/")[2], f"{repo}{at}", remote=True)


def opened_archive(source: Source, item: Item, staging: Path, progress: Progress) -> Source:
    """The zip of a repository, fetched and unpacked, as a source of its own."""
    path = item.fetch()
    origin = f"{source.origin}: {item.name}"
    return _file(path, PurePosixPath(item.name).stem, origin, staging, progress)
