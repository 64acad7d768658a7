"""`mlx-rvc features`: the content features of a recording, as a NumPy file."""

from pathlib import Path
from typing import Annotated

import typer


def features(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="Audio file, any rate.")],
    target: Annotated[Path, typer.Argument(metavar="OUTPUT", help="Written as .npy.")],
    contentvec: Annotated[
        str | None,
        typer.Option(
            "--contentvec",
            metavar="P",
            help="File, folder, hub repository or name (such as spin) of the encoder; else "
            "MLX_CONTENTVEC, else the usual ContentVec from the hub.",
        ),
    ] = None,
    layer: Annotated[
        int | None,
        typer.Option("--layer", min=1, help="Layer to take; the last if not given (v1 voices: 9)."),
    ] = None,
    project: Annotated[
        bool, typer.Option("--project", help="Apply the projection that v1 voices read.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Write what is said in a recording: float32 (frames, width), 50 frames a second.

    Examples:
      mlx-rvc features me.wav me.npy
      mlx-rvc features me.wav me.npy --layer 9 --project
    """
    import time

    from mlx_rvc_cli import CommandError, atomic_path, emit, read_audio, resample, to_mono
    from mlx_rvc_cli.files import check_folder

    if target.suffix.lower() != ".npy":
        raise CommandError(f"{target}: features are written as .npy; give a name that ends so")
    check_folder(target)
    audio, sample_rate = read_audio(source)

    import numpy as np

    from mlx_contentvec.config import SAMPLE_RATE
    from mlx_contentvec.model import ContentvecModel

    samples = resample(to_mono(audio), sample_rate, SAMPLE_RATE)
    model = ContentvecModel.from_pretrained(contentvec)
    started = time.perf_counter()
    values = np.array(model.extract(samples, layer=layer, project=project))[0]
    elapsed = time.perf_counter() - started
    with atomic_path(target) as temporary, temporary.open("wb") as file:
        np.save(file, values)

    duration = len(audio) / sample_rate
    emit(
        {
            "input": source,
            "output": target,
            "frames": values.shape[0],
            "width": values.shape[1],
            "layer": model.config.num_hidden_layers if layer is None else layer,
            "projected": project,
            "duration_s": round(duration, 3),
            "elapsed_s": round(elapsed, 3),
            "real_time_factor": round(elapsed / duration, 4),
        },
        as_json=as_json,
        text=f"{target}: {values.shape[0]} frames × {values.shape[1]} from {duration:.2f} s in "
        f"{elapsed:.2f} s",
    )
