"""From the strength of 360 pitch classes to F0, as torchcrepe 0.0.24's `decode.py` does it.

torchcrepe adds random noise of up to 20 cents to every bin it turns into Hz ("dither"); here
there is none, so the same audio always gives the same curve.
Bin i lies at 10 Hz * 2 ** ((1997.379 + 20 i) / 1200).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

BINS = 360
FIRST_CENTS = 1997.3794084376191  # above 10 Hz
CENTS_PER_BIN = 20
REACH = 11  # bins that one frame may move: the transition falls off linearly and is 0 at 12
TINY = np.finfo(np.float32).tiny

Decoded = tuple[np.ndarray, np.ndarray]


def mask(salience: np.ndarray, f0_min: float, f0_max: float) -> np.ndarray:
    """A copy of (frames, 360) with -inf outside [f0_min, f0_max] Hz.

    Raises:
        ValueError: a range that holds no bin.
    """
    if not 0 < f0_min < f0_max < math.inf:
        raise ValueError(
            f"the F0 range is {f0_min} to {f0_max} Hz; expected 0 < f0_min < f0_max, finite"
        )
    low = math.floor((1200 * math.log2(f0_min / 10) - FIRST_CENTS) / CENTS_PER_BIN)
    high = math.ceil((1200 * math.log2(f0_max / 10) - FIRST_CENTS) / CENTS_PER_BIN)
    if low >= BINS or high <= 0:
        raise ValueError(
            f"the F0 range {f0_min} to {f0_max} Hz holds no pitch class; CREPE's are 32 to 2006 Hz"
        )
    result = np.full(salience.shape, -np.inf, np.float32)
    kept = slice(max(low, 0), high)
    result[:, kept] = salience[:, kept]
    return result


def to_hz(cents: np.ndarray) -> np.ndarray:
    """Cents above 10 Hz to Hz."""
    return (10 * 2 ** (cents / 1200)).astype(np.float32)


def _bins_to_hz(bins: np.ndarray) -> np.ndarray:
    return to_hz(CENTS_PER_BIN * bins.astype(np.float64) + FIRST_CENTS)


def argmax(salience: np.ndarray) -> Decoded:
    """Strongest bin of each frame: (frames, 360) -> bins int64 (frames,), Hz float32 (frames,)."""
    bins = salience.argmax(axis=1)
    return bins, _bins_to_hz(bins)


def weighted_argmax(salience: np.ndarray) -> Decoded:
    """Mean of the strongest bin and four neighbours on either side; shapes as for `argmax`.

    The weights are the sigmoid of the salience, itself a sigmoid: so it is in torchcrepe.
    """
    bins = salience.argmax(axis=1)
    near = bins[:, None] + np.arange(-4, 5)
    inside = (near >= 0) & (near < BINS)
    near = near.clip(0, BINS - 1)
    values = np.take_along_axis(salience, near, axis=1).astype(np.float64)
    weights = np.where(inside, 1 / (1 + np.exp(-values)), 0)
    cents = CENTS_PER_BIN * near + FIRST_CENTS
    return bins, to_hz((weights * cents).sum(axis=1) / weights.sum(axis=1))


def viterbi(salience: np.ndarray) -> Decoded:
    """The likeliest path through softmax(salience); shapes as for `argmax`.

    The probability of a move falls linearly to zero at 12 bins. What the original spells as a
    product with all 360 x 360 moves needs only the 23 near ones and the best of all others,
    which share one probability, float32's smallest. Memory: 720 bytes a frame for the way back.
    """
    if not len(salience):
        return np.zeros(0, np.int64), np.zeros(0, np.float32)
    likely = np.exp(salience - salience.max(axis=1, keepdims=True))
    likely = np.log(likely / likely.sum(axis=1, keepdims=True) + TINY)
    moves, never = _moves()
    back = np.empty(salience.shape, np.uint16)
    padded = np.full(BINS + 2 * REACH, -np.inf)
    near = np.lib.stride_tricks.sliding_window_view(padded, 2 * REACH + 1)
    every = np.arange(BINS)
    value = likely[0] + np.log(1 / BINS + TINY)
    for frame in range(1, len(salience)):
        padded[REACH:-REACH] = value
        ways = near + moves
        step = ways.argmax(axis=1)
        best = ways[every, step]
        came = every + step - REACH
        leader = value.argmax()
        leap = value[leader] + never
        better = leap > best
        back[frame] = np.where(better, leader, came)
        value = likely[frame] + np.where(better, leap, best)
    bins = np.empty(len(salience), np.int64)
    bins[-1] = value.argmax()
    for frame in range(len(salience) - 1, 0, -1):
        bins[frame - 1] = back[frame, bins[frame]]
    return bins, _bins_to_hz(bins)


def _moves() -> tuple[np.ndarray, float]:
    """Log probability (360, 23) of coming to bin j from bin j - 11 + k, and of any other move."""
    apart = np.abs(np.arange(BINS)[:, None] - np.arange(BINS))
    triangle = np.maximum(REACH + 1 - apart, 0)
    table = np.log(triangle / triangle.sum(axis=1, keepdims=True) + TINY)  # (from, to)
    origin = np.arange(BINS)[:, None] + np.arange(-REACH, REACH + 1)
    inside = (origin >= 0) & (origin < BINS)
    moves = table[origin.clip(0, BINS - 1), np.arange(BINS)[:, None]]
    return np.where(inside, moves, -np.inf), float(np.log(TINY))


DECODERS: dict[str, Callable[[np.ndarray], Decoded]] = {
    "argmax": argmax,
    "viterbi": viterbi,
    "weighted_argmax": weighted_argmax,
}
