"""`mlx-rvc f0`: the pitch of a recording by one method or several, as a table or a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    method: Annotated[
        str,
        typer.Option(
            "--method",
            metavar="M[,M...]",
            help="F0 method, hybrid[a+b] of several, or several by comma to compare them.",
        ),
    ] = "rmvpe",
    f0_min: Annotated[
        float | None, typer.Option(help="Lowest F0 in Hz [default: the method's].")
    ] = None,
    f0_max: Annotated[
        float | None, typer.Option(help="Highest F0 in Hz [default: the method's].")
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(min=0.0, max=1.0, help="What makes a frame voiced [default: the method's]."),
    ] = None,
    filter_radius: Annotated[
        int | None,
        typer.Option(help="Above 2: median over 3 frames [default: for harvest alone]."),
    ] = None,
    unvoiced: Annotated[
        str, typer.Option(help="zero, or interp to fill unvoiced frames.")
    ] = "zero",
    weights: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[M=]P",
            help="File, folder or hub repository of the method's weights; with several methods "
            "M=P, once for each.",
        ),
    ] = None,
    rmvpe: Annotated[
        str | None, typer.Option(metavar="P", help="The same as --weights rmvpe=P.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Estimate the pitch of a recording, 100 values a second, 0 Hz = unvoiced.

    Examples:
      mlx-rvc f0 song.wav song.csv --method fcpe
      mlx-rvc f0 song.wav song.png --method swift-f0,crepe-tiny,harvest
    """
    import time

    from mlx_rvc_cli.audio import read_audio, to_mono
    from mlx_rvc_cli.console import emit, progress

    from .methods import load
    from .settings import F0Settings
    from .table import FRAME_RATE

    names = _names(method)
    sources = _sources(names, weights or [], rmvpe)
    settings = F0Settings(threshold, f0_min, f0_max, filter_radius, unvoiced)
    _check_target(target)
    audio, sample_rate = read_audio(source)
    samples = to_mono(audio)

    curves: dict[str, np.ndarray] = {}
    summaries: dict[str, dict[str, Any]] = {}
    for name in names:
        loaded = load(name, sources[name])
        started = time.perf_counter()
        with progress(f"F0 by {name}") as shown:
            curves[name] = settings.from_audio(loaded, samples, sample_rate, shown.update)
        elapsed = time.perf_counter() - started
        summaries[name] = {**summary(curves[name]), "elapsed_s": round(elapsed, 3)}
    if target is not None:
        _write(target, curves, samples, sample_rate)
    data: dict[str, Any] = {
        "input": source,
        "output": target,
        "duration_s": round(len(samples) / sample_rate, 3),
        "frames_per_second": FRAME_RATE,
        "threshold": threshold,
        "methods": summaries,
    }
    text = _sentence if len(names) == 1 else _comparison
    emit(data, as_json=as_json, text=lambda: text(data))


def summary(curve: np.ndarray) -> dict[str, Any]:
    """What there is to say about a curve; the pitches are None where nothing is voiced."""
    import numpy as np

    from .curve import outside_voice_range

    voiced = curve[curve > 0].astype(np.float64)
    pitches = {"median_hz": np.median, "lowest_hz": np.min, "highest_hz": np.max}
    return {
        "frames": len(curve),
        "voiced_share": round(len(voiced) / len(curve), 4),
        **{
            name: round(float(of(voiced)), 2) if len(voiced) else None
            for name, of in pitches.items()
        },
        "frames_outside_voice_range": outside_voice_range(curve),
    }


def _names(method: str) -> list[str]:
    """The methods that `--method` lists, each of which exists."""
    from mlx_rvc_cli.errors import CommandError

    from .methods import parts

    names = [name.strip() for name in method.split(",")]
    for name in names:
        parts(name)
        if names.count(name) > 1:
            raise CommandError(f"the F0 method {name} is named twice; name each once")
    return names


def _sources(
    names: Sequence[str], weights: Sequence[str], rmvpe: str | None
) -> dict[str, dict[str, str]]:
    """For each of `names` the weights of its parts."""
    from mlx_rvc_cli.errors import CommandError

    from .methods import parts

    used = {part for name in names for part in parts(name)}
    given: dict[str, str] = {}
    for text in [*weights, *([] if rmvpe is None else [f"rmvpe={rmvpe}"])]:
        name, equals, path = text.partition("=")
        if not (equals and name in used):
            if text.startswith("rmvpe="):
                raise CommandError(
                    f"weights for RMVPE are given, but the F0 method is {', '.join(names)}; leave "
                    f"out one of them"
                )
            if len(used) > 1:
                raise CommandError(
                    f"whose weights is {text}? Write --weights NAME={text}, NAME one of "
                    f"{', '.join(sorted(used))}"
                )
            (name,), path = used, text
        if name in given:
            raise CommandError(f"weights for {name} are given twice; give them once")
        given[name] = path
    return {name: {part: given[part] for part in parts(name) if part in given} for name in names}


def _check_target(target: Path | None) -> None:
    from mlx_rvc_cli.errors import CommandError
    from mlx_rvc_cli.files import check_folder

    if target is None:
        return
    if target.suffix.lower() not in FORMATS:
        raise CommandError(
            f"{target}: F0 is written as {', '.join(FORMATS)}; give a name that ends so"
        )
    check_folder(target)


def _sentence(data: dict[str, Any]) -> str:
    (found,) = data["methods"].values()
    where = f"{data['output']}: " if data["output"] is not None else ""
    text = f"{where}{data['duration_s']:.2f} s, {found['voiced_share']:.0%} voiced"
    if found["median_hz"] is not None:
        text += (
            f", median F0 {found['median_hz']:.1f} Hz"
            f" ({found['lowest_hz']:.1f} to {found['highest_hz']:.1f} Hz)"
        )
    from .curve import VOICE_RANGE_HZ

    outside = found["frames_outside_voice_range"]
    if outside:
        low, high = VOICE_RANGE_HZ
        text += f"; {outside} frames outside the {low:g} to {high:g} Hz that RVC voices tell apart"
    return text


def _comparison(data: dict[str, Any]) -> str:
    from mlx_rvc_cli.console import format_table

    columns = {
        "voiced_share": "voiced",
        "median_hz": "median Hz",
        "lowest_hz": "lowest",
        "highest_hz": "highest",
        "frames_outside_voice_range": "outside 50-1100 Hz",
        "elapsed_s": "seconds",
    }
    rows = [
        [name, *(found[column] for column in columns)] for name, found in data["methods"].items()
    ]
    where = f"{data['output']}: " if data["output"] is not None else ""
    table = format_table(rows, ["method", *columns.values()])
    return f"{where}{data['duration_s']:.2f} s\n{table}"


def _write(
    path: Path, curves: dict[str, np.ndarray], samples: np.ndarray, sample_rate: int
) -> None:
    """Write the curves in the format that the name asks for."""
    import numpy as np

    from mlx_rvc_cli.files import atomic_path

    from .table import write_columns, write_table

    if path.suffix.lower() == ".png":
        _draw(path, curves, samples, sample_rate)
        return
    several = len(curves) > 1
    with atomic_path(path) as temporary:
        if path.suffix.lower() == ".npy":
            stacked = np.stack(list(curves.values()))
            np.save(temporary, stacked if several else stacked[0])
        elif several:
            write_columns(temporary, curves)
        else:
            write_table(temporary, next(iter(curves.values())))


def _draw(path: Path, curves: dict[str, np.ndarray], samples: np.ndarray, sample_rate: int) -> None:
    """One column for each method: the sound, its spectrogram under the curve, and the curve."""
    from mlx_rvc_cli.picture import F0, Spectrogram, Waveform, draw

    from .table import FRAME_RATE

    draw(
        path,
        [
            [
                Waveform(samples, sample_rate),
                Spectrogram(samples, sample_rate, f0_hz=curve, f0_rate=FRAME_RATE),
                F0(curve, FRAME_RATE, title=f"F0 by {name}"),
            ]
            for name, curve in curves.items()
        ],
    )
