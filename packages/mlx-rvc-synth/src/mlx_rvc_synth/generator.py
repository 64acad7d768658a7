"""dec: latent to audio. HiFi-GAN (2010.05646), with the sine source of NSF for voices with F0.

Level 0 is the latent after `conv_pre`, one step a frame; level i is what stage i makes of it, and
the last level has the rate of the audio::

    level i = mean of the residual blocks of ( ups[i-1](level i-1) + noise_convs[i-1](source) )

Work goes in tiles of time, so that a level's tile stays in the processor's cache and memory does
not grow with the length of the recording. A tile is computed with the margin that the layers after
it look at, and cut back; zero padding meets only the true ends. So tiling changes nothing but the
rounding of sums.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from mlx import nn

from mlx_fastops import Conv1d, ConvTranspose1d, compiles, leaky_relu, tanh

from .arrays import Array, library
from .config import SynthConfig, noise_conv_shape, upsample_padding
from .device_generator import LAST_SLOPE, DeviceGenerator
from .resblock import RESBLOCKS, SLOPE
from .source import SourceModuleHnNSF

EDGE = 3  # padding of conv_pre and conv_post, 7 wide
CPU_TILE = 1 << 20  # numbers in one tile: 4 MiB
DEVICE_TILE = 72 << 20  # on Metal and CUDA only memory counts: 46 s at 48 kHz, 288 MiB


class Generator(nn.Module):
    """The vocoder of one voice; `m_source` and `noise_convs` exist only for voices with F0."""

    def __init__(self, config: SynthConfig):
        super().__init__()
        channels = config.channels
        self.rates = config.upsample_rates
        self.kernels = config.upsample_kernel_sizes
        self.widths = (config.upsample_initial_channel, *channels)
        self.per_level = tuple(math.prod(self.rates[i:]) for i in range(len(self.rates) + 1))
        self.n_blocks = len(config.resblock_kernel_sizes)

        resblock = RESBLOCKS[config.resblock]
        shapes = list(
            zip(config.resblock_kernel_sizes, config.resblock_dilation_sizes, strict=True)
        )
        self.radius = max(resblock.radius(kernel, dilations) for kernel, dilations in shapes)

        self.conv_pre = Conv1d(config.inter_channels, self.widths[0], 7, padding=EDGE)
        self.cond = Conv1d(config.gin_channels, self.widths[0], 1)
        self.ups = [
            _upsampling(self.widths[i], self.widths[i + 1], rate, kernel)
            for i, (rate, kernel) in enumerate(zip(self.rates, self.kernels, strict=True))
        ]
        self.resblocks = [resblock(width, *shape) for width in channels for shape in shapes]
        self.conv_post = Conv1d(channels[-1], 1, 7, padding=EDGE, bias=False)
        if config.f0:
            self.m_source = SourceModuleHnNSF(config.hop, config.sample_rate)
            self.noise_convs = [
                _source_conv(width, stride)
                for width, stride in zip(channels, self.per_level[1:], strict=True)
            ]
        self._on_device = DeviceGenerator(self)

    def __call__(
        self, z: Array, g: Array, source: Array | None = None, *, tile: int | None = None
    ) -> Array:
        """Latent `z` (B, T, inter), speaker `g` (B, 1, gin) -> audio (B, T·hop).

        `source` (B, T·hop, 1) is what `m_source` makes of F0 (None for voices without F0). `tile`
        is how many numbers a tile may hold; the default suits the kind of array `z` is.
        """
        if tile is None:
            tile = CPU_TILE if isinstance(z, np.ndarray) else DEVICE_TILE
        frames = z.shape[1]
        tile = max(1, tile // z.shape[0])
        if not isinstance(z, np.ndarray) and compiles():
            return self._on_device(z, g, source, tile)
        condition = self.cond(g)  # (B, 1, initial)
        pieces = []
        for start, stop in _spans(0, frames * self.per_level[0], self._step(0, tile)):
            low, high = self._reach(0, start, stop, frames)
            x, offset = _slice(z, low - EDGE, high + EDGE)
            x = self.conv_pre(x)[:, low - offset : high - offset] + condition  # (B, T', initial)
            pieces += self._render(1, x, low, source, start, stop, frames, tile)
        return library(z).concatenate(pieces, axis=1)[..., 0]

    def _render(
        self,
        level: int,
        x: Array,
        offset: int,
        source: Array | None,
        start: int,
        stop: int,
        frames: int,
        tile: int,
    ) -> list[Array]:
        """Pieces of the audio from sample `start` to `stop`, given level − 1 from step `offset`."""
        if level == len(self.rates) + 1:
            audio = tanh(self.conv_post(leaky_relu(x, LAST_SLOPE)))  # (B, N, 1)
            return [audio[:, start - offset : stop - offset]]
        pieces = []
        for a, b in _spans(start, stop, self._step(level, tile)):
            low, high = self._reach(level, a, b, frames)
            y = self._stage(level, x, offset, source, low, high, frames)
            pieces += self._render(level + 1, y, low, source, a, b, frames, tile)
        return pieces

    def _stage(
        self,
        level: int,
        x: Array,
        offset: int,
        source: Array | None,
        low: int,
        high: int,
        frames: int,
    ) -> Array:
        """Steps `low` to `high` of a level (B, high − low, width) from level − 1 at `offset`."""
        stage = level - 1
        first, last = self._widen(level, low, high, frames)
        begin, end = self._inputs(level, first, last, frames)
        x = leaky_relu(x[:, begin - offset : end - offset], SLOPE)
        base = begin * self.rates[stage]
        x = self.ups[stage](x)[:, first - base : last - base]  # (B, last − first, width)
        if source is not None:
            x = x + self._excite(stage, source, first, last)
        block, *others = self.resblocks[stage * self.n_blocks : (stage + 1) * self.n_blocks]
        total = block(x)
        for other in others:
            total += other(x)  # in place: a block returns an array of its own
        total *= 1.0 / self.n_blocks
        return total[:, low - first : high - first]

    def _excite(self, stage: int, source: Array, first: int, last: int) -> Array:
        """The source at the rate of a stage, steps `first` to `last` (B, last − first, width)."""
        stride = self.per_level[stage + 1]
        kernel, padding = noise_conv_shape(stride)
        low, high = first * stride - padding, (last - 1) * stride - padding + kernel
        part, offset = _slice(source, low, high)
        edges = ((0, 0), (offset - low, high - offset - part.shape[1]), (0, 0))
        return self.noise_convs[stage](library(part).pad(part, edges))

    def _step(self, level: int, tile: int) -> int:
        """Length in samples of the pieces that a level is computed in."""
        steps = max(tile // self.widths[level], 1)
        return steps * self.per_level[level]

    def _widen(self, level: int, low: int, high: int, frames: int) -> tuple[int, int]:
        """The steps of a level that its residual blocks look at."""
        length = frames * self.per_level[0] // self.per_level[level]
        return max(0, low - self.radius), min(length, high + self.radius)

    def _inputs(self, level: int, low: int, high: int, frames: int) -> tuple[int, int]:
        """The steps of level − 1 that reach steps `low` to `high` through the upsampling."""
        rate, kernel = self.rates[level - 1], self.kernels[level - 1]
        padding, _ = upsample_padding(rate, kernel)
        length = frames * self.per_level[0] // self.per_level[level - 1]
        begin = -((kernel - 1 - padding - low) // rate)
        return max(0, begin), min(length, (high - 1 + padding) // rate + 1)

    def reach(self, start: int, stop: int, frames: int) -> tuple[int, int]:
        """The frames of the latent that the audio from sample `start` to `stop` depends on."""
        low, high = self._reach(0, start, stop, frames)
        return max(0, low - EDGE), min(frames, high + EDGE)

    def _reach(self, level: int, start: int, stop: int, frames: int) -> tuple[int, int]:
        """The steps of a level that the audio from sample `start` to `stop` depends on."""
        low, high = max(0, start - EDGE), min(frames * self.per_level[0], stop + EDGE)
        for above in range(len(self.rates), level, -1):
            low, high = self._inputs(above, *self._widen(above, low, high, frames), frames)
        return low, high


def _upsampling(inputs: int, outputs: int, rate: int, kernel: int) -> ConvTranspose1d:
    padding, output_padding = upsample_padding(rate, kernel)
    return ConvTranspose1d(
        inputs, outputs, kernel, stride=rate, padding=padding, output_padding=output_padding
    )


def _source_conv(width: int, stride: int) -> Conv1d:
    # Padded by hand in `_excite`: a tile in the middle has neighbours where the ends have zeros.
    kernel, _ = noise_conv_shape(stride)
    return Conv1d(1, width, kernel, stride=stride)


def _spans(start: int, stop: int, step: int) -> Iterator[tuple[int, int]]:
    """`start` to `stop` in equal spans of at most `step`."""
    count = max(1, math.ceil((stop - start) / step))
    bounds = [start + (stop - start) * i // count for i in range(count + 1)]
    yield from pairwise(bounds)


def _slice(x: Array, low: int, high: int) -> tuple[Array, int]:
    """Steps `low` to `high` of `x` (B, T, C) as far as they exist, and where that begins."""
    low = max(0, low)
    return x[:, low : max(low, min(high, x.shape[1]))], low
