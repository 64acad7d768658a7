"""dec of Applio's MRF HiFi-GAN: HiFi-GAN's layers under other names, and a source with overtones.

    upsamples.i                  HiFi-GAN's ups.i
    mrfs.i.j.layers.k.conv1/2    resblocks.(i·blocks + j).convs1/2.k
    conv_pre, conv_post          with weight norm (folded when read), conv_post with a bias

Source: Applio, rvc/lib/algorithm/generators/hifigan_mrf.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mlx import nn

from mlx_fastops import Conv1d, ConvTranspose1d

from .arrays import Array
from .config import SynthConfig
from .generator import Generator, blocks_of, upsamplings
from .harmonic_source import HarmonicSource
from .resblock import ActivatedConv
from .tiling import EDGE


class MRFGenerator(Generator):
    """The vocoder of one voice; every such voice has F0."""

    def add_layers(self, config: SynthConfig) -> None:
        """The layers whose names or kinds differ from HiFi-GAN's."""
        self.upsamples = upsamplings(config)
        self.mrfs = [
            [MRFBlock(width, *shape) for shape in blocks_of(config)] for width in config.channels
        ]
        self.conv_post = Conv1d(self.widths[-1], 1, 7, padding=EDGE)
        self.m_source = HarmonicSource(config.hop, config.sample_rate, config.harmonics)

    def upsampling(self, stage: int) -> ConvTranspose1d:
        """The transposed convolution of a stage, counted from 0."""
        return self.upsamples[stage]

    def residuals(self, stage: int) -> list[Any]:
        """The residual blocks of a stage, counted from 0."""
        return self.mrfs[stage]


class MRFLayer(nn.Module):
    """Leaky ReLU, dilated convolution, leaky ReLU, plain convolution; the sum is the block's."""

    def __init__(self, channels: int, kernel_size: int, dilation: int):
        super().__init__()
        self.conv1 = ActivatedConv(channels, kernel_size, dilation)
        self.conv2 = ActivatedConv(channels, kernel_size, 1)


class MRFBlock(nn.Module):
    """`ResBlock1` with its convolutions in pairs."""

    def __init__(self, channels: int, kernel_size: int, dilations: Sequence[int]):
        super().__init__()
        self.layers = [MRFLayer(channels, kernel_size, dilation) for dilation in dilations]

    def __call__(self, x: Array) -> Array:
        """(B, T, channels) -> a new array of the same shape."""
        for dilated, plain in self.steps():
            x = plain(dilated(x), residual=x)
        return x

    def steps(self) -> Iterator[tuple[ActivatedConv, ...]]:
        """The convolutions of each sum, in order."""
        return ((layer.conv1, layer.conv2) for layer in self.layers)
