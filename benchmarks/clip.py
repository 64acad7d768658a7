"""What the stages are given: real speech of any length, and features and F0 to go with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

AUDIO = Path(__file__).parents[1] / "tests/audio"
SPEECH = ("librivox_austen_0870", "librivox_austen_0930", "target_0", "target_1")
RATE = 16000


@dataclass(frozen=True)
class Clip:
    """Speech, float32 (samples,) at 16 kHz, and as many frames, 100 a second, of what follows.

    features: float32 (frames, 768). f0_hz: float32 (frames,), 0 = unvoiced.
    """

    seconds: float
    audio: np.ndarray
    features: np.ndarray
    f0_hz: np.ndarray

    def pieces(self, seconds: float) -> Iterator["Clip"]:
        """Consecutive clips of at most that length."""
        for first in range(0, len(self.f0_hz), round(seconds * 100)):
            frames = slice(first, min(first + round(seconds * 100), len(self.f0_hz)))
            audio = self.audio[frames.start * RATE // 100 : frames.stop * RATE // 100]
            features, f0_hz = self.features[frames], self.f0_hz[frames]
            yield Clip(len(f0_hz) / 100, audio, features, f0_hz)


@cache
def speech() -> np.ndarray:
    """Every recording of reading that the tests have, one after another, float32 at 16 kHz."""
    from mlx_rvc_cli.audio import read_audio, resample

    parts = []
    for name in SPEECH:
        audio, rate = read_audio(AUDIO / f"{name}.flac")
        parts.append(resample(audio[:, 0], rate, RATE))
    return np.concatenate(parts).astype(np.float32)


def cut(seconds: float, features: np.ndarray) -> Clip:
    """Speech of that length, repeated where it has to be; features (n, 768), 50 a second."""
    frames = max(1, round(seconds * 100))
    time = np.arange(frames) / 100
    f0_hz = 180 * 2 ** (0.4 * np.sin(2 * np.pi * 0.3 * time))
    f0_hz[time % 2 > 1.6] = 0  # a fifth of it unvoiced
    rows = np.repeat(np.resize(features, (-(-frames // 2), features.shape[1])), 2, axis=0)
    audio = np.resize(speech(), round(seconds * RATE))
    return Clip(seconds, audio, rows[:frames], f0_hz.astype(np.float32))
