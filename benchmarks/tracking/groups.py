"""Which frames are scored together, and which signals the heavy methods hear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .conditions import CLEAN, RATE, STEP
from .scores import scores
from .signals import RANGES_HZ, Signal

ALL = "all"
EVERY, HEARD_S = 12, 2.0
"""The heavy methods hear 2 s of every twelfth signal: one less than a span has, so that each
condition and each span comes once."""


def sub_sample(count: int) -> list[int]:
    """Numbers of the signals that heavy methods hear, of so many."""
    return list(range(0, count, EVERY))


def shortened(signal: Signal) -> Signal:
    """What the heavy methods hear of a signal."""
    samples = min(round(HEARD_S * RATE), len(signal.audio))
    frames = samples // STEP + 1
    return replace(signal, audio=signal.audio[:samples], f0_hz=signal.f0_hz[:frames])


def range_name(low: float, high: float) -> str:
    """How a range of the true F0 is called; it holds the clean signals only."""
    return f"{low:g}-{high:g} Hz"


def grouped(everything: Sequence[Signal], found: Sequence[np.ndarray]) -> dict[str, dict]:
    """Scores in all, by condition, by curve and by range of the true F0 (these two clean only)."""
    groups: dict[str, list[int]] = {ALL: list(range(len(everything)))}
    for i, signal in enumerate(everything):
        groups.setdefault(signal.condition, []).append(i)
        if signal.condition == CLEAN:
            groups.setdefault(signal.curve, []).append(i)
    result = {}
    for name, members in groups.items():
        truth = np.concatenate([everything[i].f0_hz for i in members])
        result[name] = scores(truth, np.concatenate([found[i] for i in members]))
    clean = groups.get(CLEAN, [])
    if clean:
        truth = np.concatenate([everything[i].f0_hz for i in clean])
        curve = np.concatenate([found[i] for i in clean])
        for low, high in RANGES_HZ:
            inside = (truth >= low) & (truth <= high)
            if inside.any():
                result[range_name(low, high)] = scores(truth[inside], curve[inside])
    return result
