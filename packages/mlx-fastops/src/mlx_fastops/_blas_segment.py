"""The frames that a block of outputs sees: zeros beyond the ends, leaky ReLU where asked."""

import numpy as np


def segment(x: np.ndarray, first: int, last: int, slope: float | None = None) -> np.ndarray:
    """Return frames [first, last) of x (T, C), which may lie outside it.

    A view if none is padding and there is nothing to apply; else a copy, which leaky ReLU of
    `slope` (0 to 1) is applied to while it is written.
    """
    low, high = max(first, 0), min(last, len(x))
    if slope is None and (low, high) == (first, last):
        return x[first:last]
    found = np.empty((last - first, x.shape[1]), x.dtype)
    if low >= high:
        found[...] = 0
        return found
    found[: low - first] = 0
    found[high - first :] = 0
    inside = found[low - first : high - first]
    if slope is None:
        inside[...] = x[low:high]
    else:
        # For such slopes the larger of the two is the right one: two passes and no mask.
        np.multiply(x[low:high], x.dtype.type(slope), out=inside)
        np.maximum(x[low:high], inside, out=inside)
    return found
