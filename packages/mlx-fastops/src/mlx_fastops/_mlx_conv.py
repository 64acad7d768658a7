"""Convolutions over time in MLX's ops: its own op, or the lowered form where that was chosen."""

import mlx.core as mx

from mlx_fastops import _lowered
from mlx_fastops._forms import Signature, form_for
from mlx_fastops._geometry import Geometry

# Up to here a convolution's channels leave most of a GPU's matrix units idle.
FEW_CHANNELS = 8


def plus(y: mx.array, bias: mx.array | None) -> mx.array:
    """Return y + bias, or y without one."""
    return y if bias is None else y + bias


def conv1d(x: mx.array, weight: mx.array, bias: mx.array | None, g: Geometry) -> mx.array:
    """Convolve x (B, T, C) with weight (O, K, C/groups) -> (B, T_out, O)."""
    if _worth_a_choice(x, weight, g) and form_for(signature("conv1d", x, weight, g)) == "lowered":
        return _lowered.conv1d(x, weight, bias, g)
    y = mx.conv1d(x, weight, g.stride[0], g.padding[0], g.dilation[0], g.groups)
    return plus(y, bias)


def conv_transpose1d(x: mx.array, weight: mx.array, bias: mx.array | None, g: Geometry) -> mx.array:
    """Convolve x (B, T, C) transposed with weight (O, K, C/groups) -> (B, T_out, O)."""
    has_both = g.groups == 1 and x.shape[0] > 0
    if has_both and form_for(signature("conv_transpose1d", x, weight, g)) == "lowered":
        return _lowered.conv_transpose1d(x, weight, bias, g)
    padding, extra = safe_padding(g)
    y = mx.conv_transpose1d(x, weight, g.stride[0], padding[0], g.dilation[0], extra[0], g.groups)
    return plus(cropped(y, g, padding), bias)


def _worth_a_choice(x: mx.array, weight: mx.array, g: Geometry) -> bool:
    """Say whether a lowered form of this convolution might be faster, and so gets measured.

    Wide convolutions with stride 1 are what GPU convolution kernels are made for.
    """
    few = min(x.shape[2], weight.shape[0]) <= FEW_CHANNELS
    return x.shape[0] > 0 and (few or g.groups > 1 or g.stride[0] > 1 or g.kernel[0] == 1)


def signature(operation: str, x: mx.array, weight: mx.array, g: Geometry) -> Signature:
    """Describe a convolution as far as its speed depends on it."""
    batch, frames, channels = x.shape
    return Signature(
        operation,
        channels,
        weight.shape[0],
        g.kernel[0],
        g.stride[0],
        g.dilation[0],
        g.groups,
        str(x.dtype).removeprefix("mlx.core."),
        1 << max(0, frames - 1).bit_length(),
        batch,
    )


def safe_padding(g: Geometry) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the padding and output_padding that MLX's transposed op computes correctly.

    It mistakes padding beyond span - 1 (mlx 0.32): what is beyond is cropped by `cropped`.
    """
    padding = tuple(min(p, n - 1) for p, n in zip(g.padding, g.span, strict=True))
    rest = [p - q for p, q in zip(g.padding, padding, strict=True)]
    extra = tuple(max(0, e - r) for e, r in zip(g.output_padding, rest, strict=True))
    return padding, extra


def cropped(y: mx.array, g: Geometry, padding: tuple[int, ...]) -> mx.array:
    """Cut off what padding beyond `safe_padding` would have cut off."""
    for axis, size in enumerate(g.output, 1):
        rest = g.padding[axis - 1] - padding[axis - 1]
        if rest:
            y = mx.take(y, mx.arange(rest, rest + size), axis=axis)
    return y
