"""How a method is asked, and what is done to its curve: the same for every method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .clip_method import MEDIAN_FRAMES
from .curve import HIGHEST_HZ, LOWEST_HZ, check_range, fill_unvoiced, median
from .grid import SAMPLE_RATE, frame_count
from .methods import F0Method, Progress

UNVOICED = ("zero", "interp")


@dataclass(frozen=True)
class F0Settings:
    """Settings that every method understands; what is None is left to the method.

    Attributes:
        threshold: what a frame must exceed to be voiced, in the method's own measure.
        f0_min: lowest F0 to look for, Hz.
        f0_max: highest, Hz.
        filter_radius: above 2, a median over 3 frames, otherwise none. In RVC it is a switch too,
            for harvest alone, and 3 unless set: so it is here where nothing is said.
        unvoiced: "zero" leaves unvoiced frames 0, "interp" fills them (`fill_unvoiced`).

    Raises:
        ValueError: a range or a filter that cannot be, or another word for `unvoiced`.
    """

    threshold: float | None = None
    f0_min: float | None = None
    f0_max: float | None = None
    filter_radius: int | None = None
    unvoiced: str = "zero"

    def __post_init__(self) -> None:
        low = LOWEST_HZ if self.f0_min is None else self.f0_min
        high = HIGHEST_HZ if self.f0_max is None else self.f0_max
        check_range(low, high)
        if self.filter_radius is not None and not 0 <= self.filter_radius <= 100:
            raise ValueError(f"filter radius is {self.filter_radius}; it must lie in 0 to 100")
        if self.unvoiced not in UNVOICED:
            raise ValueError(f"unvoiced is {self.unvoiced!r}; choose one of {', '.join(UNVOICED)}")

    def from_audio(
        self,
        method: F0Method,
        audio: np.ndarray,
        sample_rate: float = SAMPLE_RATE,
        progress: Progress | None = None,
    ) -> np.ndarray:
        """F0 (frames,) or (B, frames) by a method; see `F0Method.infer_from_audio`."""
        asked = self._asked(method)
        return self._finished(
            method, method.infer_from_audio(audio, sample_rate, progress=progress, **asked)
        )

    def from_reader(
        self,
        method: F0Method,
        read: Callable[[int, int], np.ndarray],
        samples: int,
        progress: Progress | None = None,
    ) -> np.ndarray:
        """F0 (frames,) by a method; see `F0Method.infer_from_reader`.

        Raises:
            ValueError: what the method raises, or a curve that is not on the grid.
        """
        f0 = method.infer_from_reader(read, samples, progress=progress, **self._asked(method))
        if np.shape(f0) != (frame_count(samples),):
            raise ValueError(
                f"the F0 method {type(method).__name__} gave a curve of shape {np.shape(f0)}; "
                f"expected ({frame_count(samples)},) for {samples} samples"
            )
        return self._finished(method, f0)

    def _asked(self, method: F0Method) -> dict[str, Any]:
        """Keywords for the method: what is set, and what it can do itself."""
        wanted = {"threshold": self.threshold, "f0_min": self.f0_min, "f0_max": self.f0_max}
        if getattr(method, "takes_filter_radius", False):
            wanted["filter_radius"] = self.filter_radius
        return {name: value for name, value in wanted.items() if value is not None}

    def _finished(self, method: F0Method, f0: np.ndarray) -> np.ndarray:
        f0 = np.asarray(f0, np.float32)
        if (self.filter_radius or 0) > 2 and not getattr(method, "takes_filter_radius", False):
            f0 = median(f0, MEDIAN_FRAMES)
        if self.unvoiced == "interp":
            f0 = np.apply_along_axis(fill_unvoiced, -1, f0)
        return f0
