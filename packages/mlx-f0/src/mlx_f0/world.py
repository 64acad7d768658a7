"""WORLD's two estimators, as RVC uses them: harvest and dio, both refined by stonemask.

Both take the mean from what they are given, and hear in quiet frames what is left of it. So each
block of a long recording is given the mean of the whole, by a slow swell far from what is kept:

    block inside the recording    [.... block ....|___ silence ___/ swell \\]
    block at its end              [/ swell \\___ silence ___|.... block ....]

Source: Morise 2017 (Harvest), 2009 (DIO); RVC-WebUI, `infer/modules/vc/pipeline.py`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .blocks import Tracker, borders
from .clip_method import ClipMethod
from .grid import HOP, SAMPLE_RATE, frame_count
from .level import level

_SHORTEST = SAMPLE_RATE // 10
"""Samples that WORLD gets at least; zeros follow what is shorter."""

_SWELL = np.concatenate([np.zeros(SAMPLE_RATE // 2), np.hanning(2 * SAMPLE_RATE)])
"""Half a second of silence and two of a swell, which has nothing above a few Hz."""


class _World(ClipMethod):
    """What the two have in common."""

    estimator = ""

    def curve(
        self, clip: np.ndarray, threshold: float | None, f0_min: float, f0_max: float
    ) -> np.ndarray:
        """See `ClipMethod.curve`; there is no threshold."""
        import pyworld

        if threshold is not None:
            raise ValueError(
                f"the threshold is {threshold}, but {self.estimator} has none; leave it out"
            )
        audio = np.pad(clip, (0, max(_SHORTEST - len(clip), 0)))
        rough, times = getattr(pyworld, self.estimator)(
            audio,
            SAMPLE_RATE,
            f0_floor=f0_min,
            f0_ceil=f0_max,
            frame_period=1000 * HOP / SAMPLE_RATE,
        )
        return pyworld.stonemask(audio, rough, times, SAMPLE_RATE)[: frame_count(len(clip))]

    def tracker(
        self,
        read: Callable[[int, int], np.ndarray],
        samples: int,
        threshold: float | None,
        f0_min: float,
        f0_max: float,
    ) -> Tracker:
        """See `ClipMethod.tracker`: blocks get the mean of the whole recording."""
        if len(borders(frame_count(samples))) == 2:
            return super().tracker(read, samples, threshold, f0_min, f0_max)
        mean, _ = level(read, samples)

        def curve(clip: np.ndarray, ends: bool) -> np.ndarray:
            frames = frame_count(len(clip))
            f0 = self.curve(balanced(clip, mean, before=ends), threshold, f0_min, f0_max)
            return f0[len(_SWELL) // HOP :][:frames] if ends else f0[:frames]

        return curve


class Harvest(_World):
    """WORLD's harvest, refined by stonemask, then a median over 3 frames, as in RVC-WebUI.

    Slow and thorough; it calls nearly everything voiced, and may take a low, creaky voice for its
    octave.
    """

    estimator = "harvest"
    default_filter_radius = 3


class Dio(_World):
    """WORLD's dio, refined by stonemask: faster than harvest, more voicing errors."""

    estimator = "dio"


def balanced(clip: np.ndarray, mean: float, *, before: bool) -> np.ndarray:
    """Audio (n,) with a swell before or after it that brings the whole to a mean."""
    missing = mean * (len(clip) + len(_SWELL)) - clip.sum()
    swell = _SWELL * (missing / _SWELL.sum())
    return np.concatenate([swell[::-1], clip] if before else [clip, swell])
