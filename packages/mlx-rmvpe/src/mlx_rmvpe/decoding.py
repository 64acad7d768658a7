"""From pitch salience to F0: a weighted mean of the cents around the strongest bin."""

from __future__ import annotations

import numpy as np

CENTS_PER_BIN = 20.0
FIRST_BIN_CENTS = 1997.3794084376191  # above 10 Hz: 31.7 Hz
REFERENCE_HZ = 10.0
REACH = 4  # bins on either side of the strongest


def decode(salience: np.ndarray, threshold: float = 0.03) -> np.ndarray:
    """F0 from salience, as in the reference's `to_local_average_cents`.

    The mean of the cents of the strongest bin and its four neighbours on either side, weighted by
    their salience. Neighbours beyond the first or last bin weigh nothing. Of equal maxima the
    lowest counts.

    Args:
        salience: shape (..., frames, bins), values in 0 to 1.
        threshold: a frame whose maximum does not exceed this is unvoiced.

    Returns:
        float32 of shape (..., frames): F0 in Hz, 0 where unvoiced.

    Raises:
        ValueError: the threshold is not within 0 to 1.
    """
    check_threshold(threshold)
    bins = salience.shape[-1]
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


def check_threshold(threshold: float) -> None:
    """Refuse a voicing threshold that no salience can be compared with.

    Raises:
        ValueError: it is not within 0 to 1.
    """
    if not 0.0 <= threshold <= 1.0:
        raise ValueError(f"the voicing threshold is {threshold}, expected 0 to 1")
