"""From pitch salience to F0: torchfcpe's two decoders, and the range that is asked for."""

from __future__ import annotations

import math

import numpy as np

DECODERS = ("local_argmax", "argmax")
REFERENCE_HZ = 10.0  # cents are counted from here
REACH = 4  # bins on either side of the strongest


def decode(
    salience: np.ndarray,
    cent_table: np.ndarray,
    threshold: float = 0.006,
    *,
    decoder: str = "local_argmax",
    f0_min: float = 0.0,
    f0_max: float = math.inf,
) -> np.ndarray:
    """F0 from salience, as in `latent2cents_local_decoder` and `latent2cents_decoder`.

    Args:
        salience: shape (..., frames, bins), values in 0 to 1.
        cent_table: (bins,), cents of each bin above 10 Hz.
        threshold: a frame whose maximum does not exceed this is unvoiced.
        decoder: "local_argmax", the mean of the cents of the strongest bin and its four neighbours
            on either side, weighted by their salience; a neighbour beyond the first or last bin is
            that bin once more, as in the reference. Or "argmax", the weighted mean of all bins.
        f0_min: a frame below it, in Hz, is unvoiced.
        f0_max: a frame above it, in Hz, is unvoiced: nothing is clamped or folded.

    Returns:
        float32 of shape (..., frames): F0 in Hz, 0 where unvoiced.

    Raises:
        ValueError: as `check_options` does.
    """
    check_options(threshold, decoder, f0_min, f0_max)
    cents = np.asarray(cent_table, np.float64)
    peak = salience.max(axis=-1)
    if decoder == "argmax":
        weight = salience.astype(np.float64)  # (..., T, bins)
    else:
        centre = np.argmax(salience, axis=-1, keepdims=True)  # (..., T, 1)
        index = np.clip(centre + np.arange(-REACH, REACH + 1), 0, salience.shape[-1] - 1)
        weight = np.take_along_axis(salience, index, axis=-1).astype(np.float64)
        cents = cents[index]  # (..., T, 9)
    voiced = peak > threshold
    # Where unvoiced the sums may be zero, or the mean beyond float32: neither is looked at.
    total = np.where(voiced, weight.sum(axis=-1), 1.0)
    mean = np.where(voiced, (weight * cents).sum(axis=-1) / total, 0.0)
    f0_hz = (REFERENCE_HZ * 2.0 ** (mean / 1200.0)).astype(np.float32)
    return np.where(voiced & (f0_hz >= f0_min) & (f0_hz <= f0_max), f0_hz, np.float32(0))


def check_options(threshold: float, decoder: str, f0_min: float, f0_max: float) -> None:
    """Refuse what no salience can be decoded with.

    Raises:
        ValueError: a threshold outside 0 to 1, an unknown decoder, or a range that is empty or
            begins below 0 Hz.
    """
    if not 0.0 <= threshold <= 1.0:
        raise ValueError(f"the voicing threshold is {threshold}, expected 0 to 1")
    if decoder not in DECODERS:
        raise ValueError(f"the decoder is {decoder!r}, expected {' or '.join(DECODERS)}")
    if not 0.0 <= f0_min < f0_max:
        raise ValueError(
            f"the range of F0 is {f0_min} to {f0_max} Hz, expected 0 <= f0_min < f0_max"
        )
