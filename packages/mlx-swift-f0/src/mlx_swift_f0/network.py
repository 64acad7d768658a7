"""SwiftF0's network: three log spectrograms to pitch scores and voicing (swift-f0 0.3.0, MIT).

A stem and six residual blocks keep one frame and one band for each of the input; dilated kernels
over the bands reach from a partial to the others. Two heads read the lowest 96 bands. Everything
here runs on whichever kind of array `mlx_fastops.native` gives, NumPy's on a CPU.

Arrays are (batch, frames, bands, channels).
"""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np
from mlx import nn

import mlx_fastops as fastops

from .config import SwiftF0Config

Array = Any  # mx.array or np.ndarray: whichever `fastops.native` chose


def _conv(inputs: int, outputs: int, kernel: tuple[int, int], dilation: int = 1) -> fastops.Conv2d:
    """A convolution over (frames, bands) that keeps both."""
    padding = (kernel[0] // 2, kernel[1] // 2 * dilation)
    return fastops.Conv2d(inputs, outputs, kernel, padding=padding, dilation=(1, dilation))


class Block(nn.Module):
    """Two convolutions with a sum around them."""

    def __init__(self, channels: int, kernel: tuple[int, int], dilation: int):
        """Weights are random until a file is loaded."""
        super().__init__()
        self.conv1 = _conv(channels, channels, kernel, dilation)
        self.conv2 = _conv(channels, channels, kernel, dilation)

    def __call__(self, x: Array) -> Array:
        """(B, T, F, C) to the same."""
        y = self.conv2(self.conv1(x, relu=True))
        y += x
        return fastops.relu(y)


class Network(nn.Module):
    """Scores of the pitch classes and the logit of voicing.

    Attributes:
        config: its sizes.
    """

    def __init__(self, config: SwiftF0Config | None = None):
        """Weights are random until a file is loaded; the published sizes by default."""
        super().__init__()
        self.config = config = config or SwiftF0Config()
        channels, heads = config.channels, config.head_channels
        self.stem = _conv(len(config.windows), channels, (3, 3))
        self.blocks = [
            Block(channels, (frames, bands), dilation) for frames, bands, dilation in config.blocks
        ]
        self.head = _conv(channels, heads, (3, 3))
        self.pitch = _conv(heads, 1, (1, 1))
        self.salience = _conv(heads, heads, (1, 5))
        self.voicing1 = fastops.Conv1d(heads + 1, config.voicing_channels, 3, padding=1)
        self.voicing2 = fastops.Conv1d(config.voicing_channels, 1, 1)

    def __call__(self, x: Array) -> tuple[Array, Array]:
        """(B, T, n_bands, windows) to scores (B, T, n_classes) and logits (B, T)."""
        bands = self.config.head_bands
        y = self.stem(x, relu=True)
        for block in self.blocks:
            y = block(y)
        # The reference pads below the lowest band only: the class above the last falls away.
        y = self.head(y[:, :, :bands], relu=True)[:, :, : bands - 1]  # (B, T, 95, 4)
        level = x.mean(axis=(2, 3))[..., None]  # (B, T, 1)
        seen = _join([self.salience(y).max(axis=2), level])  # (B, T, 5)
        voicing = self.voicing2(fastops.relu(self.voicing1(seen)))
        return self.pitch(y)[..., 0], voicing[..., 0]


def _join(parts: list[Array]) -> Array:
    """Concatenate along channels."""
    if isinstance(parts[0], np.ndarray):
        return np.concatenate(parts, axis=-1)
    return mx.concatenate(parts, axis=-1)
