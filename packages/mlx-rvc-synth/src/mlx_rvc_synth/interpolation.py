"""Linear interpolation by a whole factor r, as torch's `interpolate(mode="linear")` does it.

Output j of step m (0 <= j < r) lies at m + (j + 1/2) / r − 1/2, between m and a neighbour; before
the first and after the last step the value stays. With t[j] = (j + 1/2) / r − 1/2::

    t[j] < 0:   y = −t[j] · x[m − 1] + (1 + t[j]) · x[m]
    otherwise:  y = (1 − t[j]) · x[m] + t[j] · x[m + 1]

So every output of a step is the same weighted sum of three inputs.
"""

from __future__ import annotations

import numpy as np

from .arrays import Array, alike, library


def weights(rate: int) -> np.ndarray:
    """(3, rate), float64: of the step before, the step and the one after, for each output."""
    place = (np.arange(rate) + 0.5) / rate - 0.5
    before, after = np.maximum(-place, 0), np.maximum(place, 0)
    return np.stack([before, 1 - before - after, after])


def neighbours(x: Array, real: Array | None = None) -> tuple[Array, Array]:
    """The steps before and after each of `x` (B, T, C), the ends repeated: (B, T, C) each.

    `real` (T, 1) is 1 for steps that are there and 0 for padding at the end, which is no neighbour.
    """
    xp = library(x)
    before = xp.concatenate([x[:, :1], x[:, :-1]], axis=1)
    after = xp.concatenate([x[:, 1:], x[:, -1:]], axis=1)
    if real is not None:
        there = xp.concatenate([real[1:], real[-1:]], axis=0)
        after = after * there + x * (1 - there)
    return before, after


def upsample(x: Array, rate: int, real: Array | None = None) -> Array:
    """`x` (B, T, C) -> (B, T·rate, C); `real` as for `neighbours`."""
    before, after = neighbours(x, real)
    table = weights(rate).astype(np.float32)
    half = rate // 2  # outputs below it look back, the others ahead
    batch, steps, channels = x.shape
    back, same, ahead = (alike(row[:, None], x) for row in table)  # (rate, 1)
    x = x[:, :, None]  # (B, T, 1, C)
    first = before[:, :, None] * back[:half] + x * same[:half]
    second = x * same[half:] + after[:, :, None] * ahead[half:]
    y = library(x).concatenate([first, second], axis=2)  # (B, T, rate, C)
    return y.reshape(batch, steps * rate, channels)
