"""The two residual blocks of HiFi-GAN (2010.05646): "1" with two convolutions a step, "2" with one.

The checkpoint's weight norm is folded when it is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlx import nn

from mlx_fastops import Conv1d

from .arrays import Array

SLOPE = 0.1  # every leaky ReLU of HiFi-GAN but the last


class ActivatedConv(Conv1d):
    """Leaky ReLU, then a convolution that keeps the length (odd kernels)."""

    def __init__(self, channels: int, kernel_size: int, dilation: int, slope: float = SLOPE):
        edge = dilation * (kernel_size - 1) // 2
        super().__init__(channels, channels, kernel_size, padding=edge, dilation=dilation)
        self.slope = slope

    def __call__(
        self, x: Array, *, leaky_slope: float | None = None, residual: Array | None = None
    ) -> Array:
        """`x` and `residual` (B, T, channels) -> (B, T, channels), a new array."""
        slope = self.slope if leaky_slope is None else leaky_slope
        return super().__call__(x, leaky_slope=slope, residual=residual)


class ResBlock1(nn.Module):
    """Per dilation: leaky ReLU, dilated convolution, leaky ReLU, plain convolution, sum."""

    def __init__(
        self, channels: int, kernel_size: int, dilations: Sequence[int], slope: float = SLOPE
    ):
        super().__init__()
        self.convs1 = [ActivatedConv(channels, kernel_size, step, slope) for step in dilations]
        self.convs2 = [ActivatedConv(channels, kernel_size, 1, slope) for _ in dilations]

    def __call__(self, x: Array) -> Array:
        """(B, T, channels) -> a new array of the same shape."""
        for dilated, plain in self.steps():
            x = plain(dilated(x), residual=x)
        return x

    def steps(self) -> Iterator[tuple[ActivatedConv, ...]]:
        """The convolutions of each sum, in order."""
        return zip(self.convs1, self.convs2, strict=True)

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
            x = conv(x, residual=x)
        return x

    def steps(self) -> Iterator[tuple[ActivatedConv, ...]]:
        """The convolutions of each sum, in order."""
        return ((conv,) for conv in self.convs)

    @staticmethod
    def radius(kernel_size: int, dilations: Sequence[int]) -> int:
        """How many samples on either side one output sample depends on."""
        return (kernel_size - 1) // 2 * sum(dilations)


RESBLOCKS = {"1": ResBlock1, "2": ResBlock2}
