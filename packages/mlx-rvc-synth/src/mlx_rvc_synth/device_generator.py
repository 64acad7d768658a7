"""The generator on a GPU: long tiles, each one compiled function of its latent and source.

On a CPU `Generator` cuts every level into tiles of its own, to stay in the cache. A GPU wants the
opposite: few large steps whose shapes repeat. Here a tile is computed as if it were the whole
recording, from a stretch of the latent as wide as the tile's audio depends on (`Generator.reach`),
and what lies beyond the tile is cut off:

    latent   ........[ halo |     tile     | halo ]........
    audio                   [     kept     ]

Its length is rounded up to a bucket. Frames beyond the recording's end are zeros at every level
before any layer that looks to the side, as the layer's own padding would be.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import mlx.core as mx

from mlx_fastops import Bucketed, Conv1d, bucket, leaky_relu, tanh

from .resblock import SLOPE

if TYPE_CHECKING:
    from .generator import Generator
    from .tiling import Tiled

LAST_SLOPE = 0.01  # before conv_post: torch's default slope, not SLOPE


class DeviceGenerator:
    """Runs a `Generator`'s layers on MLX arrays, compiled once per bucket of tile lengths."""

    def __init__(self, generator: Generator):
        self.generator = generator
        self.compiled = {
            True: Bucketed(self._with_source, generator, timed=2),
            False: Bucketed(self._tile, generator),
        }

    def __call__(self, z: mx.array, g: mx.array, source: mx.array | None, tile: int) -> mx.array:
        """Latent `z` (B, T, inter), speaker `g` (B, 1, gin), `source` (B, T·hop, 1) -> (B, T·hop).

        `tile` is how many numbers a level of a tile may hold.
        """
        dec = self.generator
        frames, hop = z.shape[1], dec.per_level[0]
        pieces = []
        for start, stop in self._spans(frames, tile):
            low, high = dec.reach(start * hop, stop * hop, frames)
            arrays = [z[:, low:high]]
            if source is not None:
                arrays.append(source[:, low * hop : high * hop])
            audio = self.compiled[source is not None](*arrays, g)  # (B, (high − low)·hop)
            pieces.append(audio[:, (start - low) * hop : (stop - low) * hop])
        return pieces[0] if len(pieces) == 1 else mx.concatenate(pieces, axis=1)

    def _spans(self, frames: int, tile: int) -> list[tuple[int, int]]:
        """Frames in spans of which each, with its halo, is a tile."""
        dec = self.generator
        numbers = max(
            dec.per_level[0] // per_step * width
            for per_step, width in zip(dec.per_level, dec.widths, strict=True)
        )
        return tiles(dec, frames, tile // numbers)

    def _with_source(self, mask: mx.array, z: mx.array, source: mx.array, g: mx.array) -> mx.array:
        return self._tile(mask, z, g, source)

    def _tile(
        self, mask: mx.array, z: mx.array, g: mx.array, source: mx.array | None = None
    ) -> mx.array:
        """One tile as if it were all: `mask` (T,), z (B, T, inter) -> (B, T·hop)."""
        dec = self.generator
        real = mask[:, None].astype(z.dtype)  # (T, 1), at each level as long as that
        x = dec.conv_pre(z * real) + dec.cond(g)  # (B, T, initial)
        for stage in range(len(dec.rates)):
            up, blocks = dec.upsampling(stage), dec.residuals(stage)
            x = up(leaky_relu(x, SLOPE) * real)
            real = mx.repeat(real, dec.rates[stage], axis=0)
            if source is not None:
                x = x + dec.excite(stage, source, 0, x.shape[1])
            total = residual(blocks[0], x, real)
            for block in blocks[1:]:
                total = total + residual(block, x, real)
            x = total * (1.0 / dec.n_blocks)
        return tanh(dec.conv_post(leaky_relu(x, LAST_SLOPE) * real))[..., 0]


def tiles(dec: Tiled, frames: int, room: int) -> list[tuple[int, int]]:
    """Frames in equal spans; with its halo, a span fills a bucket that `room` frames hold."""
    room = max(bucket(1), room)
    while bucket(room) > room:  # down to the size of a bucket
        room -= 1
    middle = frames * dec.per_level[0] // 2
    low, high = dec.reach(middle, middle + 1, frames)
    size = frames if frames <= room else max(1, room - (high - low))
    count = -(-frames // size)
    bounds = [frames * i // count for i in range(count + 1)]
    return list(pairwise(bounds))


def residual(block: Any, x: mx.array, real: mx.array) -> mx.array:
    """A residual block's layers, with zeros outside the real steps before each convolution."""
    for convs in block.steps():
        y = x
        for conv in convs:
            y = Conv1d.__call__(conv, leaky_relu(y, conv.slope) * real)
        x = x + y
    return x
