"""Tiles of time: how a generator works through its levels piece by piece.

Level 0 has one step a frame, level i is what stage i makes of it, and the last level has the rate
of the audio. Work goes in tiles, so that a level's tile stays in the processor's cache and memory
does not grow with the length of the recording. A tile is computed with the margin that the layers
after it look at, and cut back; zero padding meets only the true ends. So tiling changes nothing but
the rounding of sums.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from mlx import nn

from mlx_fastops import Conv1d, leaky_relu, tanh

from .arrays import Array
from .config import SynthConfig

EDGE = 3  # padding of the first and the last convolution, 7 wide
CPU_TILE = 1 << 20  # numbers in one tile: 4 MiB
DEVICE_TILE = 72 << 20  # on Metal and CUDA only memory counts: 46 s at 48 kHz, 288 MiB


class Tiled(nn.Module):
    """The levels of a generator; a vocoder says what a stage computes and what it looks at."""

    conv_post: Conv1d
    last_slope: float  # of the leaky ReLU before conv_post
    radius: int  # how many steps on either side a stage looks at, after its upsampling

    def __init__(self, config: SynthConfig):
        super().__init__()
        self.rates = config.upsample_rates
        self.widths = (config.upsample_initial_channel, *config.channels)
        self.per_level = tuple(math.prod(self.rates[i:]) for i in range(len(self.rates) + 1))
        self.n_blocks = len(config.resblock_kernel_sizes)

    def stage(
        self, level: int, x: Array, offset: int, source: Any, low: int, high: int, frames: int
    ) -> Array:
        """Steps `low` to `high` of a level (B, high − low, width) from level − 1 at `offset`."""
        raise NotImplementedError

    def inputs(self, level: int, low: int, high: int, frames: int) -> tuple[int, int]:
        """The steps of level − 1 that reach steps `low` to `high` through the upsampling."""
        raise NotImplementedError

    def render(
        self,
        level: int,
        x: Array,
        offset: int,
        source: Any,
        start: int,
        stop: int,
        frames: int,
        tile: int,
    ) -> list[Array]:
        """Pieces of the audio from sample `start` to `stop`, given level − 1 from step `offset`.

        `source` is whatever `stage` takes for one.
        """
        if level == len(self.rates) + 1:
            audio = tanh(self.conv_post(leaky_relu(x, self.last_slope)))  # (B, N, 1)
            return [audio[:, start - offset : stop - offset]]
        pieces = []
        for a, b in spans(start, stop, self.step(level, tile)):
            low, high = self.needed(level, a, b, frames)
            y = self.stage(level, x, offset, source, low, high, frames)
            pieces += self.render(level + 1, y, low, source, a, b, frames, tile)
        return pieces

    def step(self, level: int, tile: int) -> int:
        """Length in samples of the pieces that a level is computed in."""
        steps = max(tile // self.widths[level], 1)
        return steps * self.per_level[level]

    def length(self, level: int, frames: int) -> int:
        """How many steps a level has in all."""
        return frames * self.per_level[0] // self.per_level[level]

    def widen(self, level: int, low: int, high: int, frames: int) -> tuple[int, int]:
        """The steps of a level that its own layers look at."""
        return max(0, low - self.radius), min(self.length(level, frames), high + self.radius)

    def reach(self, start: int, stop: int, frames: int) -> tuple[int, int]:
        """The frames of the latent that the audio from sample `start` to `stop` depends on."""
        low, high = self.needed(0, start, stop, frames)
        return max(0, low - EDGE), min(frames, high + EDGE)

    def needed(self, level: int, start: int, stop: int, frames: int) -> tuple[int, int]:
        """The steps of a level that the audio from sample `start` to `stop` depends on."""
        low, high = max(0, start - EDGE), min(frames * self.per_level[0], stop + EDGE)
        for above in range(len(self.rates), level, -1):
            low, high = self.inputs(above, *self.widen(above, low, high, frames), frames)
        return low, high


def spans(start: int, stop: int, step: int) -> Iterator[tuple[int, int]]:
    """`start` to `stop` in equal spans of at most `step`."""
    count = max(1, math.ceil((stop - start) / step))
    bounds = [start + (stop - start) * i // count for i in range(count + 1)]
    yield from pairwise(bounds)


def part(x: Array, low: int, high: int) -> tuple[Array, int]:
    """Steps `low` to `high` of `x` (B, T, C) as far as they exist, and where that begins."""
    low = max(0, low)
    return x[:, low : max(low, min(high, x.shape[1]))], low
