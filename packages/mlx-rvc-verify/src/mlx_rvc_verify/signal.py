"""What is compared on: a test signal made here, or the loudest stretch of a recording."""

from __future__ import annotations

from pathlib import Path

import numpy as np

RATE = 16000  # Hz
SHORTEST_S = 0.1


def glide(seconds: float) -> np.ndarray:
    """A gliding voice-like sound in noise, with a silence in it: float32 (samples,) at 16 kHz.

    Harmonics of 80 to 200 Hz as 1/h; the same numbers every time.
    """
    rng = np.random.default_rng(4)
    time = np.arange(round(RATE * seconds)) / RATE
    phase = 2 * np.pi * np.cumsum(140 + 60 * np.sin(2 * np.pi * 0.7 * time)) / RATE
    voice = np.sum([np.sin(h * phase) / h for h in range(1, 20)], axis=0) * 0.1
    voice[len(voice) // 3 : len(voice) // 3 + 4000] = 0
    return (voice + 0.003 * rng.standard_normal(len(time))).astype(np.float32)


def stretch(path: Path, seconds: float) -> np.ndarray:
    """The loudest `seconds` of a recording as a conversion sees it: float32 (n,) at 16 kHz.

    Raises ValueError for a file that is no recording, or is shorter than 0.1 s.
    """
    from mlx_rvc.recording import prepare
    from mlx_rvc_cli.audio import read_audio, resample, to_mono

    audio, rate = read_audio(path)
    audio = np.asarray(resample(to_mono(audio), rate, RATE), np.float64)
    if len(audio) < SHORTEST_S * RATE:
        raise ValueError(
            f"{path} lasts {len(audio) / RATE:.3f} s; a comparison needs at least {SHORTEST_S} s"
        )
    audio = prepare(audio)
    wanted = min(round(seconds * RATE), len(audio))
    energy = np.concatenate([[0.0], np.cumsum(audio**2)])
    first = int(np.argmax(energy[wanted:] - energy[: len(energy) - wanted]))
    return audio[first : first + wanted].astype(np.float32)
