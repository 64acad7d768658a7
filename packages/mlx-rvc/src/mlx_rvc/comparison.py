"""Recordings side by side in one picture: waveform, spectrogram and F0 of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

F0_METHOD = "swift-f0"
"""Light, and its weights ship."""


@dataclass(frozen=True)
class Shown:
    """A recording in the picture.

    pitch: semitones that it should lie above the first one, whose F0 is then drawn behind its own;
        None draws nothing behind.
    """

    path: Path
    title: str
    pitch: float | None = None


def draw_comparison(
    picture_path: str | Path, recordings: Sequence[Shown], f0_method: str = F0_METHOD
) -> None:
    """Write a PNG with a column for each recording.

    Raises ValueError or OSError for a recording that cannot be read, a method that is not there,
    another extension than .png.
    """
    from mlx_f0 import load
    from mlx_rvc.f0 import shift
    from mlx_rvc_cli.picture import F0, Spectrogram, Waveform, draw

    method = load(f0_method)
    columns, first_hz = [], None
    for shown in recordings:
        audio, sample_rate = _mono(shown.path)
        f0_hz = method.infer_from_audio(audio, sample_rate)
        expected_hz = None
        if shown.pitch is not None and first_hz is not None:
            expected_hz = shift(first_hz, shown.pitch)
        columns.append(
            [
                Waveform(audio, sample_rate, title=shown.title),
                Spectrogram(audio, sample_rate, scale="linear"),
                F0(f0_hz, title=f"F0 ({f0_method})", expected_hz=expected_hz),
            ]
        )
        first_hz = f0_hz if first_hz is None else first_hz
    draw(picture_path, columns)


def _mono(path: Path) -> tuple[np.ndarray, int]:
    from mlx_rvc_cli.audio import read_audio, to_mono

    audio, sample_rate = read_audio(path)
    return to_mono(audio), sample_rate
