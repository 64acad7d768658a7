"""`mlx-rvc index`: what an index file holds."""

from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(help="Look into feature indexes.", rich_markup_mode=None)


@app.callback()
def _group() -> None:
    pass  # keeps `index info` two words while there is one command


@app.command()
def info(
    file: Annotated[Path, typer.Argument(help="An added_*.index file, or a .npy of features.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show kind, width, number of vectors and lists of an index."""
    from mlx_rvc_cli.console import emit

    data = describe(file)
    emit(data, as_json=as_json)


def describe(file: Path) -> dict[str, Any]:
    """Return what `index info` shows."""
    from mlx_rvc_index.index import FeatureIndex

    index = FeatureIndex.load(file)
    sizes = index.list_sizes
    return {
        "file": str(file),
        "kind": index.kind,
        "dim": index.dim,
        "version": {256: "v1", 768: "v2"}.get(index.dim),
        "vectors": index.ntotal,
        "lists": index.nlist,
        "empty_lists": int((sizes == 0).sum()),
        "largest_list": int(sizes.max()),
        "nprobe": index.nprobe,
        "bytes": file.stat().st_size,
    }
