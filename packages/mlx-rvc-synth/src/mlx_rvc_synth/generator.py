"""dec: latent to audio. HiFi-GAN (2010.05646), with the sine source of NSF for voices with F0.

Level 0 is the latent after `conv_pre`, one step a frame; level i is what stage i makes of it, and
the last level has the rate of the audio (`tiling` says how they are computed piece by piece)::

    level i = mean of the residual blocks of ( ups[i-1](level i-1) + noise_convs[i-1](source) )
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mlx_fastops import Conv1d, ConvTranspose1d, compiles, leaky_relu

from .arrays import Array, library
from .config import SynthConfig, noise_conv_shape, upsample_padding
from .device_generator import LAST_SLOPE, DeviceGenerator
from .resblock import RESBLOCKS, SLOPE
from .source import SourceModuleHnNSF
from .tiling import CPU_TILE, DEVICE_TILE, EDGE, Tiled, part, spans


class Generator(Tiled):
    """The vocoder of one voice; `m_source` and `noise_convs` exist only for voices with F0."""

    last_slope = LAST_SLOPE

    def __init__(self, config: SynthConfig):
        super().__init__(config)
        self.kernels = config.upsample_kernel_sizes
        resblock = RESBLOCKS[config.resblock]
        self.radius = max(resblock.radius(kernel, steps) for kernel, steps in blocks_of(config))
        self.conv_pre = Conv1d(config.inter_channels, self.widths[0], 7, padding=EDGE)
        self.cond = Conv1d(config.gin_channels, self.widths[0], 1)
        if config.f0:
            self.noise_convs = [
                _source_conv(width, stride)
                for width, stride in zip(config.channels, self.per_level[1:], strict=True)
            ]
        self.add_layers(config)
        self._on_device = DeviceGenerator(self)

    def add_layers(self, config: SynthConfig) -> None:
        """The layers whose names or kinds differ in MRF HiFi-GAN."""
        resblock = RESBLOCKS[config.resblock]
        self.ups = upsamplings(config)
        self.resblocks = [
            resblock(width, *shape) for width in config.channels for shape in blocks_of(config)
        ]
        self.conv_post = Conv1d(self.widths[-1], 1, 7, padding=EDGE, bias=False)
        if config.f0:
            self.m_source = SourceModuleHnNSF(config.hop, config.sample_rate)

    def upsampling(self, stage: int) -> ConvTranspose1d:
        """The transposed convolution of a stage, counted from 0."""
        return self.ups[stage]

    def residuals(self, stage: int) -> list[Any]:
        """The residual blocks of a stage, counted from 0."""
        return self.resblocks[stage * self.n_blocks : (stage + 1) * self.n_blocks]

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
        for start, stop in spans(0, frames * self.per_level[0], self.step(0, tile)):
            low, high = self.needed(0, start, stop, frames)
            x, offset = part(z, low - EDGE, high + EDGE)
            x = self.conv_pre(x)[:, low - offset : high - offset] + condition  # (B, T', initial)
            pieces += self.render(1, x, low, source, start, stop, frames, tile)
        return library(z).concatenate(pieces, axis=1)[..., 0]

    def stage(
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
        first, last = self.widen(level, low, high, frames)
        begin, end = self.inputs(level, first, last, frames)
        x = leaky_relu(x[:, begin - offset : end - offset], SLOPE)
        base = begin * self.rates[stage]
        x = self.upsampling(stage)(x)[:, first - base : last - base]  # (B, last − first, width)
        if source is not None:
            x = x + self.excite(stage, source, first, last)
        block, *others = self.residuals(stage)
        total = block(x)
        for other in others:
            total += other(x)  # in place: a block returns an array of its own
        total *= 1.0 / self.n_blocks
        return total[:, low - first : high - first]

    def excite(self, stage: int, source: Array, first: int, last: int) -> Array:
        """The source at the rate of a stage, steps `first` to `last` (B, last − first, width)."""
        stride = self.per_level[stage + 1]
        kernel, padding = noise_conv_shape(stride)
        low, high = first * stride - padding, (last - 1) * stride - padding + kernel
        piece, offset = part(source, low, high)
        edges = ((0, 0), (offset - low, high - offset - piece.shape[1]), (0, 0))
        return self.noise_convs[stage](library(piece).pad(piece, edges))

    def inputs(self, level: int, low: int, high: int, frames: int) -> tuple[int, int]:
        """The steps of level − 1 that reach steps `low` to `high` through the upsampling."""
        rate, kernel = self.rates[level - 1], self.kernels[level - 1]
        padding, _ = upsample_padding(rate, kernel)
        begin = -((kernel - 1 - padding - low) // rate)
        end = min(self.length(level - 1, frames), (high - 1 + padding) // rate + 1)
        return max(0, begin), end


def blocks_of(config: SynthConfig) -> list[tuple[int, tuple[int, ...]]]:
    """Kernel and dilations of the residual blocks of one stage."""
    return list(zip(config.resblock_kernel_sizes, config.resblock_dilation_sizes, strict=True))


def upsamplings(config: SynthConfig) -> list[ConvTranspose1d]:
    """The transposed convolution of every stage."""
    layers, inputs = [], config.upsample_initial_channel
    stages = zip(config.channels, config.upsample_rates, config.upsample_kernel_sizes, strict=True)
    for outputs, rate, kernel in stages:
        padding, extra = upsample_padding(rate, kernel)
        layers.append(
            ConvTranspose1d(
                inputs, outputs, kernel, stride=rate, padding=padding, output_padding=extra
            )
        )
        inputs = outputs
    return layers


def _source_conv(width: int, stride: int) -> Conv1d:
    # Padded by hand in `excite`: a tile in the middle has neighbours where the ends have zeros.
    kernel, _ = noise_conv_shape(stride)
    return Conv1d(1, width, kernel, stride=stride)
