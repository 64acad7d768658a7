"""What is left to write for a method that turns a clip into a curve: that alone."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import ClassVar, Self

import numpy as np

from mlx_recording import Recording, prepare

from .blocks import Tracker, joined
from .curve import check_range, median
from .grid import SAMPLE_RATE, frame_count
from .methods import Progress

MEDIAN_FRAMES = 3
"""Frames of the median that `filter_radius` switches on."""


class ClipMethod:
    """An F0 method made of one function over a clip; a subclass writes `curve`.

    Audio of any rate, batches, readers and long recordings (`mlx_f0.blocks`) are taken care of.

    Attributes:
        offline: the method fetches nothing.
        takes_filter_radius: the functions take `filter_radius` (see `F0Settings`).
        default_filter_radius: what it is where the caller says nothing.
    """

    offline: ClassVar[bool] = True
    takes_filter_radius: ClassVar[bool] = True
    default_filter_radius: ClassVar[int] = 0

    @classmethod
    def from_pretrained(cls, source: str | os.PathLike[str] | None = None) -> Self:
        """Make the method; there are no weights.

        Raises:
            ValueError: weights are given.
        """
        if source is not None:
            raise ValueError(f"{cls.__name__} has no weights, but {source} is given; leave it out")
        return cls()

    def curve(
        self, clip: np.ndarray, threshold: float | None, f0_min: float, f0_max: float
    ) -> np.ndarray:
        """Audio, float64 (n,) at 16 kHz, to F0 in Hz (n // 160 + 1,), frame i at i * 10 ms.

        Raises:
            ValueError: a threshold that the method cannot take; None is its own.
        """
        raise NotImplementedError

    def tracker(
        self,
        read: Callable[[int, int], np.ndarray],
        samples: int,
        threshold: float | None,
        f0_min: float,
        f0_max: float,
    ) -> Tracker:
        """The function for the blocks of one recording; here `curve`, which needs no more."""
        return lambda clip, ends: self.curve(clip, threshold, f0_min, f0_max)

    def infer_from_audio(
        self,
        audio: np.ndarray,
        sample_rate: float = SAMPLE_RATE,
        threshold: float | None = None,
        *,
        f0_min: float = 50.0,
        f0_max: float = 1100.0,
        filter_radius: int | None = None,
        progress: Progress | None = None,
    ) -> np.ndarray:
        """F0 of a recording of any length.

        Args:
            audio: mono floats within ±1, shape (n,) or a batch (B, n), n >= 1.
            sample_rate: of the audio, Hz; other rates than 16 kHz are resampled (soxr HQ).
            threshold: the method's own where None.
            f0_min: lowest F0 to look for, Hz.
            f0_max: highest, Hz.
            filter_radius: above 2, a median over 3 frames; None is the method's own.
            progress: called with (frames done, frames in all) after each block.

        Returns:
            float32 of shape (frames,) or (B, frames): Hz, 0 = unvoiced. Frame i is centred on
            second i / 100; there are n // 160 + 1 at 16 kHz.

        Raises:
            ValueError: bad audio, rate, threshold or range; says found and expected.
        """
        clips, single = prepare(audio, sample_rate, SAMPLE_RATE, np.float64)
        frames = frame_count(clips.shape[1])
        rows = []
        for number, clip in enumerate(clips):
            told = progress and partial(_told, progress, number * frames, len(clips) * frames)
            rows.append(
                self.infer_from_reader(
                    lambda start, stop, clip=clip: clip[start:stop],
                    len(clip),
                    threshold,
                    f0_min=f0_min,
                    f0_max=f0_max,
                    filter_radius=filter_radius,
                    progress=told,
                )
            )
        return rows[0] if single else np.stack(rows)

    def infer_from_reader(
        self,
        read: Callable[[int, int], np.ndarray],
        samples: int,
        threshold: float | None = None,
        *,
        f0_min: float = 50.0,
        f0_max: float = 1100.0,
        filter_radius: int | None = None,
        progress: Progress | None = None,
    ) -> np.ndarray:
        """F0 of a recording that need not be in memory; the same numbers.

        Args:
            read: called with (start, stop), 0 <= start < stop <= samples, gives mono floats of
                shape (stop - start,) at 16 kHz, at most 50 s of them.
            samples: length of the recording, at least 1.
            threshold: this and the rest as for `infer_from_audio`.
            f0_min: likewise.
            f0_max: likewise.
            filter_radius: likewise.
            progress: likewise.

        Returns:
            float32 of shape (frames,), as `infer_from_audio` gives it.

        Raises:
            ValueError: as `infer_from_audio` does, for what is read.
        """
        check_range(f0_min, f0_max)
        clips = Recording.checked(read, samples, np.float64)

        def stretch(start: int, stop: int) -> np.ndarray:
            return clips.read(start, stop)[0]

        tracker = self.tracker(stretch, samples, threshold, f0_min, f0_max)
        f0 = joined(tracker, stretch, samples, progress)
        radius = self.default_filter_radius if filter_radius is None else filter_radius
        # In the reference too, the radius is a switch, whatever its value.
        return (median(f0, MEDIAN_FRAMES) if radius > 2 else f0).astype(np.float32)

    def warmup(self) -> None:
        """Do now what the first call would otherwise wait for: imports."""
        self.infer_from_audio(np.zeros(SAMPLE_RATE, np.float32))


def _told(progress: Progress, before: int, total: int, done: int, _: int) -> None:
    progress(before + done, total)
