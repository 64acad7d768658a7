"""From scores of pitch classes and a logit of voicing to F0 and confidence."""

from __future__ import annotations

import numpy as np

from .config import SwiftF0Config

_SLACK = 1e-9  # of a logarithm: a limit that is a class's own pitch holds the class


def decode(
    scores: np.ndarray,
    voicing: np.ndarray,
    peaks: np.ndarray,
    band: tuple[float, float],
    config: SwiftF0Config,
) -> tuple[np.ndarray, np.ndarray]:
    """F0 and confidence of frames.

    F0 is the mean of the logarithms of the strongest class within the band and its neighbours,
    weighted by a softmax over the three. Confidence is the sigmoid of the logit, and 0 where the
    strongest class of all lies outside the band, or where the frame is digitally silent: the
    network answers that at random.

    Args:
        scores: shape (..., frames, classes).
        voicing: logits of shape (..., frames).
        peaks: the largest magnitude in each frame's own hop, shape (..., frames).
        band: lowest and highest F0, Hz, as `check_band` gives them.
        config: the classes' pitches, and what counts as silent.

    Returns:
        Both float64 of shape (..., frames): F0 in Hz, within the model's range, voiced or not; and
        confidence, 0 to 1.
    """
    classes = class_logs(config)
    low, high = np.log(band)
    inside = (classes >= low - _SLACK) & (classes <= high + _SLACK)
    allowed = np.where(inside, scores, -np.inf).astype(np.float64)
    best = np.argmax(allowed, axis=-1, keepdims=True)  # (..., T, 1)
    index = best + np.arange(-1, 2)  # (..., T, 3)
    there = np.clip(index, 0, config.n_classes - 1)
    three = np.where(index == there, np.take_along_axis(allowed, there, axis=-1), -np.inf)
    weight = np.exp(three - three[..., 1:2])  # the middle is the largest
    f0 = np.exp((weight * classes[there]).sum(axis=-1) / weight.sum(axis=-1))

    confidence = _sigmoid(voicing.astype(np.float64))
    heard = inside[np.argmax(scores, axis=-1)] & (peaks >= config.silence_peak)
    return f0, np.where(heard, confidence, 0.0)


def class_logs(config: SwiftF0Config) -> np.ndarray:
    """Logarithm of each pitch class in Hz, float64 (classes,)."""
    return np.linspace(np.log(config.class_min), np.log(config.class_max), config.n_classes)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(0.5 * x))


def check_threshold(threshold: float) -> None:
    """Refuse a threshold of confidence that nothing can be compared with.

    Raises:
        ValueError: it is not within 0 to 1.
    """
    if not 0.0 <= threshold <= 1.0:
        raise ValueError(f"the voicing threshold is {threshold}, expected 0 to 1")


def check_band(f0_min: float, f0_max: float, config: SwiftF0Config) -> tuple[float, float]:
    """The part of a band that the model covers.

    Raises:
        ValueError: it is empty, or so narrow that no pitch class need lie in it.
    """
    low, high = max(f0_min, config.class_min), min(f0_max, config.class_max)
    if not (f0_min < f0_max and high >= low * config.class_ratio * (1 - _SLACK)):
        raise ValueError(
            f"F0 is to lie within {f0_min} to {f0_max} Hz; expected a highest F0 at least"
            f" {config.class_ratio:.5f} times the lowest, within {config.class_min} to"
            f" {config.class_max} Hz"
        )
    return low, high
