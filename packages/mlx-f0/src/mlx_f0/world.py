"""WORLD's two estimators, as RVC uses them: harvest and dio, both refined by stonemask.

Source: Morise 2017 (Harvest), 2009 (DIO); RVC-WebUI, `infer/modules/vc/pipeline.py`.
"""

from __future__ import annotations

import numpy as np

from .clip_method import ClipMethod
from .recording import HOP, SAMPLE_RATE, frame_count

_SHORTEST = SAMPLE_RATE // 10
"""Samples that WORLD gets at least; zeros follow what is shorter."""


class Harvest(ClipMethod):
    """WORLD's harvest, refined by stonemask, then a median over 3 frames, as in RVC-WebUI.

    Slow and thorough; it calls nearly everything voiced, and may take a low, creaky voice for its
    octave.
    """

    default_filter_radius = 3

    def curve(
        self, clip: np.ndarray, threshold: float | None, f0_min: float, f0_max: float
    ) -> np.ndarray:
        """See `ClipMethod.curve`."""
        return _refined("harvest", clip, threshold, f0_min, f0_max)


class Dio(ClipMethod):
    """WORLD's dio, refined by stonemask: faster than harvest, more voicing errors."""

    def curve(
        self, clip: np.ndarray, threshold: float | None, f0_min: float, f0_max: float
    ) -> np.ndarray:
        """See `ClipMethod.curve`."""
        return _refined("dio", clip, threshold, f0_min, f0_max)


def _refined(
    name: str, clip: np.ndarray, threshold: float | None, f0_min: float, f0_max: float
) -> np.ndarray:
    import pyworld

    if threshold is not None:
        raise ValueError(f"the threshold is {threshold}, but {name} has none; leave it out")
    audio = np.pad(clip, (0, max(_SHORTEST - len(clip), 0)))
    estimate = getattr(pyworld, name)
    rough, times = estimate(
        audio, SAMPLE_RATE, f0_floor=f0_min, f0_ceil=f0_max, frame_period=1000 * HOP / SAMPLE_RATE
    )
    return pyworld.stonemask(audio, rough, times, SAMPLE_RATE)[: frame_count(len(clip))]
