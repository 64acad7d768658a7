"""`mlx-rvc demo`: hear a conversion on a machine without any model."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlx_rvc.commands.convert import sentence, summary
from mlx_rvc.speakers import Speakers
from mlx_rvc_cli.console import emit, progress

if TYPE_CHECKING:
    import numpy as np

    from mlx_f0 import F0Method


def demo(
    output_path: Annotated[
        Path, typer.Argument(metavar="[OUTPUT]", help="Where to write; the picture goes beside it.")
    ] = Path("mlx-rvc-demo.wav"),
    speaker: Annotated[
        str, typer.Option("--speaker", "-s", help="Speaker of the bundled voice, number or name.")
    ] = "0",
    recording: Annotated[
        str, typer.Option("--recording", "-r", help="Which recording: speech or singing.")
    ] = "speech",
    seed: Annotated[int | None, typer.Option(help="Makes the run repeatable.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Convert a bundled recording, speech or singing, with a bundled voice; downloads nothing.

    Writes the converted recording and a picture (PNG) of input and output: waveform, spectrogram
    and F0. The voice is a toy of a few megabytes that shows the way, not the quality of RVC.
    """
    import mlx_rvc_demo

    bundle = mlx_rvc_demo.bundle()
    number = Speakers.bundled(bundle).number(int(speaker) if speaker.isdecimal() else speaker)
    recordings = {known.name: known for known in bundle.recordings}
    if recording not in recordings:
        raise ValueError(f"recording is {recording!r}; the bundle has {', '.join(recordings)}")
    source = recordings[recording]
    target = next(known for known in bundle.speakers if known.id == number)
    pitch = source.pitch[number]
    picture_path = output_path.with_suffix(".png")

    from mlx_rvc.pipeline import convert_voice

    with progress("converting the demo", total=1.0) as shown:
        result = convert_voice(
            source.path,
            output_path,
            bundle.voice,
            index=target.index,
            progress=shown.update,
            pitch=pitch,
            f0_method=bundle.f0_method,
            index_rate=bundle.index_rate,
            speaker=number,
            seed=seed,
        )
        _draw(picture_path, bundle.f0_method, source.path, output_path, target.name, pitch)
    emit(
        {**summary(result), "picture": str(picture_path), "speaker": target.name},
        as_json=as_json,
        text=lambda: (
            f"{sentence(result)}\n{picture_path}: waveform, spectrogram and F0\n"
            f"{bundle.description}"
        ),
    )


def _draw(
    picture_path: Path, f0_method: str, source: Path, target: Path, name: str, pitch: float
) -> None:
    from mlx_f0 import load
    from mlx_rvc.f0 import shift
    from mlx_rvc_cli.picture import F0, Spectrogram, Waveform, draw

    method = load(f0_method)
    columns, expected_hz = [], None
    for title, path in (("input", source), (f"output, {name}", target)):
        audio, sample_rate, f0_hz = _measured(path, method)
        columns.append(
            [
                Waveform(audio, sample_rate, title=title),
                Spectrogram(audio, sample_rate, scale="linear"),
                F0(f0_hz, title=f"F0 ({f0_method})", expected_hz=expected_hz),
            ]
        )
        expected_hz = shift(f0_hz, pitch)  # what the output's F0 is asked to be
    draw(picture_path, columns)


def _measured(path: Path, method: "F0Method") -> "tuple[np.ndarray, int, np.ndarray]":
    from mlx_rvc_cli.audio import read_audio, to_mono

    audio, sample_rate = read_audio(path)
    mono = to_mono(audio)
    return mono, sample_rate, method.infer_from_audio(mono, sample_rate)
