"""What is done to an F0 curve: float32 Hz, 0 = unvoiced, 100 frames a second."""

from __future__ import annotations

import math

import numpy as np

LOWEST_HZ = 20.0
HIGHEST_HZ = 3000.0
"""Where F0 may be searched at all."""

VOICE_RANGE_HZ = (50.0, 1100.0)
"""Pitches that RVC voices tell apart; beyond, they hear the nearest of these."""


def check_range(f0_min: float, f0_max: float) -> None:
    """Refuse a range of F0 in Hz that no method can search.

    Raises:
        ValueError: one of them outside 20 to 3000 Hz, or no room between them.
    """
    for name, value in (("f0_min", f0_min), ("f0_max", f0_max)):
        if not (math.isfinite(value) and LOWEST_HZ <= value <= HIGHEST_HZ):
            raise ValueError(f"{name} is {value} Hz; expected {LOWEST_HZ:g} to {HIGHEST_HZ:g} Hz")
    if not f0_min < f0_max:
        raise ValueError(f"f0_min is {f0_min} Hz and f0_max {f0_max} Hz; expected f0_min < f0_max")


def fill_unvoiced(f0: np.ndarray) -> np.ndarray:
    """Interpolate linearly, in Hz, across unvoiced frames of (frames,).

    Before the first voiced frame and after the last one their pitch is held. A curve without any
    voiced frame stays 0.
    """
    f0 = np.asarray(f0, np.float32)
    voiced = np.flatnonzero(f0 > 0)
    if voiced.size == 0:
        return f0.copy()
    return np.interp(np.arange(f0.size), voiced, f0[voiced]).astype(np.float32)


def outside_voice_range(f0: np.ndarray) -> int:
    """How many voiced frames of (..., frames) lie where RVC voices cannot tell pitches apart."""
    f0 = np.asarray(f0)
    low, high = VOICE_RANGE_HZ
    return int(((f0 > 0) & ((f0 < low) | (f0 > high))).sum())


def median(f0: np.ndarray, frames: int = 3) -> np.ndarray:
    """Median over an odd number of frames of (..., frames), as `scipy.signal.medfilt` takes it.

    Unvoiced frames and what lies beyond the ends count as 0: a lone voiced frame among unvoiced
    ones goes, a lone unvoiced one among voiced ones is filled.

    Raises:
        ValueError: an even number of frames, or none.
    """
    if frames < 1 or frames % 2 == 0:
        raise ValueError(f"the median is over {frames} frames; expected an odd number")
    f0 = np.asarray(f0)
    reach = frames // 2
    padded = np.pad(f0, [(0, 0)] * (f0.ndim - 1) + [(reach, reach)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, frames, axis=-1)
    return np.median(windows, axis=-1).astype(f0.dtype)
