"""Two-dimensional convolution in blocks of rows, by one of four ways.

- 3 rows of taps and a middling number of channels: minimal filtering (`_blas_minimal2d`).
- 1x1 kernels: one matrix product on the image as it lies.
- Others: the KW taps of a row are laid beside each other (KW copies), and each of the KH kernel
  rows is one product on the same copy, shifted by whole image rows.
- A vertical stride: all KH*KW taps are laid beside each other, one product.

Blocks stay in the cache the cores share.
"""

from functools import partial
from itertools import pairwise
from math import prod

import numpy as np

from mlx_fastops._arrays import Array
from mlx_fastops._blas_minimal2d import form_for, minimal_jobs
from mlx_fastops._geometry import Geometry
from mlx_fastops._parallel import block_count, run, thread_count

BLOCK_BYTES = 4 << 20


def conv2d(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None,
    geometry: Geometry,
    owner: Array,
    relu: bool = False,
) -> np.ndarray:
    """Convolve x (B, H, W, C) with weight (O, KH, KW, C/groups) [, then ReLU] -> y.

    `owner` is the array the caller gave as weight: what must be rearranged is kept with it.
    """
    y = np.empty((x.shape[0], *geometry.output, weight.shape[0]), x.dtype)
    form = form_for(weight, geometry, owner)
    if form is None:
        convolve_into(y, x, weight, bias, geometry, relu)
        return y
    jobs = []
    for image, out in zip(x, y, strict=True):
        contiguous = np.ascontiguousarray(image)
        jobs += minimal_jobs(contiguous, weight, bias, out, geometry, form, owner, relu)
    run(jobs)
    return y


def convolve_into(
    y: np.ndarray,
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None,
    geometry: Geometry,
    relu: bool = False,
) -> None:
    """Write the convolution into y (B, H_out, W_out, O), which may be any strided view."""
    if y.size == 0:
        return
    out_channels, *_, group_in = weight.shape
    group_out = out_channels // geometry.groups
    pointwise = geometry.kernel == geometry.stride == (1, 1) and geometry.padding == (0, 0)
    if pointwise:
        way = _pointwise
    elif geometry.stride[0] == 1:
        way = _row_by_row
    else:
        way = _unfolded
    taps_beside = {_pointwise: 1, _row_by_row: geometry.kernel[1]}.get(way, prod(geometry.kernel))
    # BLAS copies the matrix for every block. With more of it than of pixels, threads share the
    # output's channels, and blocks are as tall as memory allows.
    parts, budget = 1, BLOCK_BYTES
    if group_out > y.shape[1] * y.shape[2] // 2:
        parts, budget = min(thread_count(), group_out), 4 * BLOCK_BYTES
    blocks = _blocks(y, taps_beside * group_in + 2 * group_out, budget, parts)
    jobs = []
    for image, out in zip(x, y, strict=True):
        for g in range(geometry.groups):
            inputs = image[:, :, g * group_in : (g + 1) * group_in]
            for rows in _cuts(g * group_out, (g + 1) * group_out, parts):
                jobs += [
                    partial(
                        way,
                        inputs,
                        weight[rows],
                        x.dtype.type(0) if bias is None else bias[rows],
                        out[block, :, rows],
                        block.start,
                        geometry,
                        relu,
                    )
                    for block in blocks
                ]
    run(jobs)


def _cuts(start: int, stop: int, parts: int) -> list[slice]:
    bounds = [start + (stop - start) * i // parts for i in range(parts + 1)]
    return [slice(*pair) for pair in pairwise(bounds)]


def _blocks(y: np.ndarray, per_pixel: int, budget: int, parts: int) -> list[slice]:
    """Cut the rows of y (B, H, W, O) into blocks; a pixel needs `per_pixel` numbers."""
    height, width = y.shape[1:3]
    bytes_each = y.itemsize * width * per_pixel
    count = block_count(height, bytes_each, budget) if parts == 1 else height * bytes_each // budget
    size = -(-height // max(count, 1))
    return [slice(start, start + size) for start in range(0, height, size)]


def _pointwise(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    out: np.ndarray,
    start: int,
    _: Geometry,
    relu: bool,
) -> None:
    pixels = np.ascontiguousarray(x[start : start + len(out)]).reshape(-1, x.shape[2])
    product = np.matmul(pixels, weight.reshape(len(weight), -1).T)
    _finish(product, bias, relu, out)


def _row_by_row(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    out: np.ndarray,
    start: int,
    geometry: Geometry,
    relu: bool,
) -> None:
    channels, out_w = x.shape[2], out.shape[1]
    kernel_h, kernel_w = geometry.kernel
    dilation_h = geometry.dilation[0]
    matrices = [weight[:, i].reshape(len(weight), -1).T for i in range(kernel_h)]  # views
    reach = len(out) + dilation_h * (kernel_h - 1)
    top = start - geometry.padding[0]
    beside = np.empty((reach, out_w, kernel_w, channels), x.dtype)
    for j in range(kernel_w):
        _take(x, top, 1, j, geometry, beside[:, :, j])
    pixels = beside.reshape(reach * out_w, -1)
    count = len(out) * out_w
    total = np.matmul(pixels[:count], matrices[0])
    term = np.empty_like(total) if kernel_h > 1 else total
    for i, matrix in enumerate(matrices[1:], 1):
        first = i * dilation_h * out_w
        np.matmul(pixels[first : first + count], matrix, out=term)
        total += term
    _finish(total, bias, relu, out)


def _unfolded(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    out: np.ndarray,
    start: int,
    geometry: Geometry,
    relu: bool,
) -> None:
    (kernel_h, kernel_w), stride_h = geometry.kernel, geometry.stride[0]
    matrix = weight.reshape(len(weight), -1).T
    taken = np.empty((len(out), out.shape[1], kernel_h, kernel_w, x.shape[2]), x.dtype)
    for i in range(kernel_h):
        top = start * stride_h - geometry.padding[0] + i * geometry.dilation[0]
        for j in range(kernel_w):
            _take(x, top, stride_h, j, geometry, taken[:, :, i, j])
    product = np.matmul(taken.reshape(-1, matrix.shape[0]), matrix)
    _finish(product, bias, relu, out)


def _finish(product: np.ndarray, bias: np.ndarray, relu: bool, out: np.ndarray) -> None:
    """Add the bias while the product is in the cache, and apply ReLU if asked."""
    np.add(product.reshape(out.shape), bias, out=out)
    if relu:
        np.maximum(out, 0, out=out)


def _take(
    x: np.ndarray, top: int, step: int, column: int, geometry: Geometry, to: np.ndarray
) -> None:
    """Copy what kernel column `column` sees, from image row `top` on; zeros outside the image."""
    left = column * geometry.dilation[1] - geometry.padding[1]
    to_h, from_h = _meeting(top, step, to.shape[0], x.shape[0])
    to_w, from_w = _meeting(left, geometry.stride[1], to.shape[1], x.shape[1])
    to[: to_h.start] = 0
    to[to_h.stop :] = 0
    to[to_h, : to_w.start] = 0
    to[to_h, to_w.stop :] = 0
    to[to_h, to_w] = x[from_h, from_w]


def _meeting(first: int, step: int, count: int, length: int) -> tuple[slice, slice]:
    """Return which of the positions first, first+step, ... lie in [0, length), and where there."""
    low = max(0, -(first // step))
    high = min(count, -((first - length) // step))
    if low >= high:
        return slice(0, 0), slice(0, 0)
    return slice(low, high), slice(first + low * step, first + (high - 1) * step + 1, step)
