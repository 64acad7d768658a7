"""dec of Applio's RefineGAN (2111.00962): the source at every rate, refined by the latent.

The source is brought down stage by stage, from the rate of the audio to that of the frames; level 0
is that beside the latent, and each stage interpolates the level before it and adds the source::

    down[n] = leaky(pre_conv(source))      down[i] = leaky(downsample_blocks(decimate(down[i+1])))
    level 0 = mel_conv(latent) + cond(speaker)  |  down[0], without the leaky ReLU
    level i = mean of blocks( input_conv( upsample(leaky(level i−1))  |  down[i] ) )
    block   = leaky(x + weight · noise), residual block, leaky(x + weight · noise)

Source: Applio, rvc/lib/algorithm/generators/refinegan.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from mlx import nn

from mlx_fastops import Conv1d, compiles, leaky_relu

from .arrays import Array, alike, library
from .config import REFINE_START, SynthConfig
from .decimation import decimate
from .decimation import radius as decimation_radius
from .generator import blocks_of
from .interpolation import upsample
from .layer_noise import LayerNoise, Silent
from .refine_device import RefineDevice
from .resblock import ResBlock1
from .smooth_source import SmoothSource
from .tiling import CPU_TILE, DEVICE_TILE, EDGE, Tiled, part, spans

SLOPE = 0.2
LONGEST = 400  # frames of one tile of level 0: the source beside it has 25 numbers a sample


class RefineGenerator(Tiled):
    """The vocoder of one voice; every such voice has F0."""

    last_slope = SLOPE

    def __init__(self, config: SynthConfig):
        super().__init__(config)
        stages = len(self.rates)
        wide = self.widths[0] // 2
        self.radius = EDGE + max(ResBlock1.radius(*shape) for shape in blocks_of(config))
        self.m_source = SmoothSource(config.hop, config.sample_rate)
        # The layers of the source are padded by hand: a tile has neighbours, the ends have zeros.
        self.pre_conv = Conv1d(1, REFINE_START, 7)
        self.downsample_blocks = [
            Conv1d(REFINE_START << i, REFINE_START << (i + 1), 7) for i in range(stages)
        ]
        self.mel_conv = Conv1d(config.inter_channels, wide, 7, padding=EDGE)
        self.cond = Conv1d(config.gin_channels, wide, 1)
        self.upsample_conv_blocks = [
            ParallelResBlock(width + width // 4, width // 2, config) for width in self.widths[:-1]
        ]
        self.conv_post = Conv1d(self.widths[-1], 1, 7, padding=EDGE, bias=False)
        self._on_device = RefineDevice(self)

    def __call__(
        self,
        z: Array,
        g: Array,
        source: Array,
        *,
        layers: LayerNoise | None = None,
        tile: int | None = None,
    ) -> Array:
        """Latent `z` (B, T, inter), speaker `g` (B, 1, gin) -> audio (B, T·hop).

        `source` (B, T·hop, 1) is what `m_source` makes of F0, `layers` the noise inside (None: no
        noise). `tile` is how many numbers a tile may hold, noise aside.
        """
        layers = Silent() if layers is None else layers
        if tile is None:
            tile = CPU_TILE if isinstance(z, np.ndarray) else DEVICE_TILE
        frames, hop = z.shape[1], self.per_level[0]
        tile = max(1, tile // z.shape[0])
        if not isinstance(z, np.ndarray) and compiles():
            return self._on_device(z, g, source, layers, tile)
        condition = self.cond(g)  # (B, 1, wide)
        pieces = []
        for start, stop in spans(0, frames * hop, min(self.step(0, tile), LONGEST * hop)):
            low, high = self.needed(0, start, stop, frames)
            x, offset = part(z, low - EDGE, high + EDGE)
            x = self.mel_conv(x)[:, low - offset : high - offset] + condition  # (B, T', wide)
            downs = self.bring_down(source, start, stop, frames)
            x = library(x).concatenate([x, downs.of(0, low, high)], axis=2)  # (B, T', initial)
            pieces += self.render(1, x, low, (downs, layers), start, stop, frames, tile)
        return library(z).concatenate(pieces, axis=1)[..., 0]

    def bring_down(self, source: Array, start: int, stop: int, frames: int) -> Downs:
        """The source at every level, as far as the audio from `start` to `stop` depends on it."""
        wanted = self._down_spans(start, stop, frames)
        low, high = wanted[-1]
        x = self.pre_conv(_padded(source, 0, low - EDGE, high + EDGE))  # (B, N, 16)
        downs: list[Array] = [None] * len(wanted)
        for level in range(len(self.rates), 0, -1):
            x = leaky_relu(x, SLOPE)
            downs[level] = x
            offset, (low, high) = wanted[level][0], wanted[level - 1]
            first, last = self._around(level - 1, low, high, frames)
            rate = self.rates[level - 1]
            wide = decimation_radius(rate)
            x = _padded(x, offset, first * rate - wide, (last - 1) * rate + wide + rate)
            x = decimate(x, rate, last - first)
            x = self.downsample_blocks[-level](_padded(x, first, low - EDGE, high + EDGE))
        downs[0] = x
        return Downs(downs, [span[0] for span in wanted])

    def _down_spans(self, start: int, stop: int, frames: int) -> list[tuple[int, int]]:
        """The steps of the source at every level that the audio depends on."""
        wanted = [self.needed(0, start, stop, frames)]
        for level in range(1, len(self.rates) + 1):
            rate, length = self.rates[level - 1], self.length(level, frames)
            first, last = self._around(level - 1, *wanted[-1], frames)
            wide = decimation_radius(rate)
            low, high = first * rate - wide, (last - 1) * rate + wide + rate
            a, b = self.widen(level, *self.needed(level, start, stop, frames), frames)
            wanted.append((max(0, min(a, low)), min(length, max(b, high))))
        return wanted

    def _around(self, level: int, low: int, high: int, frames: int) -> tuple[int, int]:
        return max(0, low - EDGE), min(self.length(level, frames), high + EDGE)

    def stage(
        self, level: int, x: Array, offset: int, source: Any, low: int, high: int, frames: int
    ) -> Array:
        """Steps `low` to `high` of a level (B, high − low, width) from level − 1 at `offset`."""
        downs, layers = source
        first, last = self.widen(level, low, high, frames)
        begin, end = self.inputs(level, first, last, frames)
        rate = self.rates[level - 1]
        x = upsample(leaky_relu(x[:, begin - offset : end - offset], SLOPE), rate)
        x = x[:, first - begin * rate : last - begin * rate]
        x = library(x).concatenate([x, downs.of(level, first, last)], axis=2)
        x = self.upsample_conv_blocks[level - 1](x, self.noises(level, layers, first, last, x))
        return x[:, low - first : high - first]

    def noises(
        self, level: int, layers: LayerNoise, low: int, high: int, like: Array
    ) -> list[Array | None]:
        """The noise of a stage's blocks, before and after each: (B, high − low, width)."""
        count = 2 * self.n_blocks
        found = [
            layers.of((level - 1) * count + i, low, high, self.widths[level], like.shape[0])
            for i in range(count)
        ]
        return [None if noise is None else alike(noise, like) for noise in found]

    def inputs(self, level: int, low: int, high: int, frames: int) -> tuple[int, int]:
        """The steps of level − 1 that reach steps `low` to `high` through the interpolation."""
        rate = self.rates[level - 1]
        end = min(self.length(level - 1, frames), (high - 1) // rate + 2)
        return max(0, low // rate - 1), end


class Downs:
    """The source at every level, each from a step of its own on."""

    def __init__(self, arrays: list[Array], starts: list[int]):
        self.arrays = arrays
        self.starts = starts

    def of(self, level: int, low: int, high: int) -> Array:
        """Steps `low` to `high` of a level (B, high − low, channels)."""
        start = self.starts[level]
        return self.arrays[level][:, low - start : high - start]


class ParallelResBlock(nn.Module):
    """One convolution, then the mean of residual blocks with noise before and after each."""

    def __init__(self, inputs: int, outputs: int, config: SynthConfig):
        super().__init__()
        self.input_conv = Conv1d(inputs, outputs, 7, padding=EDGE)
        self.blocks = [
            [AdaIN(outputs), ResBlock1(outputs, *shape, slope=SLOPE), AdaIN(outputs)]
            for shape in blocks_of(config)
        ]

    def __call__(self, x: Array, noises: list[Array | None]) -> Array:
        """(B, T, inputs) -> (B, T, outputs); `noises` (B, T, outputs) or None, two a block."""
        x = self.input_conv(x)
        total: Array = None
        for i, (before, block, after) in enumerate(self.blocks):
            y = after(block(before(x, noises[2 * i])), noises[2 * i + 1])
            total = y if total is None else total + y
        return total * (1.0 / len(self.blocks))


class AdaIN(nn.Module):
    """Noise, scaled by channel, and a leaky ReLU; the name is Applio's, nothing is normalised."""

    def __init__(self, channels: int):
        super().__init__()
        self.weight = alike(np.full(channels, 1e-4, np.float32), None)

    def __call__(self, x: Array, noise: Array | None) -> Array:
        """`x` and `noise` (B, T, channels) -> the same shape."""
        if noise is not None:
            x = x + noise * alike(self.weight, x)
        return leaky_relu(x, SLOPE)


def _padded(x: Array, offset: int, low: int, high: int) -> Array:
    """Steps `low` to `high` of an array that begins at `offset`, zeros where it has none."""
    piece, begin = part(x, low - offset, high - offset)
    before = begin - (low - offset)
    edges = ((0, 0), (before, high - low - before - piece.shape[1]), (0, 0))
    return library(piece).pad(piece, edges)
