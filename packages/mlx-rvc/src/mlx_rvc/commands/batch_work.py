"""The work of a batch, wherever it is done, and what is shown of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlx_rvc.commands.convert import remarks, stage_line, summary
from mlx_rvc.commands.options import VoiceFiles
from mlx_rvc.options import ConversionOptions
from mlx_rvc_cli.console import Progress

if TYPE_CHECKING:
    from mlx_rvc.batch import Convert, Item, Outcome
    from mlx_rvc.pipeline import RVCPipeline

_NAMES = 3  # of recordings in work, on the line of the bar


@dataclass(frozen=True)
class Work:
    """Converts recordings alike; tells the share that is done, and lines to be said."""

    voice: VoiceFiles
    options: ConversionOptions
    bit_depth: int | None
    keep_tags: bool
    verbose: bool

    def __call__(self, tell: Callable[[float | str], None]) -> "Convert":
        """Load the voice, in a process of its own."""
        return self.with_voice(self.voice.load(), tell)

    def with_voice(self, pipeline: "RVCPipeline", tell: Callable[[float | str], None]) -> "Convert":
        """Take a voice that is loaded."""

        def convert(source: Path, output: Path) -> Mapping[str, Any]:
            tell(0.0)
            result = pipeline.convert(
                input_path=source,
                output_path=output,
                options=self.options,
                bit_depth=self.bit_depth,
                keep_tags=self.keep_tags,
                on_stage=(lambda *end: tell(stage_line(*end))) if self.verbose else None,
                progress=tell,
            )
            return summary(result)

        return convert


class Shown:
    """What a batch says on the way: each recording in work, and the time left for all of them."""

    def __init__(self, bar: Progress, durations: "Mapping[Item, float]", jobs: int) -> None:
        self._bar = bar
        self._durations = durations
        self._jobs = jobs
        self._ended = 0
        self._seconds = 0.0  # of recordings that have ended
        self._shares: dict[Item, float] = {}

    def hear(self, item: "Item", said: float | str) -> None:
        """Take what the work tells of an item: the share that is done, or a line."""
        if isinstance(said, str):
            self._bar.note(said if self._jobs == 1 else f"{item.target}: {said}")
            return
        new = item not in self._shares
        self._shares[item] = said
        if new or self._jobs > 1:
            self._bar.describe(self._in_work())
        self._update()

    def ended(self, outcome: "Outcome") -> None:
        """Say how an item has ended."""
        self._ended += 1
        self._seconds += self._durations[outcome.item]
        self._shares.pop(outcome.item, None)
        self._update()
        self._bar.note(_line(outcome, self._ended, len(self._durations)))

    def _update(self) -> None:
        begun = sum(share * self._durations[item] for item, share in self._shares.items())
        self._bar.update(self._seconds + begun)

    def _in_work(self) -> str:
        total = len(self._durations)
        if self._jobs == 1:
            (item,) = self._shares
            return f"{self._ended + 1}/{total} {item.source.name}"
        shown = [
            f"{item.source.name} {share:.0%}" for item, share in list(self._shares.items())[:_NAMES]
        ]
        more = len(self._shares) - len(shown)
        return ", ".join([f"{self._ended}/{total} ended", *shown, *([f"{more} more"] * bool(more))])


def _line(outcome: "Outcome", place: int, total: int) -> str:
    text = f"{place}/{total} {outcome.item.target}: {outcome.status.value}"
    if outcome.note:
        return f"{text}: {outcome.note}"
    made = outcome.summary or {}
    text += (
        f", {made['duration_s']:.1f} s in {made['elapsed_s']:.1f} s "
        f"({made['real_time_factor']:.2f} of real time)"
    )
    return "; ".join([text, *remarks(made)])
