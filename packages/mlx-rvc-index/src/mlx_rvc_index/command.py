"""`mlx-rvc index`: what an index file holds, a new one, and one kind of file from another."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import numpy as np

    from mlx_rvc_index.gathering import Sources

app = typer.Typer(help="Look into feature indexes, build and convert them.", rich_markup_mode=None)


class Version(StrEnum):
    """Which features a voice takes."""

    V1 = "v1"
    V2 = "v2"


JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
SeedOption = Annotated[int, typer.Option(min=0, help="Order of the features, start of k-means.")]


@app.command()
def info(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="An added_*.index file, a .npy of features, a .safetensors of them.",
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    """Show kind, width, number of vectors and lists of an index.

    Examples:
      mlx-rvc index info added_IVF256_Flat_nprobe_1.index
    """
    from mlx_rvc_cli.console import emit

    data = describe(file)
    emit(data, as_json=as_json)


@app.command()
def build(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            metavar="INPUT",
            help="Recordings, or .npy files of features (n, width), or folders of one of them.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="OUT.index", help="The index to write.")
    ],
    vectors: Annotated[
        bool, typer.Option("--vectors", help="Write the vectors as OUT.npy as well.")
    ] = False,
    seed: SeedOption = 0,
    model: Annotated[
        str | None,
        typer.Option(
            "--model", "-m", help="Recordings: the voice it is for, whose encoder is taken."
        ),
    ] = None,
    version: Annotated[
        Version | None,
        typer.Option(help="Recordings, without --model: which features [default: v2]."),
    ] = None,
    contentvec: Annotated[
        str | None,
        typer.Option(metavar="P", help="Recordings: encoder, a file, folder or owner/name."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Build an index as RVC does: IVF-Flat, min(16 √n, n / 39) lists, nprobe 1.

    More than 200,000 features become 10,000 means by k-means. Needs faiss. Features of recordings
    are kept beside the output until the index is written: run again to go on after an interruption.

    Examples:
      mlx-rvc index build recordings/ -o voice.index --model voice.pth
      mlx-rvc index build features.npy -o voice.index
    """
    from mlx_rvc_cli.console import emit
    from mlx_rvc_cli.errors import CommandError
    from mlx_rvc_index.building import build_index, require_faiss
    from mlx_rvc_index.gathering import find_sources, read_features
    from mlx_rvc_index.vectors import save_vectors

    beside = output.with_suffix(".npy")
    _check_outputs(output, beside if vectors else None, inputs)
    require_faiss()
    sources = find_sources(inputs)
    cache = None
    if sources.recordings:
        features, cache = _extracted(sources, output, model, version, contentvec)
    else:
        if model is not None or version is not None or contentvec is not None:
            raise CommandError(
                "--model, --version and --contentvec are for recordings; these inputs are features"
            )
        features = read_features(sources.features)
    built = build_index(features, output, seed=seed)
    if vectors:
        save_vectors(beside, built.vectors)
    if cache is not None:
        cache.clear()
    data = {
        "output": output,
        "vectors_output": beside if vectors else None,
        "files": len(sources.features) + len(sources.recordings),
        "skipped": sources.skipped,
        "reused": None if cache is None else cache.reused,
        "features": built.features,
        "vectors": len(built.vectors),
        "reduced": built.features != len(built.vectors),
        "width": built.vectors.shape[1],
        "lists": built.lists,
        "nprobe": 1,
        "bytes": output.stat().st_size,
    }
    emit(data, as_json=as_json, text=_built(data))


@app.command()
def convert(
    file: Annotated[Path, typer.Argument(metavar="IN", help="An index of any kind that is read.")],
    output: Annotated[
        Path, typer.Argument(metavar="OUT", help="Ends in .npy, .safetensors or .index.")
    ],
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Write the vectors of an index as .npy or .safetensors, or build an IVF-Flat .index of them.

    Vectors are float32, by their ids; none is left out or reduced. A .npy and a .safetensors have
    no lists, so that a search looks at every vector. Building needs faiss.

    Examples:
      mlx-rvc index convert voice.index voice.npy
    """
    from mlx_rvc_cli.console import emit
    from mlx_rvc_cli.errors import CommandError
    from mlx_rvc_index.building import build_index
    from mlx_rvc_index.vectors import read_vectors, save_vectors

    if output.suffix.lower() not in (".npy", ".safetensors", ".index"):
        raise CommandError(f"{output}: an index is written as .npy, .safetensors or .index")
    if output.suffix.lower() != ".index" and seed:
        raise CommandError("--seed is for building an .index; vectors alone are written as is")
    _check_outputs(output, None, [file], ending=output.suffix)
    found = read_vectors(file)
    lists = None
    if output.suffix.lower() == ".index":
        lists = build_index(found, output, seed=seed, reduce_above=None).lists
    else:
        save_vectors(output, found)
    data = {
        "input": file,
        "output": output,
        "vectors": len(found),
        "width": found.shape[1],
        "lists": lists,
        "bytes": output.stat().st_size,
    }
    text = f"{output}: {len(found):,} vectors {found.shape[1]} wide"
    emit(data, as_json=as_json, text=text if lists is None else f"{text} in {lists:,} lists")


def describe(file: Path) -> dict[str, Any]:
    """Return what `index info` shows."""
    from mlx_rvc_index.index import FeatureIndex

    index = FeatureIndex.load(file)
    sizes = index.list_sizes
    return {
        "input": str(file),
        "kind": index.kind,
        "width": index.dim,
        "version": {256: "v1", 768: "v2"}.get(index.dim),
        "vectors": index.ntotal,
        "lists": index.nlist,
        "empty_lists": int((sizes == 0).sum()),
        "largest_list": int(sizes.max()),
        "nprobe": index.nprobe,
        "bytes": file.stat().st_size,
    }


def _extracted(
    sources: Sources,
    output: Path,
    model: str | None,
    version: Version | None,
    contentvec: str | None,
) -> tuple[np.ndarray, Any]:
    """Features of the recordings, and the cache that holds them until the index is written."""
    from mlx_rvc_cli.console import progress
    from mlx_rvc_index.gathering import Cache, open_extractor

    kind = None if version is None else version.value
    identity, extract = open_extractor(model=model, version=kind, contentvec=contentvec)
    cache = Cache(output, identity)
    with progress("taking features", total=len(sources.recordings)) as shown:
        return cache.features(sources.recordings, extract, shown.update), cache


def _check_outputs(
    output: Path, beside: Path | None, inputs: list[Path], ending: str = ".index"
) -> None:
    """Refuse, before anything is read, what cannot be written and what would replace an input."""
    from mlx_rvc_cli.errors import CommandError
    from mlx_rvc_cli.files import check_folder

    if output.suffix.lower() != ending.lower():
        raise CommandError(f"{output}: an index is built as {ending}; give a name that ends so")
    for path in [output] if beside is None else [output, beside]:
        check_folder(path)
        for source in inputs:
            if path.exists() and source.exists() and path.samefile(source):
                raise CommandError(f"{path} is an input, which would be lost; name another output")


def _built(data: dict[str, Any]) -> str:
    text = f"{data['output']}: {data['vectors']:,} vectors {data['width']} wide in "
    text += f"{data['lists']:,} lists, from {data['files']} files"
    if data["reduced"]:
        text += f" of {data['features']:,} features, reduced by k-means"
    if data["reused"]:
        text += f" ({data['reused']} taken before)"
    if data["skipped"]:
        text += f"; {data['skipped']} files of other kinds skipped"
    return text
