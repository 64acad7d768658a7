"""What all steps of one conversion share, and what is left of it at its end."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mlx_rvc.options import ConversionOptions

if TYPE_CHECKING:
    from mlx_rvc.f0 import Curve
    from mlx_rvc_synth import Noise

Progress = Callable[[float], None]
"""Called with the share of the work that is done, 0 to 1; raises `Cancelled` to end it."""

StageEnd = Callable[[str, float], None]
"""Called with the name of a stage and the seconds it took, whenever one has ended."""

NoiseSource = Callable[[int, int], "Noise"]
"""Number of the chunk and its frames -> the voice model's noise, for exact comparisons."""


class Cancelled(Exception):  # noqa: N818 (what happened is no error)
    """A conversion that was ended from outside; it leaves no file behind."""


@dataclass
class Run:
    """One conversion under way: its settings, whom to tell, and what it found.

    cancel: an event that ends it. seconds: spent, by stage. curves: the F0 of the recording, once
    it is known, for a voice with F0. silence_s: seconds that were not converted.
    index_closeness: of the first chunks (`index_fit`).
    """

    options: ConversionOptions
    progress: Progress | None = None
    noise: NoiseSource | None = None
    cancel: threading.Event | None = None
    on_stage: StageEnd | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    curves: "list[Curve]" = field(default_factory=list)
    silence_s: float = 0.0
    index_closeness: list[float] = field(default_factory=list)

    def check(self) -> None:
        """Raise `Cancelled` when the conversion is to end."""
        if self.cancel is not None and self.cancel.is_set():
            raise Cancelled("the conversion was cancelled")

    def report(self, done: float) -> None:
        """Tell the caller which share of the work is done."""
        self.check()
        if self.progress is not None:
            self.progress(done)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the time of a `with` block to a stage."""
        self.check()
        start = time.perf_counter()
        yield
        spent = time.perf_counter() - start
        self.seconds[stage] = self.seconds.get(stage, 0.0) + spent
        if self.on_stage is not None:
            self.on_stage(stage, spent)


@dataclass(frozen=True)
class Conversion:
    """What a file conversion did: durations and times in seconds, rates in Hz.

    f0_outside: frames, of 10 ms, whose pitch lies outside the 50 to 1100 Hz that RVC voices tell
        apart; they are sung, but coloured as the nearest pitch inside.
    notes: what is otherwise than was asked for (the sample rate, tags), in words for the user.
    speaker: number of the voice's speaker.
    auto_shift: semitones by which auto pitch shifted F0, None where it was not asked for.
    silence_s: seconds of silence that were not converted.
    """

    output_path: Path
    duration: float
    sample_rate: int
    seconds: float
    stages: dict[str, float]
    f0_outside: int = 0
    notes: tuple[str, ...] = ()
    speaker: int = 0
    auto_shift: float | None = None
    silence_s: float = 0.0

    @property
    def real_time_factor(self) -> float:
        """Seconds of work for a second of audio, model loading left out; 0 without audio."""
        return self.seconds / self.duration if self.duration else 0.0
