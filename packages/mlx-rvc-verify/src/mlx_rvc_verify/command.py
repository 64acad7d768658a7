"""`mlx-rvc verify`: is what MLX computes on this machine what PyTorch computes?"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from mlx_rvc_verify.verdict import Result
    from mlx_rvc_verify.verification import Verification

COLUMNS = ("stage", "shape", "correlation", "max error", "allowed", "MLX s", "PyTorch s", "verdict")

# Read by the libraries of matrix products when they are loaded.
_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def verify(
    voice: Annotated[
        str,
        typer.Argument(
            metavar="VOICE", help="A name of the library, file, folder, owner/name, or 'demo'."
        ),
    ],
    audio: Annotated[
        Path | None,
        typer.Argument(metavar="[AUDIO]", help="A recording [default: a signal made in code]."),
    ] = None,
    stage: Annotated[
        str | None,
        typer.Option(
            help="Only this one: content, rmvpe, rmvpe-f0, enc_p, flow, source, dec, audio, index."
        ),
    ] = None,
    index: Annotated[
        Path | None, typer.Option(help="Index file [default: the voice's, if any].")
    ] = None,
    contentvec: Annotated[
        str | None,
        typer.Option(help="Content encoder: file, folder or owner/name [default: the voice's]."),
    ] = None,
    rmvpe: Annotated[str | None, typer.Option(help="RMVPE: rmvpe.pt, or its folder.")] = None,
    speaker: Annotated[int, typer.Option("--speaker", "-s", help="Speaker, from 0.")] = 0,
    seconds: Annotated[
        float, typer.Option(help="How much audio, the loudest stretch of a recording.")
    ] = 3.0,
    seed: Annotated[int, typer.Option(min=0, help="Of the noise that both sides get.")] = 0,
    threads: Annotated[
        int | None, typer.Option(min=1, help="For each side [default: as each likes].")
    ] = None,
    random_weights: Annotated[
        bool,
        typer.Option(
            "--random-weights",
            help="Encoder and RMVPE with random weights, where theirs are not here.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare each stage in MLX with PyTorch: same weights, same inputs, same noise.

    PyTorch is not installed with mlx-rvc; what is missing is said in one line. The exit status is 1
    where a stage fails, or where nothing could be compared. Nothing is downloaded but a voice or
    weights that are named by their hub repository.

    Examples:
      mlx-rvc verify demo
      mlx-rvc verify voice.pth me.wav --index voice.index --seconds 5
    """
    _settle(threads)
    from mlx_rvc_cli.console import emit, progress
    from mlx_rvc_verify.verification import verify as compare

    with progress("comparing") as shown:
        found = compare(
            voice,
            audio,
            index=index,
            contentvec=contentvec,
            rmvpe=rmvpe,
            stage=stage,
            speaker=speaker,
            seconds=seconds,
            seed=seed,
            random_weights=random_weights,
            say=shown.describe,
        )
    emit(as_data(found), as_json=as_json, text=lambda: as_text(found))
    if not found.passed:
        raise typer.Exit(1)


def _settle(threads: int | None) -> None:
    """Float32 in full, and so many threads on either side; before NumPy and MLX are loaded."""
    if "mlx.core" not in sys.modules:
        os.environ["MLX_ENABLE_TF32"] = "0"
    if threads is None:
        return
    if "numpy" in sys.modules:
        raise ValueError(
            "--threads must be known before NumPy is loaded, which it is in this process; set "
            f"{_THREADS[0]} where the process starts"
        )
    for name in _THREADS:
        os.environ[name] = str(threads)
    from mlx_rvc_verify.beside import module

    module("torch").set_num_threads(threads)


def as_data(found: Verification) -> dict[str, Any]:
    """The comparison as JSON shows it; times in seconds."""
    from mlx_rvc_verify.verdict import BARS, CORRELATION, FAIL, NOT_COMPARED

    return {
        "input": found.voice,
        "well": found.passed,
        "compared": found.compared,
        "failed": found.named(FAIL),
        "not_compared": found.named(NOT_COMPARED),
        "given": found.inputs,
        "stages": [
            {**row.to_dict(), "least_correlation": CORRELATION, "bar": BARS[row.stage]}
            for row in found.results
        ],
    }


def as_text(found: Verification) -> str:
    """The table, the reasons under it, and one line that sums up."""
    from mlx_rvc_cli.console import format_table

    lines = [format_table([row_cells(row) for row in found.results], COLUMNS), ""]
    lines += [f"{row.stage}: {row.note}" for row in found.results if row.note]
    lines += [f"{name}: {what}" for name, what in found.inputs.items()]
    return "\n".join([*lines, summary(found)])


def row_cells(row: Result) -> list[str]:
    """A result as the cells of `COLUMNS`."""
    unit = " cents" if row.stage == "rmvpe-f0" else ""

    def said(value: float | None, form: str) -> str:
        return "-" if value is None else format(value, form)

    return [
        row.stage,
        " x ".join(map(str, row.shape)) or "-",
        _closeness(row.correlation),
        said(row.max_error, ".1e") + (unit if row.max_error is not None else ""),
        said(row.limit, ".1e"),
        said(row.mlx_s, ".3f"),
        said(row.torch_s, ".3f"),
        row.verdict,
    ]


def _closeness(correlation: float | None) -> str:
    """A correlation; near 1 as what is missing, where digits would only show 0.99999999."""
    if correlation is None:
        return "-"
    missing = max(0.0, 1 - correlation)
    return f"1 - {missing:.0e}" if missing < 1e-4 else f"{correlation:.6f}"


def summary(found: Verification) -> str:
    """How many stages passed, failed and were not compared."""
    from mlx_rvc_verify.verdict import FAIL, NOT_COMPARED, PASS

    failed, absent = found.named(FAIL), found.named(NOT_COMPARED)
    parts = [f"{len(found.named(PASS))} of {len(found.results)} stages passed"]
    parts.append(f"{len(failed)} failed ({', '.join(failed)})" if failed else "0 failed")
    if absent:
        parts.append(f"{len(absent)} not compared ({', '.join(absent)})")
    return ", ".join(parts)
