"""From pitch salience to F0: a weighted mean of the cents around the strongest bin."""

from __future__ import annotations

import math

import numpy as np

CENTS_PER_BIN = 20.0
FIRST_BIN_CENTS = 1997.3794084376191  # above 10 Hz: 31.7 Hz
REFERENCE_HZ = 10.0
REACH = 4  # bins on either side of the strongest


def decode(
    salience: np.ndarray,
    threshold: float = 0.03,
    *,
    f0_min: float | None = None,
    f0_max: float | None = None,
) -> np.ndarray:
    """F0 from salience, as in the reference's `to_local_average_cents`.

    The mean of the cents of the strongest bin and its four neighbours on either side, weighted by
    their salience. Neighbours beyond the first or last bin weigh nothing. Of equal maxima the
    lowest counts. Within a range of F0 only its bins are looked at; a frame whose strongest bin is
    then the flank of a stronger one outside is unvoiced, not a pitch at the edge.

    Args:
        salience: shape (..., frames, bins), values in 0 to 1.
        threshold: a frame whose maximum does not exceed this is unvoiced.
        f0_min: lowest F0, Hz; None is the lowest bin, as in the reference.
        f0_max: highest F0, Hz; None is the highest bin, as in the reference.

    Returns:
        float32 of shape (..., frames): F0 in Hz, 0 where unvoiced.

    Raises:
        ValueError: the threshold is not within 0 to 1, or no bin lies in the range.
    """
    check_threshold(threshold)
    bins = salience.shape[-1]
    low, stop = bins_within(f0_min, f0_max, bins)
    if (low, stop) != (0, bins):
        flank = _flank(salience, low, stop)
        inside = np.zeros(bins, bool)
        inside[low:stop] = True
        salience = np.where(inside & ~flank[..., None], salience, 0)
    centre = np.argmax(salience, axis=-1, keepdims=True)  # (..., T, 1)
    index = centre + np.arange(-REACH, REACH + 1)  # (..., T, 9)
    inside = (index >= 0) & (index < bins)
    weight = np.take_along_axis(salience, np.clip(index, 0, bins - 1), axis=-1)
    weight = np.where(inside, weight, 0).astype(np.float64)
    cents = FIRST_BIN_CENTS + CENTS_PER_BIN * index
    peak = np.take_along_axis(salience, centre, axis=-1)[..., 0]
    voiced = peak > threshold
    total = np.where(voiced, weight.sum(axis=-1), 1.0)  # no division by zero where unvoiced
    mean = (weight * cents).sum(axis=-1) / total
    return np.where(voiced, REFERENCE_HZ * 2.0 ** (mean / 1200.0), 0.0).astype(np.float32)


def bins_within(f0_min: float | None, f0_max: float | None, bins: int) -> tuple[int, int]:
    """First bin and the one after the last whose centre lies within f0_min to f0_max, Hz.

    Raises:
        ValueError: a limit that is not positive, limits in the wrong order, or no bin between them.
    """
    centres = REFERENCE_HZ * 2.0 ** ((FIRST_BIN_CENTS + CENTS_PER_BIN * np.arange(bins)) / 1200)
    low = 0.0 if f0_min is None else f0_min
    high = math.inf if f0_max is None else f0_max
    places = np.flatnonzero((centres >= low) & (centres <= high))
    if not low < high or not len(places):
        raise ValueError(
            f"F0 is looked for from {f0_min} to {f0_max} Hz; expected f0_min < f0_max, within "
            f"{centres[0]:.1f} to {centres[-1]:.1f} Hz"
        )
    return int(places[0]), int(places[-1]) + 1


def _flank(salience: np.ndarray, low: int, stop: int) -> np.ndarray:
    """Frames (...,) that rise over an edge of the bins low to stop to something outside."""
    strongest = np.argmax(salience[..., low:stop], axis=-1) + low
    flank = np.zeros(strongest.shape, bool)
    if low > 0:
        flank |= (strongest == low) & (salience[..., low - 1] > salience[..., low])
    if stop < salience.shape[-1]:
        flank |= (strongest == stop - 1) & (salience[..., stop] > salience[..., stop - 1])
    return flank


def check_threshold(threshold: float) -> None:
    """Refuse a voicing threshold that no salience can be compared with.

    Raises:
        ValueError: it is not within 0 to 1.
    """
    if not 0.0 <= threshold <= 1.0:
        raise ValueError(f"the voicing threshold is {threshold}, expected 0 to 1")
