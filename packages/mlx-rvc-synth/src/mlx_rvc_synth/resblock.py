"""The two residual blocks of HiFi-GAN (2010.05646): "1" with two convolutions a step, "2" with one.

The checkpoint's weight norm is folded when it is read.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mlx import nn

from mlx_fastops import Conv1d, conv1d, leaky_relu

from .arrays import Array

SLOPE = 0.1  # every leaky ReLU of the generator but the last


class ActivatedConv(Conv1d):
    """Leaky ReLU, then a convolution that keeps the length (odd kernels)."""

    def __init__(self, channels: int, kernel_size: int, dilation: int):
        edge = dilation * (kernel_size - 1) // 2
        super().__init__(channels, channels, kernel_size, padding=edge, dilation=dilation)

    def __call__(self, x: Array) -> Array:
        """(B, T, channels) -> (B, T, channels), a new array."""
        if not isinstance(x, np.ndarray):
            return super().__call__(leaky_relu(x, SLOPE))
        # Written straight between the zeros of the padding: it saves a copy of every tile.
        padded = _leaky_relu_between_zeros(x, self.padding)
        return conv1d(padded, self.weight, self.bias, dilation=self.dilation)


def _leaky_relu_between_zeros(x: np.ndarray, edge: int) -> np.ndarray:
    batch, frames, channels = x.shape
    padded = np.empty((batch, frames + 2 * edge, channels), x.dtype)
    padded[:, :edge] = 0
    padded[:, edge + frames :] = 0
    inner = padded[:, edge : edge + frames]
    np.multiply(x, x.dtype.type(SLOPE), out=inner)
    np.maximum(x, inner, out=inner)
    return padded


class ResBlock1(nn.Module):
    """Per dilation: leaky ReLU, dilated convolution, leaky ReLU, plain convolution, sum."""

    def __init__(self, channels: int, kernel_size: int, dilations: Sequence[int]):
        super().__init__()
        self.convs1 = [ActivatedConv(channels, kernel_size, dilation) for dilation in dilations]
        self.convs2 = [ActivatedConv(channels, kernel_size, 1) for _ in dilations]

    def __call__(self, x: Array) -> Array:
        """(B, T, channels) -> a new array of the same shape."""
        for dilated, plain in zip(self.convs1, self.convs2, strict=True):
            step = plain(dilated(x))
            step += x  # in place: `step` is ours, while the first `x` is the caller's
            x = step
        return x

    @staticmethod
    def radius(kernel_size: int, dilations: Sequence[int]) -> int:
        """How many samples on either side one output sample depends on."""
        return (kernel_size - 1) // 2 * sum(dilation + 1 for dilation in dilations)


class ResBlock2(nn.Module):
    """Per dilation: leaky ReLU, dilated convolution, sum."""

    def __init__(self, channels: int, kernel_size: int, dilations: Sequence[int]):
        super().__init__()
        self.convs = [ActivatedConv(channels, kernel_size, dilation) for dilation in dilations]

    def __call__(self, x: Array) -> Array:
        """(B, T, channels) -> a new array of the same shape."""
        for conv in self.convs:
            step = conv(x)
            step += x
            x = step
        return x

    @staticmethod
    def radius(kernel_size: int, dilations: Sequence[int]) -> int:
        """How many samples on either side one output sample depends on."""
        return (kernel_size - 1) // 2 * sum(dilations)


RESBLOCKS = {"1": ResBlock1, "2": ResBlock2}
