"""One-dimensional convolution as a few matrix products on the input as it lies in memory.

With channels last, the taps of one output are one run of memory: K frames of C channels are a row
of K*C numbers. Rows of neighbouring outputs overlap, which BLAS does not allow, but the rows of
every p-th output with p = ceil(K / stride) do not. So p products on strided views compute
everything, and the input is never unfolded:

    K = 3, stride 1     frames    0 1 2 3 4 5 6 7
    product 0, rows              [0 1 2|3 4 5]            -> outputs 0, 3
    product 1, rows                [1 2 3|4 5 6]          -> outputs 1, 4
    product 2, rows                  [2 3 4|5 6 7]        -> outputs 2, 5

With many channels, or few dilated taps, one product per tap, added up, is faster. For other
dilations d: the same as above on the d interleaved signals x[j::d], after a copy of a block.
A kernel as long as HuBERT's positional one (128 taps in 16 groups) would leave products of few
rows: it is cut into parts of 8 taps, all parts are outputs of one product, and their shifted
results are added. All of it runs in blocks of frames that stay in the cache, which also bounds
the memory.
"""

from dataclasses import replace
from functools import partial

import numpy as np

from mlx_fastops._arrays import Array
from mlx_fastops._geometry import Geometry
from mlx_fastops._packed import packed
from mlx_fastops._parallel import Job, block_count, run

# Bytes of input and output per block, by measurement: small enough for the cache, large enough
# that the rows of each product are many.
BLOCK_BYTES = 4 << 20

# From here on a product per tap, added up, beats products of few rows with all taps.
MANY_CHANNELS = 192

# Up to here a product per tap also beats taking a dilated signal apart.
FEW_TAPS = 4

# Kernels longer than four parts are cut into parts of this many taps.
PART_TAPS = 8


def conv1d(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, geometry: Geometry, owner: Array
) -> np.ndarray:
    """Convolve x (B, T, C) with weight (O, K, C/groups) -> (B, T_out, O).

    `owner` is the array the caller gave as weight: what must be rearranged is kept with it.
    """
    out_channels, taps, group_in = weight.shape
    y = np.empty((x.shape[0], geometry.output[0], out_channels), x.dtype)
    if y.size == 0:
        return y
    if group_in == 1 < geometry.groups:
        for signal, out in zip(x, y, strict=True):
            _depthwise(signal, weight[:, :, 0], bias, out, geometry)
        return y
    in_parts = taps > 4 * PART_TAPS and geometry.stride == geometry.dilation == (1,)
    matrices = (
        packed(owner, f"parts {geometry.groups} {x.dtype}", lambda: _parts(weight, geometry.groups))
        if in_parts
        else weight.reshape(geometry.groups, -1, taps * group_in).swapaxes(1, 2)  # a view
    )
    group_out = out_channels // geometry.groups
    jobs = []
    for signal, out in zip(x, y, strict=True):
        for g, matrix in enumerate(matrices):
            rows = slice(g * group_out, (g + 1) * group_out)
            jobs += (_jobs_in_parts if in_parts else convolution_jobs)(
                np.ascontiguousarray(signal[:, g * group_in : (g + 1) * group_in]),
                matrix,
                None if bias is None else bias[rows],
                out[:, rows],
                geometry,
            )
    run(jobs)
    return y


def convolution_jobs(
    x: np.ndarray,
    matrix: np.ndarray,
    bias: np.ndarray | None,
    y: np.ndarray,
    geometry: Geometry,
) -> list[Job]:
    """Return the blocks of a contiguous signal x (T, C) * matrix (K*C, O) -> y (T_out, O)."""
    per_frame = x.itemsize * (x.shape[1] * geometry.stride[0] + y.shape[1])
    least = max(geometry.kernel[0] // geometry.stride[0], 1) * geometry.dilation[0]
    return [
        partial(_convolve, x, matrix, bias, y, geometry, block)
        for block in _blocks(len(y), per_frame, 16 * least)
    ]


def _blocks(frames: int, per_frame: int, least: int) -> list[slice]:
    """Cut frames into blocks for the cache and the threads, `least` frames or more."""
    count = min(block_count(frames, per_frame, BLOCK_BYTES), max(frames // least, 1))
    size = -(-frames // count)
    return [slice(start, min(start + size, frames)) for start in range(0, frames, size)]


def _convolve(
    x: np.ndarray,
    matrix: np.ndarray,
    bias: np.ndarray | None,
    y: np.ndarray,
    geometry: Geometry,
    block: slice,
) -> None:
    (taps,), (stride,), (dilation,) = geometry.kernel, geometry.stride, geometry.dilation
    out = y[block]
    segment = _padded(x, block.start, len(out), geometry)
    few = dilation > 1 and taps <= FEW_TAPS
    if stride == 1 < taps and (few or x.shape[1] >= MANY_CHANNELS):
        _tap_by_tap(segment, matrix, taps, dilation, out)
    elif dilation == 1:
        _overlapping(segment, matrix, taps, stride, out)
    elif stride == 1:
        _dilated(segment, matrix, taps, dilation, bias, out)
        return
    else:
        _unfolded(segment, matrix, taps, stride, dilation, out)
    if bias is not None:
        out += bias


def _padded(x: np.ndarray, start: int, count: int, geometry: Geometry) -> np.ndarray:
    """Return the frames that `count` outputs from `start` see: a view if none is padding."""
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


def _tap_by_tap(
    x: np.ndarray, matrix: np.ndarray, taps: int, dilation: int, out: np.ndarray
) -> None:
    channels = x.shape[1]
    np.matmul(x[: len(out)], matrix[:channels], out=out)
    term = np.empty(out.shape, out.dtype)
    for k in range(1, taps):
        first = k * dilation
        tap = matrix[k * channels : (k + 1) * channels]
        np.matmul(x[first : first + len(out)], tap, out=term)
        out += term


def _dilated(
    x: np.ndarray,
    matrix: np.ndarray,
    taps: int,
    dilation: int,
    bias: np.ndarray | None,
    out: np.ndarray,
) -> None:
    # The interleaved signals lie one after the other, so that one set of products serves all;
    # the rows that reach from one signal into the next are computed and dropped.
    frames = -(-len(x) // dilation)
    whole, rest = divmod(len(x), dilation)
    apart = np.empty((dilation, frames, x.shape[1]), x.dtype)
    apart[:, :whole] = x[: whole * dilation].reshape(whole, dilation, x.shape[1]).swapaxes(0, 1)
    apart[:rest, whole:] = x[whole * dilation :, None]
    apart[rest:, whole:] = 0
    product = np.empty((dilation * frames, out.shape[1]), x.dtype)
    _overlapping(
        apart.reshape(dilation * frames, -1), matrix, taps, 1, product[: len(product) - taps + 1]
    )
    product = product.reshape(dilation, frames, -1)
    whole, rest = divmod(len(out), dilation)
    shift = out.dtype.type(0) if bias is None else bias
    evenly = product[:, :whole].swapaxes(0, 1)
    np.add(evenly, shift, out=out[: whole * dilation].reshape(evenly.shape))
    if rest:
        np.add(product[:rest, whole], shift, out=out[whole * dilation :])


def _parts(weight: np.ndarray, groups: int) -> np.ndarray:
    """Return (groups, part taps * C/groups, parts * O/groups) from weight (O, K, C/groups)."""
    out_channels, taps, group_in = weight.shape
    parts = -(-taps // PART_TAPS)
    whole = np.zeros((out_channels, parts * PART_TAPS, group_in), weight.dtype)
    whole[:, :taps] = weight
    whole = whole.reshape(groups, out_channels // groups, parts, PART_TAPS * group_in)
    matrices = np.ascontiguousarray(whole.transpose(0, 3, 2, 1))
    return matrices.reshape(groups, PART_TAPS * group_in, -1)


def _jobs_in_parts(
    x: np.ndarray, matrix: np.ndarray, bias: np.ndarray | None, y: np.ndarray, geometry: Geometry
) -> list[Job]:
    per_frame = x.itemsize * (x.shape[1] + matrix.shape[1])
    return [
        partial(_convolve_in_parts, x, matrix, bias, y, geometry, block)
        for block in _blocks(len(y), per_frame, len(y) if geometry.groups > 1 else 8 * PART_TAPS)
    ]


def _convolve_in_parts(
    x: np.ndarray,
    matrix: np.ndarray,
    bias: np.ndarray | None,
    y: np.ndarray,
    geometry: Geometry,
    block: slice,
) -> None:
    parts = -(-geometry.kernel[0] // PART_TAPS)
    whole = replace(geometry, kernel=(parts * PART_TAPS,))  # the last part may end in zero taps
    shift = y.dtype.type(0) if bias is None else bias
    out = y[block]
    segment = _padded(x, block.start, len(out), whole)
    product = np.empty((len(segment) - PART_TAPS + 1, matrix.shape[1]), x.dtype)
    _overlapping(segment, matrix, PART_TAPS, 1, product)
    product = product.reshape(len(product), parts, -1)
    np.add(product[: len(out), 0], shift, out=out)
    for part in range(1, parts):
        out += product[part * PART_TAPS :, part][: len(out)]


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
