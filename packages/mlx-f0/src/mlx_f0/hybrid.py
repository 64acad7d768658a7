"""Several methods at once: what most of them hear, and the middle of what they say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar

import numpy as np

from .grid import SAMPLE_RATE
from .methods import F0Method, Progress
from .settings import F0Settings


def combine(curves: np.ndarray) -> np.ndarray:
    """Join curves (methods, ..., frames) to one (..., frames), frame by frame.

    A frame is voiced if at least half of the methods say so; its F0 is then the median of what
    those say (of two, their mean: methods that differ by an octave give neither's note).
    """
    curves = np.asarray(curves, np.float32)
    count = (curves > 0).sum(axis=0)
    voiced = (2 * count >= len(curves)) & (count > 0)
    # Unvoiced values sort to the end; the middle is counted among the voiced ones.
    ordered = np.sort(np.where(curves > 0, curves, np.inf), axis=0)
    low = np.take_along_axis(ordered, np.maximum(count - 1, 0)[None] // 2, axis=0)[0]
    high = np.take_along_axis(ordered, (count // 2)[None].clip(max=len(curves) - 1), axis=0)[0]
    return np.where(voiced, (low + high) / 2, 0).astype(np.float32)


class Hybrid:
    """An F0 method made of others; see `combine`.

    Attributes:
        methods: the parts, two or more.
    """

    takes_filter_radius: ClassVar[bool] = True

    def __init__(self, methods: Sequence[F0Method]) -> None:
        """Take methods that are loaded.

        Raises:
            ValueError: fewer than two.
        """
        if len(methods) < 2:
            raise ValueError(f"a hybrid of {len(methods)} F0 methods; expected two or more")
        self.methods = list(methods)

    def infer_from_audio(
        self,
        audio: np.ndarray,
        sample_rate: float = SAMPLE_RATE,
        threshold: None = None,
        *,
        f0_min: float | None = None,
        f0_max: float | None = None,
        filter_radius: int | None = None,
        progress: Progress | None = None,
    ) -> np.ndarray:
        """F0 (frames,) or (B, frames); see `F0Method`. Each part keeps its own defaults.

        Raises:
            ValueError: a threshold (each method measures another thing), or what a part refuses.
        """
        settings = _settings(threshold, f0_min, f0_max, filter_radius)
        return self._joined(
            lambda method, told: settings.from_audio(method, audio, sample_rate, told), progress
        )

    def infer_from_reader(
        self,
        read: Callable[[int, int], np.ndarray],
        samples: int,
        threshold: None = None,
        *,
        f0_min: float | None = None,
        f0_max: float | None = None,
        filter_radius: int | None = None,
        progress: Progress | None = None,
    ) -> np.ndarray:
        """F0 (frames,) of a recording at 16 kHz, which is read once for each part.

        Raises:
            ValueError: as for `infer_from_audio`.
        """
        settings = _settings(threshold, f0_min, f0_max, filter_radius)
        return self._joined(
            lambda method, told: settings.from_reader(method, read, samples, told), progress
        )

    def warmup(self) -> None:
        """Warm each part up."""
        for method in self.methods:
            method.warmup()

    def _joined(
        self,
        infer: Callable[[F0Method, Progress | None], np.ndarray],
        progress: Progress | None,
    ) -> np.ndarray:
        curves = []
        for number, method in enumerate(self.methods):
            told = progress and partial(_told, progress, number, len(self.methods))
            curves.append(infer(method, told))
        return combine(np.stack(curves))


def _settings(
    threshold: object, f0_min: float | None, f0_max: float | None, filter_radius: int | None
) -> F0Settings:
    if threshold is not None:
        raise ValueError(
            f"the threshold is {threshold}, but the methods of a hybrid measure different things; "
            f"leave it out"
        )
    return F0Settings(f0_min=f0_min, f0_max=f0_max, filter_radius=filter_radius)


def _told(progress: Progress, number: int, methods: int, done: int, total: int) -> None:
    """Frames of all parts together."""
    progress(number * total + done, methods * total)
