"""`mlx-rvc weights`: the weights that all voices share, fetched ahead of time or carried along."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from mlx_rvc.weights import Shared
    from mlx_weights import Held

app = typer.Typer(help="Fetch, check and carry what all voices share.", rich_markup_mode=None)

NamesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME]...",
        help="contentvec, rmvpe, or another encoder, such as spin [default: the first two].",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command()
def fetch(
    names: NamesArgument = None,
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", help="What this voice needs, as convert's --model."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch what the first conversion would, convert it, and load it once.

    ContentVec is 0.4 GB and RMVPE 0.2 GB, with their converted copies 1.2 GB. What is there already
    is not fetched again.

    Examples:
      mlx-rvc weights fetch
      mlx-rvc weights fetch --model voice.pth
    """
    from mlx_rvc.weights import of_voice, shared
    from mlx_rvc_cli.console import emit

    found: dict[str, Any] = {}
    if model is not None:
        names = [*(names or ()), *of_voice(model)]
    for weights in shared(names) if names or model is None else ():
        weights.load()  # huggingface-hub shows how far it is
        found[weights.name] = _described(weights)
    emit({"weights": found}, as_json=as_json, text=lambda: _table(found))


@app.command("list")
def list_weights(as_json: JsonOption = False) -> None:
    """List which weights are on this machine, where, how large, and their SHA-256."""
    from mlx_rvc.weights import here
    from mlx_rvc_cli.console import emit

    found = {weights.name: _described(weights) for weights in here()}
    emit({"weights": found}, as_json=as_json, text=lambda: _table(found))


@app.command()
def verify(names: NamesArgument = None, as_json: JsonOption = False) -> None:
    """Read all files again and compare their SHA-256. Exit status 1 if one is damaged or missing.

    Compared with what was published, what the hub said, or what was noted when the file was made.

    Examples:
      mlx-rvc weights verify
    """
    from mlx_rvc.weights import here, shared
    from mlx_rvc_cli.console import emit, progress
    from mlx_rvc_cli.errors import FAILURE

    found: dict[str, Any] = {}
    wanted = [(weights, weights.held()) for weights in (shared(names) if names else here())]
    total = float(sum(part.bytes for _, held in wanted for part in held))
    with progress("verifying weights", total=total) as shown:
        for weights, held in wanted:
            parts = []
            for part in held:
                parts.append({**_part(part), "problem": _advice(part)})
                shown.advance(part.bytes)
            found[weights.name] = _entry(weights, parts)
            if weights.given is None and not any(part.what == "fetched" for part in held):
                lacking = dict.fromkeys(("path", "bytes", "sha256"))
                parts.append({"what": "fetched", **lacking, "problem": _missing(weights)})
    problems = [p for entry in found.values() for part in entry["files"] if (p := part["problem"])]
    emit(
        {"well": not problems, "weights": found},
        as_json=as_json,
        text=lambda: "\n".join(problems) or _table(found) + "\nall well",
    )
    if problems:
        raise typer.Exit(FAILURE)


@app.command()
def pack(
    path: Annotated[Path, typer.Argument(metavar="PACK.zip", help="Where to write.")],
    names: NamesArgument = None,
    as_json: JsonOption = False,
) -> None:
    """Write the fetched weights into one file, for a machine without network.

    There, `mlx-rvc weights unpack` puts them where they are looked for; they are converted at the
    first use.

    Examples:
      mlx-rvc weights pack for-the-studio.zip
    """
    from mlx_rvc.weights import shared
    from mlx_rvc_cli.console import emit, progress
    from mlx_rvc_cli.errors import CommandError
    from mlx_rvc_cli.files import atomic_path
    from mlx_weights import pack as pack_files

    if path.suffix.lower() != ".zip":
        raise CommandError(f"{path}: a pack is a .zip; give a name that ends so")
    wanted = shared(names)
    for weights in wanted:
        if not any(part.what == "fetched" for part in weights.held()):
            raise CommandError(_missing(weights))
    with atomic_path(path) as temporary, progress("packing weights") as shown:
        packed = pack_files(temporary, [weights.file for weights in wanted], shown.update)
    size = path.stat().st_size
    files = [f"{file.repo}/{file.filename}" for file in packed]
    emit(
        {"output": path, "bytes": size, "files": files},
        as_json=as_json,
        text=lambda: (
            f"{path}: {_megabytes(size)}, {len(files)} files; on the other machine: "
            f"mlx-rvc weights unpack {path.name}"
        ),
    )


@app.command()
def unpack(
    path: Annotated[Path, typer.Argument(metavar="PACK.zip", help="What `pack` wrote.")],
    as_json: JsonOption = False,
) -> None:
    """Put the weights of a pack where they are looked for, after checking every SHA-256.

    Examples:
      mlx-rvc weights unpack for-the-studio.zip
    """
    from mlx_rvc.weights import known, shared
    from mlx_rvc_cli.console import emit, progress
    from mlx_rvc_cli.errors import CommandError
    from mlx_weights import unpack as unpack_files

    if not path.is_file():
        raise CommandError(
            f"{path} does not exist; the file that mlx-rvc weights pack wrote is expected"
        )
    with progress(f"unpacking {path.name}") as shown:
        placed = unpack_files(
            path, [weights.file for weights in shared(list(known()))], shown.update
        )
    files = [place for place in placed if place.stat().st_size]
    emit(
        {"input": path, "files": files},
        as_json=as_json,
        text=lambda: "\n".join(f"{place}: {_megabytes(place.stat().st_size)}" for place in files),
    )


def _described(weights: Shared) -> dict[str, Any]:
    return _entry(weights, [_part(part) for part in weights.held()])


def _entry(weights: Shared, files: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "source": f"{weights.file.repo}/{weights.file.filename}",
        "given_by_environment": weights.given,
        "files": files,
    }


def _part(part: Held) -> dict[str, Any]:
    return {
        "what": part.what,
        "path": str(part.path),
        "bytes": part.bytes,
        "sha256": part.sha256,
    }


def _advice(part: Held) -> str | None:
    problem = part.problem()
    if problem is None:
        return None
    return f"{part.path}: {problem}; delete it and run mlx-rvc weights fetch"


def _missing(weights: Shared) -> str:
    return (
        f"{weights.name} is not here ({weights.file.repo}/{weights.file.filename}); fetch it: "
        f"mlx-rvc weights fetch {weights.name}"
    )


def _table(found: dict[str, Any]) -> str:
    from mlx_rvc_cli.console import format_table

    rows: list[tuple[Any, ...]] = []
    for name, entry in found.items():
        if entry["given_by_environment"]:
            rows.append((name, "from the environment", "-", "-", entry["given_by_environment"]))
        for part in entry["files"]:
            size = _megabytes(part["bytes"])
            rows.append((name, part["what"], size, part["sha256"], part["path"]))
        if not entry["files"] and not entry["given_by_environment"]:
            rows.append((name, "not here", "-", "-", f"mlx-rvc weights fetch {name}"))
    return format_table(rows, ("name", "what", "size", "SHA-256", "where"))


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
