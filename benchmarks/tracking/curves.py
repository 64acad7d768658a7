"""F0 curves of our choice: what the resyntheses sing, and so the truth.

Each function takes a number of frames, 5 ms apart, the lowest and the highest F0 in Hz and a random
generator, and gives F0 in Hz, (frames,), within those limits.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

PERIOD_MS = 5.0  # between frames of WORLD
VIBRATO_CENTS, VIBRATO_HZ = 80, 5.5
NOTE_MS = 300

Shape = Callable[[int, float, float, np.random.Generator], np.ndarray]


def glide(frames: int, low: float, high: float, _rng: np.random.Generator) -> np.ndarray:
    """Down and up between both ends, 2 s each way, evenly in the logarithm."""
    time = np.arange(frames) * PERIOD_MS / 1000
    return low * (high / low) ** np.abs((time / 2) % 2 - 1)


def vibrato(frames: int, low: float, high: float, rng: np.random.Generator) -> np.ndarray:
    """A glide of 4 s each way with a vibrato of 80 cents to either side, 5.5 times a second."""
    time = np.arange(frames) * PERIOD_MS / 1000
    edge = 2 ** (VIBRATO_CENTS / 1200)
    low, high = low * edge, high / edge
    phase = 2 * np.pi * VIBRATO_HZ * time + rng.uniform(0, 2 * np.pi)
    swing = 2 ** (VIBRATO_CENTS / 1200 * np.sin(phase))
    return low * (high / low) ** np.abs((time / 4) % 2 - 1) * swing


def leaps(frames: int, low: float, high: float, rng: np.random.Generator) -> np.ndarray:
    """Another note every 0.3 s, anywhere between the ends."""
    held = round(NOTE_MS / PERIOD_MS)
    notes = low * (high / low) ** rng.random(-(-frames // held))
    return np.repeat(notes, held)[:frames]


CURVES: dict[str, Shape] = {"glide": glide, "vibrato": vibrato, "leaps": leaps}
