"""The two residual blocks of HiFi-GAN (2010.05646): "1" with two convolutions a step, "2" with one.

The checkpoint's weight norm is folded when it is read.
"""

from __future__ import annotations

from collections.abc import Sequence

from mlx import nn

from mlx_fastops import Conv1d, leaky_relu

from .arrays import Array

SLOPE = 0.1  # every leaky ReLU of the generator but the last


def same_conv(channels: int, kernel_size: int, dilation: int) -> Conv1d:
    """A convolution that keeps the length (odd kernels)."""
    padding = dilation * (kernel_size - 1) // 2
    return Conv1d(channels, channels, kernel_size, padding=padding, dilation=dilation)


class ResBlock1(nn.Module):
    """Per dilation: leaky ReLU, dilated convolution, leaky ReLU, plain convolution, sum."""

    def __init__(self, channels: int, kernel_size: int, dilations: Sequence[int]):
        super().__init__()
        self.convs1 = [same_conv(channels, kernel_size, dilation) for dilation in dilations]
        self.convs2 = [same_conv(channels, kernel_size, 1) for _ in dilations]

    def __call__(self, x: Array) -> Array:
        """(B, T, channels) -> a new array of the same shape."""
        for dilated, plain in zip(self.convs1, self.convs2, strict=True):
            step = plain(leaky_relu(dilated(leaky_relu(x, SLOPE)), SLOPE))
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
        self.convs = [same_conv(channels, kernel_size, dilation) for dilation in dilations]

    def __call__(self, x: Array) -> Array:
        """(B, T, channels) -> a new array of the same shape."""
        for conv in self.convs:
            step = conv(leaky_relu(x, SLOPE))
            step += x
            x = step
        return x

    @staticmethod
    def radius(kernel_size: int, dilations: Sequence[int]) -> int:
        """How many samples on either side one output sample depends on."""
        return (kernel_size - 1) // 2 * sum(dilations)


RESBLOCKS = {"1": ResBlock1, "2": ResBlock2}
