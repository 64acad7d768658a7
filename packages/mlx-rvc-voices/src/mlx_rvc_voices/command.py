"""`mlx-rvc voices`: the library of voices on the command line."""

from __future__ import annotations

import sys
import tomllib
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .library import Library
    from .record import Voice

app = typer.Typer(help="Keep voices in a library, by name.", rich_markup_mode=None)

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="A voice of the library.")]


@app.command()
def add(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A .pth, .safetensors, .npz or .zip file, a folder, a link (https://...) or a hub "
            "repository owner/name.",
        ),
    ],
    name: Annotated[
        str | None, typer.Option("--name", "-n", help="What to call it [default: by its file].")
    ] = None,
    index: Annotated[
        str | None,
        typer.Option(
            "--index", "-i", help="Its index, a file or link [default: SOURCE's own that fits]."
        ),
    ] = None,
    file: Annotated[
        str | None, typer.Option("--file", help="Which file of SOURCE, if it holds several voices.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Add a voice to the library, with its index if it has one.

    Zip archives are unpacked safely. The voice appears when it is whole and has been read once; one
    that is there already, by its SHA-256, is not added again.

    Examples:
      mlx-rvc voices add voice.pth --index added_IVF256_Flat_nprobe_1.index
      mlx-rvc voices add downloaded.zip --name singer
      mlx-rvc voices add https://huggingface.co/someone/voice/blob/main/voice.zip
    """
    from mlx_rvc_cli.console import emit, progress

    with progress(f"adding {source}") as shown:
        added = _library().add(source, name=name, index=index, file=file, progress=shown.update)
    data = {"new": added.new, **added.voice.to_dict(), "notes": added.notes}
    emit(data, as_json=as_json, text=lambda: _added(added.voice, added.new, added.notes))


@app.command("list")
def list_voices(as_json: JsonOption = False) -> None:
    """List the voices of the library."""
    from mlx_rvc_cli.console import emit, format_table

    from .errors import VoiceError

    library = _library()
    voices: list[dict[str, Any]] = []
    rows: list[tuple[Any, ...]] = []
    for name in library.names():
        try:
            voice = library.get(name)
        except VoiceError as error:
            voices.append({"name": name, "error": str(error)})
            rows.append((name, "damaged, see: mlx-rvc voices check"))
            continue
        voices.append(voice.to_dict())
        row = (name, _version(voice), voice.index is not None, _megabytes(voice.bytes))
        rows.append((*row, voice.added[:10], _settings(voice.preset)))
    headers = ("name", "version", "index", "size", "added", "preset")
    emit(
        {"folder": library.folder, "voices": voices},
        as_json=as_json,
        text=lambda: (
            format_table(rows, headers)
            if rows
            else f"{library.folder} holds no voices; add one with mlx-rvc voices add"
        ),
    )


@app.command()
def show(name: NameArgument, as_json: JsonOption = False) -> None:
    """Show what a voice of the library is, where it is from and where its files are.

    Examples:
      mlx-rvc voices show singer
    """
    from mlx_rvc_cli.console import emit, format_table

    voice = _library().get(name)
    rows = [
        ("name", voice.name),
        ("file", voice.model_path),
        ("index", voice.index_path),
        ("kind", f"{voice.kind}, {_version(voice)}"),
        ("size", _megabytes(voice.bytes)),
        ("source", voice.source),
        ("added", voice.added),
        ("preset", _settings(voice.preset)),
        *((f"SHA-256 of {file}", kept.sha256) for file, kept in voice.files.items()),
    ]
    emit(voice.to_dict(), as_json=as_json, text=lambda: format_table(rows))


@app.command()
def remove(
    name: NameArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Remove a voice from the library, with its files.

    Examples:
      mlx-rvc voices remove singer --yes
    """
    from mlx_rvc_cli.console import emit
    from mlx_rvc_cli.errors import CommandError

    library = _library()
    if name not in library.names():
        library.get(name)  # says which names are near
    if not yes:
        if not sys.stdin.isatty():
            raise CommandError(f"{name} would be removed with its files; add --yes to do it")
        typer.confirm(f"Remove {name} and its files?", abort=True, err=True)
    library.remove(name)
    emit({"name": name, "removed": True}, as_json=as_json, text=f"{name}: removed")


@app.command()
def rename(
    name: NameArgument,
    to: Annotated[str, typer.Argument(metavar="NEW_NAME", help="Its new name.")],
    as_json: JsonOption = False,
) -> None:
    """Give a voice another name.

    Examples:
      mlx-rvc voices rename singer alto
    """
    from mlx_rvc_cli.console import emit

    voice = _library().rename(name, to)
    emit(voice.to_dict(), as_json=as_json, text=f"{name}: now {voice.name}")


@app.command()
def check(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="A voice [default: all].")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Read all files again: are they what was added, and can they be used? Exit status 1 if not.

    Examples:
      mlx-rvc voices check
    """
    from mlx_rvc_cli.console import emit, progress
    from mlx_rvc_cli.errors import FAILURE

    library = _library()
    names = library.names()
    if name is not None:
        if name not in names:
            library.get(name)
        names = [name]
    found: dict[str, list[str]] = {}
    with progress("checking voices", total=float(len(names))) as shown:
        for voice in names:
            found[voice] = library.check(voice)
            shown.advance()
    well = not any(found.values())
    emit(
        {"well": well, "voices": found},
        as_json=as_json,
        text=lambda: "\n".join(_verdicts(found)) or f"{library.folder} holds no voices",
    )
    if not well:
        raise typer.Exit(FAILURE)


@app.command()
def preset(
    name: NameArgument,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Store a setting of convert; repeatable."),
    ] = None,
    unset: Annotated[
        list[str] | None,
        typer.Option("--unset", metavar="KEY", help="Forget a setting; repeatable."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show or change the settings that convert takes for a voice unless told otherwise.

    Keys are convert's options without dashes: pitch (semitones), index_rate, f0_method and so on.

    Examples:
      mlx-rvc voices preset singer
      mlx-rvc voices preset singer --set pitch=12 --set index_rate=0.5
    """
    from mlx_rvc_cli.console import emit, format_table

    library = _library()
    voice = library.get(name)
    if settings or unset:
        kept = _changed(voice, settings or [], unset or [])
        voice = library.set_preset(name, kept)
    emit(
        {"name": voice.name, "preset": dict(voice.preset)},
        as_json=as_json,
        text=lambda: (
            format_table(voice.preset.items())
            or f"{name} has no preset; set one with --set KEY=VALUE"
        ),
    )


def _library() -> Library:
    from .hooks import hook
    from .library import Library

    return Library(check_voice=hook("voice"), check_index=hook("index"))


def _changed(voice: Voice, settings: list[str], unset: list[str]) -> dict[str, Any]:
    """The preset of a voice with some keys set and others forgotten, checked."""
    from mlx_rvc_cli.errors import CommandError

    from .hooks import hook

    checked = hook("preset")
    if checked is None:
        raise CommandError(
            "which settings there are is known to mlx-rvc, which is not installed: pip install "
            "mlx-rvc"
        )
    kept = dict(voice.preset)
    for key in unset:
        if _key(key) not in kept:
            raise CommandError(f"the preset of {voice.name} has no {key}; it has {_keys(kept)}")
        del kept[_key(key)]
    for text in settings:
        key, equals, value = text.partition("=")
        if not equals:
            raise CommandError(f"--set {text}: KEY=VALUE is expected, such as pitch=12")
        kept[_key(key)] = _value(value.strip())
    return checked(kept, f"the preset of {voice.name}")


def _key(text: str) -> str:
    return text.strip().lstrip("-").replace("-", "_")


def _value(text: str) -> Any:
    """A number, true or false as TOML writes them; anything else is text."""
    try:
        found = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return found["value"] if set(found) == {"value"} else text


def _keys(keys: Iterable[str]) -> str:
    return ", ".join(keys) or "no settings"


def _added(voice: Voice, new: bool, notes: list[str]) -> str:
    what = f"{_version(voice)}, {_megabytes(voice.bytes)}"
    index = f"with the index {voice.index}" if voice.index else "without an index"
    text = f"{voice.name}: {what}, {index}; use it with --model {_quoted(voice.name)}"
    if not new:
        text = f"{voice.name}: this voice is in the library already (the same SHA-256)"
    return "\n".join([text, *(f"note: {note}" for note in notes)])


def _quoted(name: str) -> str:
    return f'"{name}"' if " " in name or "(" in name else name


def _verdicts(found: dict[str, list[str]]) -> list[str]:
    return [
        f"{name}: {problem}" for name, problems in found.items() for problem in problems or ["well"]
    ]


def _version(voice: Voice) -> str:
    if voice.width is None:
        return "-"
    return {256: "v1", 768: "v2"}.get(voice.width, f"{voice.width} wide")


def _settings(preset: Any) -> str:
    return ", ".join(f"{key} {value}" for key, value in preset.items()) or "-"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
