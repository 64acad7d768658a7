"""Downsampling by a whole factor r with a windowed sinc, as `torchaudio.functional.resample` does.

RefineGAN asks for a Kaiser window of beta 14.77, 64 zero crossings wide, and a cutoff at c = 0.9476
of the new Nyquist frequency. Tap k of −w to w + r − 1, w = ceil(64·r / c), stands at u = c·k / r
zero crossings::

    h[k] = c / r · sin(πu) / (πu) · I0(beta · sqrt(1 − (u / 64)²)) / I0(beta),   |u| <= 64, else 0
    y[m] = Σ_k h[k] · x[m·r + k]                              zeros beyond the ends of x

64 outputs at a time are one product with the taps in a band, so that it runs at the speed of
matrix products.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from mlx_fastops import conv1d

from .arrays import Array, alike, library

ZERO_CROSSINGS = 64
CUTOFF = 0.9475937167399596
BETA = 14.769656459379492
ROWS = 64  # outputs of one product


def radius(rate: int) -> int:
    """w: how many inputs an output looks at before its own, and after the next one's."""
    return math.ceil(ZERO_CROSSINGS * rate / CUTOFF)


def taps(rate: int) -> np.ndarray:
    """h (2w + rate,), float64, from tap −w on."""
    wide = radius(rate)
    u = np.arange(-wide, wide + rate) * (CUTOFF / rate)
    inside = np.clip(u / ZERO_CROSSINGS, -1, 1)
    window = np.i0(BETA * np.sqrt(1 - inside**2)) / np.i0(BETA)
    # Beyond the last zero crossing the sinc stays that of the crossing itself, which is 0.
    return CUTOFF / rate * np.sinc(np.clip(u, -ZERO_CROSSINGS, ZERO_CROSSINGS)) * window


@cache
def _band(rate: int) -> np.ndarray:
    """The taps of ROWS outputs, each `rate` further on: (ROWS, (ROWS − 1)·rate + taps, 1)."""
    h = taps(rate)
    band = np.zeros((ROWS, (ROWS - 1) * rate + len(h), 1), np.float32)
    for row in range(ROWS):
        band[row, row * rate : row * rate + len(h), 0] = h
    return band


def decimate(x: Array, rate: int, count: int) -> Array:
    """`x` (B, N, C), from w inputs before the first output on -> its first `count` (B, count, C).

    Where x ends early, zeros follow.
    """
    xp = library(x)
    batch, _, channels = x.shape
    band = _band(rate)
    blocks = -(-count // ROWS)
    length = (blocks - 1) * ROWS * rate + band.shape[1]
    missing = max(0, length - x.shape[1])
    x = xp.pad(x[:, :length], ((0, 0), (0, missing), (0, 0)))
    rows = x.swapaxes(1, 2).reshape(batch * channels, length, 1)
    y = conv1d(rows, alike(band, x), stride=ROWS * rate)  # (B·C, blocks, ROWS)
    y = y.reshape(batch, channels, blocks * ROWS).swapaxes(1, 2)
    return y[:, :count]
