"""How loud a recording is, read a stretch at a time: what its blocks cannot hear by themselves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

_STRETCH = 1 << 18  # samples read at a time


def level(read: Callable[[int, int], np.ndarray], samples: int) -> tuple[float, float]:
    """Mean of a recording, and its largest distance from that.

    Args:
        read: called with (start, stop), gives audio (stop - start,).
        samples: length of the recording, at least 1.
    """
    total, high, low = 0.0, -np.inf, np.inf
    for start in range(0, samples, _STRETCH):
        stretch = read(start, min(start + _STRETCH, samples))
        total += float(stretch.sum())
        high, low = max(high, float(stretch.max())), min(low, float(stretch.min()))
    mean = total / samples
    return mean, max(high - mean, mean - low)
