"""Praat's autocorrelation method (`pm` in RVC), through praat-parselmouth.

    sound given to Praat   |-margin-|.......... clip ..........|-margin-|  [ ... click ]
    Praat's frames                  0   1   2   ...                             10 ms apart

Praat puts its frames in the middle of the sound: as many as fit with a whole window, three periods
of the lowest pitch, around each. With margins of half a window and a quarter of a hop (zeros) these
are exactly the frames at i * 10 ms. RVC centres what Praat gives for the bare clip among zeros
instead, which is up to 5 ms away from the true place, and has no F0 at all near the ends.

Source: Boersma 1993; RVC-WebUI, `infer/modules/vc/pipeline.py` (method pm).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Self

import numpy as np

from .blocks import Tracker, borders
from .clip_method import ClipMethod
from .grid import HOP, SAMPLE_RATE, frame_count
from .level import level

THRESHOLD = 0.6
"""Voicing threshold that RVC gives Praat, whose own is 0.45."""

_PERIODS = 3  # of the lowest pitch, in a window
_SILENCE = 100  # frames between a block and its click


class Praat(ClipMethod):
    """Praat's autocorrelation pitch: few octave errors on clean speech, nothing for noise."""

    offline = find_spec("parselmouth") is not None

    @classmethod
    def from_pretrained(cls, source: str | os.PathLike[str] | None = None) -> Self:
        """Make the method.

        Raises:
            ValueError: praat-parselmouth is not installed, or weights are given.
        """
        if find_spec("parselmouth") is None:
            raise ValueError(
                "the F0 method pm needs praat-parselmouth, which is not installed: "
                "pip install 'mlx-f0[praat]'"
            )
        return super().from_pretrained(source)

    def curve(
        self, clip: np.ndarray, threshold: float | None, f0_min: float, f0_max: float
    ) -> np.ndarray:
        """See `ClipMethod.curve`; the threshold is Praat's voicing threshold, 0 to 1."""
        return _pitch(clip, _checked(threshold), f0_min, f0_max)

    def tracker(
        self,
        read: Callable[[int, int], np.ndarray],
        samples: int,
        threshold: float | None,
        f0_min: float,
        f0_max: float,
    ) -> Tracker:
        """See `ClipMethod.tracker`: blocks are told how loud the whole recording is."""
        measured = {}
        if len(borders(frame_count(samples))) > 2:
            mean, peak = level(read, samples)
            measured = {"mean": mean, "peak": peak}
        pitch = partial(
            _pitch, threshold=_checked(threshold), f0_min=f0_min, f0_max=f0_max, **measured
        )
        return lambda clip, ends: pitch(clip)


def _checked(threshold: float | None) -> float:
    threshold = THRESHOLD if threshold is None else threshold
    if not 0 <= threshold <= 1:
        raise ValueError(f"the threshold is {threshold}; expected a number from 0 to 1")
    return threshold


def _pitch(
    clip: np.ndarray,
    threshold: float,
    f0_min: float,
    f0_max: float,
    mean: float = 0.0,
    peak: float | None = None,
) -> np.ndarray:
    """F0 (frames,) of audio (n,); mean and peak are those of the recording that it is a block of.

    Praat takes for silence what is 30 times weaker than the loudest sample it was given, so a block
    ends, after a second of silence, in a click as loud as the loudest sample of the recording.
    """
    import parselmouth

    frames = frame_count(len(clip))
    margin = int(_PERIODS * SAMPLE_RATE / f0_min / 2) + HOP // 4
    more = 0 if peak is None else _SILENCE
    sound = np.zeros((frames - 1 + more) * HOP + 2 * margin)
    inside = sound[margin : margin + len(clip)]
    inside[:] = clip[: len(inside)] - mean
    if peak is not None:
        sound[-margin - 1] = peak
    pitch = parselmouth.Sound(sound, SAMPLE_RATE).to_pitch_ac(
        time_step=HOP / SAMPLE_RATE,
        voicing_threshold=threshold,
        pitch_floor=f0_min,
        pitch_ceiling=f0_max,
    )
    return np.asarray(pitch.selected_array["frequency"])[:frames]
