"""What is done to an F0 curve: float32 Hz, 0 = unvoiced, 100 frames a second."""

from __future__ import annotations

import math

import numpy as np

LOWEST_HZ = 20.0
HIGHEST_HZ = 3000.0
"""Where F0 may be searched at all; voices lie within 50 to 1100 Hz."""


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


def fold(f0: np.ndarray, f0_min: float, f0_max: float) -> tuple[np.ndarray, int]:
    """Move voiced frames outside f0_min to f0_max into it by octaves.

    Returns:
        The curve (frames,), and how many frames were moved.

    Raises:
        ValueError: less than an octave from f0_min to f0_max.
    """
    if not 0 < 2 * f0_min <= f0_max:
        raise ValueError(
            f"f0_min is {f0_min} Hz and f0_max {f0_max} Hz; to fold octaves, f0_max must be twice "
            f"f0_min or more"
        )
    folded = np.array(f0, np.float64)  # in float32 a frame might end a rounding above f0_max
    high = folded > f0_max
    low = (folded > 0) & (folded < f0_min)
    folded[high] /= 2.0 ** np.ceil(np.log2(folded[high] / f0_max))
    folded[low] *= 2.0 ** np.ceil(np.log2(f0_min / folded[low]))
    return folded.astype(np.float32), int(high.sum() + low.sum())


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
