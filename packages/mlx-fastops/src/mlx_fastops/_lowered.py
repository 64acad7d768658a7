"""Convolutions over time as matrix products, from MLX's public ops only.

A GPU multiplies matrices near its peak; for few channels, many groups or transposed convolutions
its convolution kernels may not be. Each form here computes the same sums as MLX's op, in another
order, and rearranges the weight at each call, which is little beside its product. None is better
everywhere: `mlx_fastops.warmup` measures which one a device should take.

    windows    output frame n sees taps x channels numbers that lie in one row of memory:
               x  [f0 f1 f2 f3 f4 ...]     row 0 = f0 f1 f2,  row 1 = f1 f2 f3   (3 taps, stride 1)
               the rows are a strided view, the convolution is rows @ weight
    products   each frame times each tap first, then the products of a frame's taps are summed along
               a diagonal: for fewer outputs than inputs this moves less memory
    phases     transposed convolution: outputs q*stride ... q*stride + stride - 1 all see the same
               ceil(taps / stride) input frames, so that stretch of outputs is one row of a product

MLX's vmap does not follow `as_strided`, on which these forms rest.
"""

from itertools import pairwise

import mlx.core as mx

from mlx_fastops._geometry import Geometry

# Numbers that the rows of one product may hold where MLX copies them: 64 MB of float32.
BLOCK_NUMBERS = 1 << 24


def conv1d(x: mx.array, weight: mx.array, bias: mx.array | None, g: Geometry) -> mx.array:
    """Convolve x (B, T, C) with weight (O, K, C/groups) -> (B, T_out, O); any geometry."""
    if g.padding[0]:
        x = mx.pad(x, [(0, 0), (g.padding[0], g.padding[0]), (0, 0)])
    if g.groups > 1:
        return _plus(_grouped(x, weight, g), bias)
    if weight.shape[0] < x.shape[2] and g.kernel[0] > 1:
        return _plus(_products(x, weight, g), bias)
    return _windows(x, weight, bias, g)


def _windows(x: mx.array, weight: mx.array, bias: mx.array | None, g: Geometry) -> mx.array:
    """Padded x (B, T, C) -> (B, T_out, O): rows of taps x channels numbers, times the weight."""
    batch, frames, channels = x.shape
    (taps,), (stride,), (dilation,), (size,) = g.kernel, g.stride, g.dilation, g.output
    matrix = weight.reshape(weight.shape[0], -1).T  # (K C, O)
    parts = []
    for start, count in _blocks(size, batch * taps * channels):
        if dilation == 1 or taps == 1:  # a tap after the other: a row is one stretch of memory
            rows = mx.as_strided(
                x,
                (batch, count, taps * channels),
                (frames * channels, stride * channels, 1),
                start * stride * channels,
            )
        else:
            rows = mx.as_strided(
                x,
                (batch, count, taps, channels),
                (frames * channels, stride * channels, dilation * channels, 1),
                start * stride * channels,
            ).reshape(batch, count, taps * channels)
        parts.append(rows @ matrix if bias is None else mx.addmm(bias, rows, matrix))
    return _joined(parts, 1)


def _products(x: mx.array, weight: mx.array, g: Geometry) -> mx.array:
    """Padded x (B, T, C) -> (B, T_out, O): every frame times every tap, summed along diagonals."""
    batch, frames, channels = x.shape
    (taps,), (stride,), (dilation,), (size,) = g.kernel, g.stride, g.dilation, g.output
    outputs = weight.shape[0]
    matrix = weight.swapaxes(0, 1).reshape(taps * outputs, channels).T  # (C, K O)
    width = taps * outputs
    diagonals = mx.as_strided(
        x @ matrix,  # (B, T, K O)
        (batch, size, taps, outputs),
        (frames * width, stride * width, dilation * width + outputs, 1),
    )
    return diagonals.sum(axis=2)


def _grouped(x: mx.array, weight: mx.array, g: Geometry) -> mx.array:
    """Padded x (B, T, C) -> (B, T_out, O): `_windows` of every group, as one batch of products."""
    batch, frames, channels = x.shape
    (taps,), (stride,), (dilation,), (size,) = g.kernel, g.stride, g.dilation, g.output
    groups, inputs, outputs = g.groups, channels // g.groups, weight.shape[0] // g.groups
    # A group's channels side by side, so that its taps follow each other in memory.
    x = x.reshape(batch, frames, groups, inputs).swapaxes(1, 2)  # (B, G, T, C/G)
    matrix = weight.reshape(groups, outputs, taps * inputs).swapaxes(1, 2)  # (G, K C/G, O/G)
    strides = (groups * frames * inputs, frames * inputs, stride * inputs)
    parts = []
    for start, count in _blocks(size, batch * taps * channels):
        if dilation == 1 or taps == 1:
            rows = mx.as_strided(
                x,
                (batch, groups, count, taps * inputs),
                (*strides, 1),
                start * stride * inputs,
            )
        else:
            rows = mx.as_strided(
                x,
                (batch, groups, count, taps, inputs),
                (*strides, dilation * inputs, 1),
                start * stride * inputs,
            ).reshape(batch, groups, count, taps * inputs)
        parts.append(rows @ matrix)  # (B, G, count, O/G)
    y = _joined(parts, 2)
    return y.swapaxes(1, 2).reshape(batch, size, groups * outputs)


def conv_transpose1d(x: mx.array, weight: mx.array, bias: mx.array | None, g: Geometry) -> mx.array:
    """Convolve x (B, T, C) transposed with weight (O, K, C) -> (B, T_out, O); groups 1.

    stride 2, 4 taps: output stretch q sees input frames q - 1 and q

        input          x0    x1    x2
        stretch     0     1     2     3        stretch q = [x(q-1) x(q)] @ matrix (2 C, 2 O)
        outputs    0 1   2 3   4 5   6 7       then `padding` outputs are cut off in front
    """
    batch, frames, channels = x.shape
    (stride,), (padding,), (size,) = g.stride, g.padding, g.output
    weight = _with_gaps(weight, g.dilation[0])  # (O, span, C)
    outputs, span = weight.shape[:2]
    seen = -(-span // stride)  # input frames that a stretch of outputs sees
    weight = mx.pad(weight, [(0, 0), (0, seen * stride - span), (0, 0)])
    # Tap k is input frame q - k // stride, output q * stride + k % stride.
    matrix = weight.reshape(outputs, seen, stride, channels)[:, ::-1]
    matrix = matrix.transpose(1, 3, 2, 0).reshape(seen * channels, stride * outputs)
    first = padding // stride
    count = -(-(padding + size) // stride) - first
    after = max(0, first + count - frames)
    x = mx.pad(x, [(0, 0), (seen - 1, after), (0, 0)])
    strides = (x.shape[1] * channels, channels, 1)
    shift = None if bias is None else mx.tile(bias, stride)
    parts = []
    for start, some in _blocks(count, batch * seen * channels):
        offset = (first + start) * channels
        rows = mx.as_strided(x, (batch, some, seen * channels), strides, offset)
        parts.append(rows @ matrix if shift is None else mx.addmm(shift, rows, matrix))
    y = _joined(parts, 1).reshape(batch, count * stride, outputs)
    skipped = padding - first * stride
    return y[:, skipped : skipped + size]


def _with_gaps(weight: mx.array, dilation: int) -> mx.array:
    """The weight (O, K, C) with dilation - 1 zeros between its taps."""
    if dilation == 1 or weight.shape[1] == 1:
        return weight
    outputs, taps, channels = weight.shape
    spread = mx.pad(weight[:, :, None], [(0, 0), (0, 0), (0, dilation - 1), (0, 0)])
    return spread.reshape(outputs, taps * dilation, channels)[:, : (taps - 1) * dilation + 1]


def _blocks(size: int, numbers: int) -> list[tuple[int, int]]:
    """Start and length of blocks of `size` rows of `numbers` numbers each, equal to within one."""
    count = max(1, -(-size // max(1, BLOCK_NUMBERS // numbers)))
    bounds = [size * i // count for i in range(count + 1)]
    return [(low, high - low) for low, high in pairwise(bounds)]


def _joined(parts: list[mx.array], axis: int) -> mx.array:
    return parts[0] if len(parts) == 1 else mx.concatenate(parts, axis=axis)


def _plus(y: mx.array, bias: mx.array | None) -> mx.array:
    return y if bias is None else y + bias
