"""RefineGAN on a GPU: long tiles, the source and the stages of each compiled.

As in `device_generator`, a tile is computed as if it were the whole recording, from as much of the
latent and of the source as its audio depends on. The source, whose filters look ninety frames far,
is brought down by a function of its own over a longer stretch:

    source  ...[ halo of the filters  [ halo |    tile    | halo ]                      ]...
    latent  ..........................[ halo |    tile    | halo ]..........................
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import mlx.core as mx

from mlx_fastops import Bucketed, Conv1d, leaky_relu, tanh

from .decimation import decimate
from .decimation import radius as decimation_radius
from .device_generator import residual, tiles
from .interpolation import upsample
from .layer_noise import LayerNoise
from .tiling import EDGE

if TYPE_CHECKING:
    from .refine_generator import RefineGenerator


class RefineDevice:
    """Runs a `RefineGenerator`'s layers on MLX arrays, compiled once per bucket of tile lengths."""

    def __init__(self, generator: RefineGenerator):
        self.generator = generator
        levels = len(generator.rates) + 1
        noises = 2 * generator.n_blocks * (levels - 1)
        self.source = Bucketed(self._source, generator)
        self.silent = Bucketed(self._stages, generator, timed=1 + levels)
        self.noisy = Bucketed(self._stages, generator, timed=1 + levels + noises)

    def __call__(
        self, z: mx.array, g: mx.array, source: mx.array, layers: LayerNoise, tile: int
    ) -> mx.array:
        """Latent `z` (B, T, inter), speaker `g` (B, 1, gin), `source` (B, T·hop, 1) -> (B, T·hop).

        `tile` is how many numbers a tile may hold, its noise among them.
        """
        dec = self.generator
        batch, frames, _ = z.shape
        hop = dec.per_level[0]
        sound = source.reshape(batch, frames, hop)
        pieces = []
        for start, stop in tiles(dec, frames, tile // self._numbers()):
            low, high = dec.reach(start * hop, stop * hop, frames)
            first, last = self._around(low, high, frames)
            downs = self.source(sound[:, first:last])  # (B, (last − first)·steps, channels) each
            arrays = [z[:, low:high]]
            noises = []
            for level, down in enumerate(downs):
                steps = hop // dec.per_level[level]
                arrays.append(down[:, (low - first) * steps : (high - first) * steps])
                if level > 0:
                    noises += dec.noises(level, layers, low * steps, high * steps, z)
            drawn = [noise for noise in noises if noise is not None]
            run = self.noisy if len(drawn) == len(noises) else self.silent
            audio = run(*arrays, *drawn, g)  # (B, (high − low)·hop)
            pieces.append(audio[:, (start - low) * hop : (stop - low) * hop])
        return pieces[0] if len(pieces) == 1 else mx.concatenate(pieces, axis=1)

    def _numbers(self) -> int:
        """How many numbers the noise of one frame has."""
        dec = self.generator
        return sum(
            dec.per_level[0] // per_step * width * 2 * dec.n_blocks
            for per_step, width in zip(dec.per_level[1:], dec.widths[1:], strict=True)
        )

    def _around(self, low: int, high: int, frames: int) -> tuple[int, int]:
        """The frames of the source that frames `low` to `high` of its levels depend on."""
        dec = self.generator
        first, last = low, high
        for level, rate in enumerate(dec.rates):
            # In steps of the level above: the convolution here and the filter to it.
            reach = -(-((EDGE + 1) * rate + decimation_radius(rate)) // rate)
            steps = dec.per_level[0] // dec.per_level[level]
            frames_more = -(-reach // steps)
            first, last = first - frames_more, last + frames_more
        return max(0, first - 1), min(frames, last + 1)

    def _source(self, mask: mx.array, sound: mx.array) -> tuple[mx.array, ...]:
        """The source (B, T, hop) at every level, from the frames up."""
        dec = self.generator
        batch, frames, hop = sound.shape
        reals = self._reals(mask, sound)
        x = _conv(dec.pre_conv, sound.reshape(batch, frames * hop, 1) * reals[-1])
        downs = []
        for level in range(len(dec.rates), 0, -1):
            x = leaky_relu(x, dec.last_slope)
            downs.append(x)
            rate = dec.rates[level - 1]
            wide = decimation_radius(rate)
            x = mx.pad(x * reals[level], [(0, 0), (wide, 0), (0, 0)])
            x = decimate(x, rate, reals[level - 1].shape[0]) * reals[level - 1]
            x = _conv(dec.downsample_blocks[-level], x)
        return (x, *downs[::-1])

    def _stages(self, mask: mx.array, z: mx.array, *others: mx.array) -> mx.array:
        """One tile as if it were all: latent, the source at every level, noise, speaker."""
        dec = self.generator
        levels = len(dec.rates) + 1
        *timed, g = others
        downs, noises = timed[:levels], timed[levels:]
        reals = self._reals(mask, z)
        x = dec.mel_conv(z * reals[0]) + dec.cond(g)  # (B, T, wide)
        x = mx.concatenate([x, downs[0]], axis=2)  # (B, T, initial)
        for stage, rate in enumerate(dec.rates):
            real, block = reals[stage + 1], dec.upsample_conv_blocks[stage]
            x = upsample(leaky_relu(x, dec.last_slope), rate, reals[stage])
            x = block.input_conv(mx.concatenate([x, downs[stage + 1]], axis=2) * real)
            total: Any = None
            for i, (before, body, after) in enumerate(block.blocks):
                place = 2 * (stage * dec.n_blocks + i)
                pair = noises[place : place + 2] or [None, None]
                y = after(residual(body, before(x, pair[0]), real), pair[1])
                total = y if total is None else total + y
            x = total * (1.0 / dec.n_blocks)
        return tanh(dec.conv_post(leaky_relu(x, dec.last_slope) * reals[-1]))[..., 0]

    def _reals(self, mask: mx.array, like: mx.array) -> list[mx.array]:
        """1 for real steps and 0 for padding, at every level: (steps, 1)."""
        dec = self.generator
        real = mask[:, None].astype(like.dtype)
        return [mx.repeat(real, dec.per_level[0] // steps, axis=0) for steps in dec.per_level]


def _conv(layer: Conv1d, x: mx.array) -> mx.array:
    return layer(mx.pad(x, [(0, 0), (EDGE, EDGE), (0, 0)]))
