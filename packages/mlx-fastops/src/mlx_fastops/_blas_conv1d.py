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

Where channels are many enough, minimal filtering (`_blas_minimal`) halves the multiplications
instead.
"""

from dataclasses import replace
from functools import partial

import numpy as np

from mlx_fastops._arrays import Array
from mlx_fastops._blas_minimal import MANY_CHANNELS
from mlx_fastops._blas_minimal1d import form_for, minimal_jobs
from mlx_fastops._blas_segment import segment
from mlx_fastops._blas_taps import overlapping, tap_by_tap
from mlx_fastops._geometry import Geometry
from mlx_fastops._packed import packed
from mlx_fastops._parallel import Job, block_count, run

# Bytes of input and output per block, by measurement: small enough for the cache, large enough
# that the rows of each product are many.
BLOCK_BYTES = 4 << 20

# Up to here a product per tap also beats taking a dilated signal apart.
FEW_TAPS = 4

# Kernels longer than four parts are cut into parts of this many taps.
PART_TAPS = 8


def conv1d(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None,
    geometry: Geometry,
    owner: Array,
    slope: float | None = None,
    residual: np.ndarray | None = None,
) -> np.ndarray:
    """Convolve [leaky ReLU of] x (B, T, C) with weight (O, K, C/groups) [+ residual] (B, T_out, O).

    `owner` is the array the caller gave as weight: what must be rearranged is kept with it.
    """
    out_channels, taps, group_in = weight.shape
    y = np.empty((x.shape[0], geometry.output[0], out_channels), x.dtype)
    if y.size == 0:
        return y
    in_parts = taps > 4 * PART_TAPS and geometry.stride == geometry.dilation == (1,)
    form = form_for(weight, geometry, owner)
    residuals = [None] * len(y) if residual is None else list(residual)
    if form is not None:
        jobs = []
        for signal, out, added in zip(x, y, residuals, strict=True):
            contiguous = np.ascontiguousarray(signal)
            jobs += minimal_jobs(contiguous, weight, bias, out, geometry, form, owner, slope, added)
        run(jobs)
        return y
    if in_parts or group_in == 1 < geometry.groups:
        x = np.stack([segment(signal, 0, len(signal), slope) for signal in x])
        slope = None
    if group_in == 1 < geometry.groups:
        for signal, out in zip(x, y, strict=True):
            _depthwise(signal, weight[:, :, 0], bias, out, geometry)
        return y if residual is None else np.add(y, residual, out=y)
    matrices = (
        packed(owner, f"parts {geometry.groups} {x.dtype}", lambda: _parts(weight, geometry.groups))
        if in_parts
        else weight.reshape(geometry.groups, -1, taps * group_in).swapaxes(1, 2)  # a view
    )
    group_out = out_channels // geometry.groups
    jobs = []
    for signal, out, added in zip(x, y, residuals, strict=True):
        for g, matrix in enumerate(matrices):
            rows = slice(g * group_out, (g + 1) * group_out)
            jobs += (_jobs_in_parts if in_parts else convolution_jobs)(
                np.ascontiguousarray(signal[:, g * group_in : (g + 1) * group_in]),
                matrix,
                None if bias is None else bias[rows],
                out[:, rows],
                geometry,
                slope,
                None if added is None else added[:, rows],
            )
    run(jobs)
    return y


def convolution_jobs(
    x: np.ndarray,
    matrix: np.ndarray,
    bias: np.ndarray | None,
    y: np.ndarray,
    geometry: Geometry,
    slope: float | None = None,
    residual: np.ndarray | None = None,
) -> list[Job]:
    """Return the blocks of a contiguous signal x (T, C) * matrix (K*C, O) -> y (T_out, O)."""
    per_frame = x.itemsize * (x.shape[1] * geometry.stride[0] + y.shape[1])
    least = max(geometry.kernel[0] // geometry.stride[0], 1) * geometry.dilation[0]
    return [
        partial(_convolve, x, matrix, bias, y, geometry, block, slope, residual)
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
    slope: float | None,
    residual: np.ndarray | None,
) -> None:
    (taps,), (stride,), (dilation,) = geometry.kernel, geometry.stride, geometry.dilation
    out = y[block]
    seen = _seen(x, block.start, len(out), geometry, slope)
    few = dilation > 1 and taps <= FEW_TAPS
    if stride == 1 < taps and (few or x.shape[1] >= MANY_CHANNELS):
        tap_by_tap(seen, matrix, taps, dilation, out)
    elif dilation == 1:
        overlapping(seen, matrix, taps, stride, out)
    elif stride == 1:
        _dilated(seen, matrix, taps, dilation, out)
    else:
        _unfolded(seen, matrix, taps, stride, dilation, out)
    if bias is not None:
        out += bias
    if residual is not None:
        out += residual[block]


def _seen(
    x: np.ndarray, start: int, count: int, geometry: Geometry, slope: float | None = None
) -> np.ndarray:
    """Return the frames that `count` outputs from `start` see."""
    first = start * geometry.stride[0] - geometry.padding[0]
    last = first + (count - 1) * geometry.stride[0] + geometry.span[0]
    return segment(x, first, last, slope)


def _dilated(
    x: np.ndarray,
    matrix: np.ndarray,
    taps: int,
    dilation: int,
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
    overlapping(
        apart.reshape(dilation * frames, -1), matrix, taps, 1, product[: len(product) - taps + 1]
    )
    product = product.reshape(dilation, frames, -1)
    whole, rest = divmod(len(out), dilation)
    evenly = product[:, :whole].swapaxes(0, 1)
    out[: whole * dilation].reshape(evenly.shape)[...] = evenly
    if rest:
        out[whole * dilation :] = product[:rest, whole]


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
    x: np.ndarray,
    matrix: np.ndarray,
    bias: np.ndarray | None,
    y: np.ndarray,
    geometry: Geometry,
    _: float | None,  # the slope is None here: applied before
    residual: np.ndarray | None,
) -> list[Job]:
    per_frame = x.itemsize * (x.shape[1] + matrix.shape[1])
    return [
        partial(_convolve_in_parts, x, matrix, bias, y, geometry, block, residual)
        for block in _blocks(len(y), per_frame, len(y) if geometry.groups > 1 else 8 * PART_TAPS)
    ]


def _convolve_in_parts(
    x: np.ndarray,
    matrix: np.ndarray,
    bias: np.ndarray | None,
    y: np.ndarray,
    geometry: Geometry,
    block: slice,
    residual: np.ndarray | None,
) -> None:
    parts = -(-geometry.kernel[0] // PART_TAPS)
    whole = replace(geometry, kernel=(parts * PART_TAPS,))  # the last part may end in zero taps
    shift = y.dtype.type(0) if bias is None else bias
    out = y[block]
    seen = _seen(x, block.start, len(out), whole)
    product = np.empty((len(seen) - PART_TAPS + 1, matrix.shape[1]), x.dtype)
    overlapping(seen, matrix, PART_TAPS, 1, product)
    product = product.reshape(len(product), parts, -1)
    np.add(product[: len(out), 0], shift, out=out)
    for part in range(1, parts):
        out += product[part * PART_TAPS :, part][: len(out)]
    if residual is not None:
        out += residual[block]


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
        seen = _seen(x, start, len(out), geometry)[:, :, None]
        reach = (len(out) - 1) * stride + 1
        for k, tap in enumerate(taps):
            total += seen[k * dilation : k * dilation + reach : stride] * tap
        out[...] = total.reshape(len(out), -1)
