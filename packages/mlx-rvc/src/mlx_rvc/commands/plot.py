"""`mlx-rvc plot`: what recordings look like, side by side."""

from pathlib import Path
from typing import Annotated

import typer

from mlx_rvc_cli.console import emit, progress

MOST = 4
"""Columns that one picture holds legibly."""


def plot(
    recordings: Annotated[
        list[Path], typer.Argument(metavar="INPUT...", help="One to four recordings, any rate.")
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PNG",
            help="[default: beside the last recording, .plot.png]",
        ),
    ] = None,
    f0_method: Annotated[
        str, typer.Option(metavar="M", help="How F0 is measured; see mlx-rvc f0.")
    ] = "swift-f0",
    pitch: Annotated[
        float | None,
        typer.Option(
            "--pitch",
            "-p",
            help="Semitones: the first F0, so much higher, is drawn behind the others'.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Draw waveform, spectrogram and F0 of recordings side by side, such as input and output.

    Examples:
      mlx-rvc plot song.wav converted.wav -o both.png --pitch 12
    """
    from mlx_rvc.comparison import Shown, draw_comparison
    from mlx_rvc_cli.picture import check_picture

    if len(recordings) > MOST:
        raise ValueError(f"{len(recordings)} recordings; a picture holds up to {MOST}")
    picture_path = output or recordings[-1].with_suffix(".plot.png")  # .png may be its cover
    check_picture(picture_path)
    shown = [
        Shown(path, path.name, pitch if place else None) for place, path in enumerate(recordings)
    ]
    with progress("drawing"):
        draw_comparison(picture_path, shown, f0_method)
    emit(
        {"inputs": recordings, "picture": picture_path, "f0_method": f0_method},
        as_json=as_json,
        text=f"{picture_path}: waveform, spectrogram and F0 of {len(recordings)}",
    )
