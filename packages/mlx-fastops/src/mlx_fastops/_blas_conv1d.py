"""One-dimensional convolution as a few matrix products on the input as it lies in memory.

With channels last, the taps of one output are one run of memory: K frames of C channels are a row
of K*C numbers. Rows of neighbouring outputs overlap, which BLAS does not allow, but the rows of
every p-th output with p = ceil(K / stride) do not. So p products on strided views compute
everything, and the input is never unfolded:

    K = 3, stride 1     frames    0 1 2 3 4 5 6 7
    product 0, rows              [0 1 2|3 4 5]            -> outputs 0, 3
    product 1, rows                [1 2 3|4 5 6]          -> outputs 1, 4
    product 2, rows                  [2 3 4|5 6 7]        -> outputs 2, 5

Dilation d: the same on each of the d interleaved signals x[j::d], after a copy of a block of them.
All of it runs in blocks of frames that stay in the cache, which also bounds the memory.
"""

import numpy as np

from mlx_fastops._geometry import Geometry

# Bytes of input and output per block: the cache two cores share, by measurement.
BLOCK_BYTES = 4 << 20


def conv1d(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, geometry: Geometry
) -> np.ndarray:
    """Convolve x (B, T, C) with weight (O, K, C/groups) -> (B, T_out, O)."""
    out_channels, taps, group_in = weight.shape
    y = np.empty((x.shape[0], geometry.output[0], out_channels), x.dtype)
    if y.size == 0:
        return y
    groups = geometry.groups
    if groups == 1:
        matrix = weight.reshape(out_channels, taps * group_in).T  # (K*C, O), a view
        for signal, out in zip(x, y, strict=True):
            convolve(np.ascontiguousarray(signal), matrix, bias, out, geometry)
    elif group_in == 1:
        for signal, out in zip(x, y, strict=True):
            _depthwise(signal, weight[:, :, 0], bias, out, geometry)
    else:
        group_out = out_channels // groups
        for signal, out in zip(x, y, strict=True):
            for g in range(groups):
                rows = slice(g * group_out, (g + 1) * group_out)
                convolve(
                    np.ascontiguousarray(signal[:, g * group_in : (g + 1) * group_in]),
                    weight[rows].reshape(group_out, -1).T,
                    None if bias is None else bias[rows],
                    out[:, rows],
                    geometry,
                )
    return y


def convolve(
    x: np.ndarray,
    matrix: np.ndarray,
    bias: np.ndarray | None,
    y: np.ndarray,
    geometry: Geometry,
) -> None:
    """Convolve a contiguous signal x (T, C) with matrix (K*C, O) into y (T_out, O)."""
    (taps,), (stride,), (dilation,) = geometry.kernel, geometry.stride, geometry.dilation
    channels = x.shape[1]
    size = BLOCK_BYTES // (x.itemsize * (channels * stride + y.shape[1]))
    size = max(size, 32 * max(taps // stride, 1) * dilation)
    for start in range(0, len(y), size):
        out = y[start : start + size]
        segment = _padded(x, start, len(out), geometry)
        if dilation == 1:
            _overlapping(segment, matrix, taps, stride, out)
        elif stride == 1:
            _dilated(segment, matrix, taps, dilation, out)
        else:
            _unfolded(segment, matrix, taps, stride, dilation, out)
        if bias is not None:
            out += bias


def _padded(x: np.ndarray, start: int, count: int, geometry: Geometry) -> np.ndarray:
    """Return the frames that `count` outputs from `start` see: a view unless padding is among them."""
    first = start * geometry.stride[0] - geometry.padding[0]
    last = first + (count - 1) * geometry.stride[0] + geometry.span[0]
    if first >= 0 and last <= len(x):
        return x[first:last]
    segment = np.zeros((last - first, x.shape[1]), x.dtype)
    low, high = max(first, 0), min(last, len(x))
    if low < high:
        segment[low - first : high - first] = x[low:high]
    return segment


def _rows(x: np.ndarray, first: int, count: int, length: int, step: int) -> np.ndarray:
    """Return `count` runs of `length` frames, `step` frames apart, as a matrix view of x (T, C)."""
    frame = x.strides[0]
    return np.ndarray(
        (count, length * x.shape[1]),
        x.dtype,
        buffer=x,
        offset=first * frame,
        strides=(step * frame, x.itemsize),
    )


def _overlapping(
    x: np.ndarray, matrix: np.ndarray, taps: int, stride: int, out: np.ndarray
) -> None:
    products = -(-taps // stride)
    for r in range(min(products, len(out))):
        rows = out[r::products]
        runs = _rows(x, r * stride, len(rows), taps, products * stride)
        np.matmul(runs, matrix, out=rows)


def _dilated(x: np.ndarray, matrix: np.ndarray, taps: int, dilation: int, out: np.ndarray) -> None:
    frames = -(-len(x) // dilation)
    apart = np.empty((dilation, frames, x.shape[1]), x.dtype)
    whole = len(x) // dilation
    apart[:, :whole] = x[: whole * dilation].reshape(whole, dilation, -1).swapaxes(0, 1)
    apart[: len(x) - whole * dilation, whole:] = x[whole * dilation :, None]
    for j in range(min(dilation, len(out))):
        _overlapping(apart[j], matrix, taps, 1, out[j::dilation])


def _unfolded(
    x: np.ndarray, matrix: np.ndarray, taps: int, stride: int, dilation: int, out: np.ndarray
) -> None:
    windows = np.lib.stride_tricks.sliding_window_view(x, dilation * (taps - 1) + 1, axis=0)
    taken = windows[::stride, :, ::dilation].swapaxes(1, 2)  # (T_out, K, C)
    np.matmul(taken.reshape(len(taken), -1), matrix, out=out)


def _depthwise(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None,
    y: np.ndarray,
    geometry: Geometry,
) -> None:
    """Every input channel makes its own O/C outputs: taps are added up, there is no product."""
    (stride,), (dilation,) = geometry.stride, geometry.dilation
    channels = x.shape[1]
    per_channel = weight.shape[0] // channels
    size = max(1, (BLOCK_BYTES // 8) // (x.itemsize * y.shape[1]))
    taps = weight.T.reshape(-1, channels, per_channel)  # (K, C, O/C)
    for start in range(0, len(y), size):
        out = y[start : start + size]
        total = np.zeros((len(out), channels, per_channel), x.dtype)
        if bias is not None:
            total += bias.reshape(channels, per_channel)
        segment = _padded(x, start, len(out), geometry)[:, :, None]
        reach = (len(out) - 1) * stride + 1
        for k, tap in enumerate(taps):
            total += segment[k * dilation : k * dilation + reach : stride] * tap
        out[...] = total.reshape(len(out), -1)
