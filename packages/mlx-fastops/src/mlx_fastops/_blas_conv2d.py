"""Two-dimensional convolution: the taps of each output are gathered per block, then one product."""

import numpy as np

from mlx_fastops._geometry import Geometry

BLOCK_BYTES = 4 << 20


def conv2d(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, geometry: Geometry
) -> np.ndarray:
    """Convolve x (B, H, W, C) with weight (O, KH, KW, C/groups) -> (B, H_out, W_out, O)."""
    out_channels, *_, group_in = weight.shape
    y = np.empty((x.shape[0], *geometry.output, out_channels), x.dtype)
    if y.size == 0:
        return y
    group_out = out_channels // geometry.groups
    for image, out in zip(x, y, strict=True):
        for g in range(geometry.groups):
            rows = slice(g * group_out, (g + 1) * group_out)
            _convolve(
                image[:, :, g * group_in : (g + 1) * group_in],
                weight[rows].reshape(group_out, -1).T,
                None if bias is None else bias[rows],
                out[:, :, rows],
                geometry,
            )
    return y


def _convolve(
    x: np.ndarray,
    matrix: np.ndarray,
    bias: np.ndarray | None,
    y: np.ndarray,
    geometry: Geometry,
) -> None:
    height, width, channels = x.shape
    (kernel_h, kernel_w), (stride_h, stride_w) = geometry.kernel, geometry.stride
    (pad_h, pad_w), (dilation_h, dilation_w) = geometry.padding, geometry.dilation
    out_h, out_w, _ = y.shape
    per_row = x.itemsize * out_w * (matrix.shape[0] + matrix.shape[1])
    size = max(1, BLOCK_BYTES // per_row)
    for start in range(0, out_h, size):
        out = y[start : start + size]
        taken = np.zeros((len(out), out_w, kernel_h, kernel_w, channels), x.dtype)
        for i in range(kernel_h):
            top = start * stride_h - pad_h + i * dilation_h
            to_h, from_h = _meeting(top, stride_h, len(out), height)
            for j in range(kernel_w):
                to_w, from_w = _meeting(j * dilation_w - pad_w, stride_w, out_w, width)
                taken[to_h, to_w, i, j] = x[from_h, from_w]
        product = np.matmul(taken.reshape(-1, matrix.shape[0]), matrix)
        product = product.reshape(len(out), out_w, -1)
        if bias is None:
            out[...] = product
        else:
            np.add(product, bias, out=out)


def _meeting(first: int, step: int, count: int, length: int) -> tuple[slice, slice]:
    """Of positions first, first+step, ...: the slice of them inside [0, length), and where that is."""
    low = max(0, -(first // step))
    high = max(low, min(count, -((first - length) // step)))
    if low == high:
        return slice(0, 0), slice(0, 0)
    start = first + low * step
    return slice(low, high), slice(start, first + (high - 1) * step + 1, step)
