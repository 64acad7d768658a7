"""Where a conversion goes: a file, checked before any work, at a rate that its format can hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from mlx_rvc.stereo import Placed
    from mlx_rvc.track import Track
    from mlx_rvc_cli.tags import Tags


@dataclass(frozen=True)
class Output:
    """An audio file to be written, "-" for standard output.

    bit_depth: 16, 24 or 32 (float) where the format has a choice; None is its usual one.
    keep_tags: write what the input says about itself (title, artist, album, cover).
    """

    path: Path
    bit_depth: int | None = None
    keep_tags: bool = False

    def check(self, sample_rate: int | None = None) -> None:
        """Raise ValueError for what cannot be written; the rate in Hz when it is known."""
        from mlx_rvc_cli.audio import check_output

        check_output(self.path, sample_rate, bit_depth=self.bit_depth, tags=self.keep_tags)

    def rate(self, wanted: int) -> int:
        """The sample rate in Hz, nearest to the one wanted, that the format can hold."""
        from mlx_rvc_cli.audio import output_rate

        return output_rate(self.path, wanted)

    def write(
        self,
        audio: Track | Placed,
        sample_rate: int,
        tags: Tags | None,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        """Write audio, (samples,) or placed, at a rate that `rate` gave.

        check: called before each block; what it raises ends the writing, and nothing is left.
        """
        from mlx_rvc_cli.audio import write_blocks

        def read(start: int, stop: int) -> np.ndarray:
            check()
            return audio[start:stop]

        write_blocks(
            self.path,
            read,
            len(audio),
            sample_rate,
            channels=audio.channels,
            bit_depth=self.bit_depth,
            tags=tags,
        )

    def notes(self, wanted: int, tags: Tags | None) -> tuple[str, ...]:
        """What is otherwise than was asked for, in words for the user."""
        said = []
        rate = self.rate(wanted)
        if rate != wanted:
            said.append(f"{self.path.suffix} holds no {wanted} Hz: written at {rate} Hz")
        if self.keep_tags and not tags:
            said.append("the input has no tags to keep")
        if tags is not None and tags.left_out:
            said.append(f"its cover is not kept: {tags.left_out}, where JPEG or PNG is expected")
        return tuple(said)
