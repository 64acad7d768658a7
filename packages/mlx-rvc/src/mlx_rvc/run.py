"""What all steps of one conversion share, and what is left of it at its end."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mlx_rvc.options import ConversionOptions

if TYPE_CHECKING:
    from mlx_rvc_synth import Noise

Progress = Callable[[float], None]
"""Called with the share of the work that is done, 0 to 1."""

NoiseSource = Callable[[int, int], "Noise"]
"""Number of the chunk and its frames -> the voice model's noise, for exact comparisons."""


@dataclass(frozen=True)
class Run:
    """One conversion under way: its settings, whom to tell, and what it found.

    seconds: spent, by stage. f0_outside: see `Conversion`, one number for each curve.
    """

    options: ConversionOptions
    progress: Progress | None = None
    noise: NoiseSource | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    f0_outside: list[int] = field(default_factory=list)

    def report(self, done: float) -> None:
        """Tell the caller which share of the work is done."""
        if self.progress is not None:
            self.progress(done)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the time of a `with` block to a stage."""
        start = time.perf_counter()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start


@dataclass(frozen=True)
class Conversion:
    """What a file conversion did: durations and times in seconds, rates in Hz.

    f0_outside: frames, of 10 ms, whose pitch lies outside the 50 to 1100 Hz that RVC voices tell
        apart; they are sung, but coloured as the nearest pitch inside.
    notes: what is otherwise than was asked for (the sample rate, tags), in words for the user.
    """

    output_path: Path
    duration: float
    sample_rate: int
    seconds: float
    stages: dict[str, float]
    f0_outside: int = 0
    notes: tuple[str, ...] = ()

    @property
    def real_time_factor(self) -> float:
        """Seconds of work for a second of audio, model loading left out; 0 without audio."""
        return self.seconds / self.duration if self.duration else 0.0
