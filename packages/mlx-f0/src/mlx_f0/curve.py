"""What is done to an F0 curve, float32 (frames,), Hz, 0 = unvoiced, 100 frames a second."""

import numpy as np


def fill_unvoiced(f0):
    """Interpolate linearly across unvoiced frames; an all-unvoiced curve stays 0."""
    f0 = np.asarray(f0, np.float32)
    voiced = np.flatnonzero(f0 > 0)
    if voiced.size == 0:
        return f0.copy()
    return np.interp(np.arange(f0.size), voiced, f0[voiced]).astype(np.float32)


def fold(f0, f0_min, f0_max):
    """Move voiced frames outside f0_min..f0_max into it by octaves: (curve, frames moved)."""
    if not 0 < 2 * f0_min <= f0_max:
        raise ValueError(f"f0_min {f0_min} and f0_max {f0_max}: folding needs an octave or more between")
    f0 = np.array(f0, np.float32)
    outside = (f0 > 0) & ((f0 < f0_min) | (f0 > f0_max))
    high, low = outside & (f0 > f0_max), outside & (f0 < f0_min)
    f0[high] /= 2.0 ** np.ceil(np.log2(f0[high] / f0_max))
    f0[low] *= 2.0 ** np.ceil(np.log2(f0_min / f0[low]))
    return f0, int(outside.sum())
