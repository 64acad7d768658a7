"""`mlx-rvc f0`: the pitch curve of a recording, as a table or a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import numpy as np

FORMATS = (".csv", ".npy", ".png")


def f0(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="Audio file, any rate.")],
    target: Annotated[
        Path | None,
        typer.Argument(
            metavar="OUTPUT",
            help="Where the curve goes: .csv (time, Hz), .npy (Hz) or .png. Only a summary if "
            "not given.",
        ),
    ] = None,
    rmvpe: Annotated[
        str | None,
        typer.Option(
            "--rmvpe",
            metavar="P",
            help="File, folder or hub repository of the model; else MLX_RMVPE, else the usual "
            "rmvpe.pt from the hub.",
        ),
    ] = None,
    threshold: Annotated[
        float,
        typer.Option(min=0.0, max=1.0, help="Salience above which a frame is voiced."),
    ] = 0.03,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Estimate the pitch of a recording with RMVPE, 100 values a second, 0 Hz = unvoiced."""
    import time

    from mlx_rvc_cli.audio import read_audio, to_mono
    from mlx_rvc_cli.console import emit, progress
    from mlx_rvc_cli.errors import CommandError
    from mlx_rvc_cli.files import check_folder

    if target is not None:
        if target.suffix.lower() not in FORMATS:
            raise CommandError(
                f"{target}: F0 is written as {', '.join(FORMATS)}; give a name that ends so"
            )
        check_folder(target)
    audio, sample_rate = read_audio(source)
    samples = to_mono(audio)

    from .rmvpe import RMVPE

    model = RMVPE.from_pretrained(rmvpe)
    started = time.perf_counter()
    with progress("F0") as shown:
        curve = model.infer_from_audio(samples, sample_rate, threshold, progress=shown.update)
    elapsed = time.perf_counter() - started
    rate = model.config.sample_rate / model.config.hop_length
    if target is not None:
        _write(target, curve, rate, samples, sample_rate)
    data = {
        "input": source,
        "output": target,
        **summary(curve, len(samples) / sample_rate),
        "frames_per_second": rate,
        "threshold": threshold,
        "elapsed_s": round(elapsed, 3),
    }
    emit(data, as_json=as_json, text=lambda: _sentence(data))


def summary(curve: np.ndarray, duration: float) -> dict[str, Any]:
    """What there is to say about a curve; the pitches are None where nothing is voiced."""
    import numpy as np

    voiced = curve[curve > 0].astype(np.float64)
    pitches = {"median_hz": np.median, "lowest_hz": np.min, "highest_hz": np.max}
    return {
        "duration_s": round(duration, 3),
        "frames": len(curve),
        "voiced_share": round(len(voiced) / len(curve), 4),
        **{
            name: round(float(of(voiced)), 2) if len(voiced) else None
            for name, of in pitches.items()
        },
    }


def _sentence(data: dict[str, Any]) -> str:
    where = f"{data['output']}: " if data["output"] is not None else ""
    text = f"{where}{data['duration_s']:.2f} s, {data['voiced_share']:.0%} voiced"
    if data["median_hz"] is not None:
        text += (
            f", median F0 {data['median_hz']:.1f} Hz"
            f" ({data['lowest_hz']:.1f} to {data['highest_hz']:.1f} Hz)"
        )
    return text


def _write(
    path: Path, curve: np.ndarray, rate: float, samples: np.ndarray, sample_rate: int
) -> None:
    """Write the curve in the format that the name asks for."""
    import numpy as np

    from mlx_rvc_cli.files import atomic_path

    if path.suffix.lower() == ".png":
        from mlx_rvc_cli.picture import F0, Spectrogram, Waveform, draw

        sound = Spectrogram(samples, sample_rate, f0_hz=curve, f0_rate=rate)
        draw(path, [Waveform(samples, sample_rate), sound, F0(curve, rate)])
        return
    with atomic_path(path) as temporary:
        if path.suffix.lower() == ".npy":
            np.save(temporary, curve)
        else:
            rows = [f"{frame / rate:.3f},{hz:.3f}" for frame, hz in enumerate(curve)]
            temporary.write_text("\n".join(["time,Hz", *rows, ""]), encoding="utf-8")
