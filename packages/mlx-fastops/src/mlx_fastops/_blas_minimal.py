"""One-dimensional convolution by minimal filtering: about half the multiplications.

The frames that a tile of m outputs sees are brought apart into n = m + r - 1 phases, so that every
step is a product of matrices:

    frames    0 1 2 3 4 5 6 7 8 9 10 ...          F(4, 4): m = r = 4, n = 7; dilation 1
    tile 0   [0 1 2 3 4 5 6]
    tile 1           [4 5 6 7 8 9 10]
    phase 0   0       4       8                   phase 4 is phase 0 one tile later, and so on

    P  (n, tiles, C)   phases
    U = B P            (n x n) times (n x tiles*C)
    M = U * taps       n convolutions over tiles, of ceil(K / r) taps
    Y = A M            (m x n) times (n x tiles*O), woven back into frames

A kernel of K taps is ceil(K / r) groups of r; as r = m, the next group sees what the next tile
sees, so all groups share U. (One group alone may have any r.) Dilation d makes d times as many
phases of signals that lie one after the other; the few rows that reach from one into the next are
computed and dropped. Work goes in blocks that stay in a core's own cache.
"""

from functools import partial

import mlx.core as mx
import numpy as np

from mlx_fastops._arrays import Array
from mlx_fastops._blas_segment import segment
from mlx_fastops._blas_taps import overlapping, tap_by_tap
from mlx_fastops._geometry import Geometry
from mlx_fastops._minimal_filter import ONE, MinimalFilter, minimal_filter
from mlx_fastops._packed import packed
from mlx_fastops._parallel import Job

# Numbers of input in a block, by measurement: half a megabyte, and P, U and M about as much each.
BLOCK = 1 << 17

# With fewer channels on a side the sums around the products cost more than they save.
LEAST_CHANNELS = 32

# From here on a product per group, added up, beats products of few rows with all groups.
MANY_CHANNELS = 192

# Taps of a kernel -> (outputs of a tile, taps of a group).
_FORMS = {3: (4, 3), 5: (4, 5)} | dict.fromkeys((4, *range(6, 17)), (4, 4))


def form_for(weight: np.ndarray, geometry: Geometry, owner: Array) -> MinimalFilter | None:
    """Return the form that a convolution takes, None where plain products serve it better.

    Only float32 weights held by an mx.array take part: their rearranged taps are kept with it.
    """
    out_channels, taps, channels = weight.shape
    if (
        weight.dtype != np.float32
        or not isinstance(owner, mx.array)
        or geometry.stride != (1,)
        or geometry.groups != 1
        or min(channels, out_channels) < LEAST_CHANNELS
        or taps not in _FORMS
        or geometry.output[0] < 8 * _FORMS[taps][0] * geometry.dilation[0]
    ):
        return None
    return minimal_filter(*_FORMS[taps])


def minimal_jobs(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None,
    y: np.ndarray,
    geometry: Geometry,
    form: MinimalFilter,
    owner: Array,
    slope: float | None,
    residual: np.ndarray | None,
) -> list[Job]:
    """Return the blocks of [leaky ReLU of] x (T, C) * weight (O, K, C) [+ residual] -> y."""
    taps = packed(
        owner,
        f"minimal {form.outputs} {form.taps}",
        lambda: minimal_taps(weight, form),
    )
    period = form.outputs * geometry.dilation[0]
    size = max(BLOCK // (x.shape[1] * period), 8) * period
    size = -(-len(y) // max(len(y) // size, 1))
    size = -(-size // period) * period
    return [
        partial(
            _convolve,
            x,
            taps,
            bias,
            y[start : start + size],
            geometry,
            form,
            start - geometry.padding[0],
            slope,
            None if residual is None else residual[start : start + size],
        )
        for start in range(0, len(y), size)
    ]


def minimal_taps(weight: np.ndarray, form: MinimalFilter) -> np.ndarray:
    """Return (products, groups * C, O) from weight (O, K, C), computed in float64."""
    out_channels, kernel, channels = weight.shape
    groups = -(-kernel // form.taps)
    made = np.zeros((form.products, groups, channels, out_channels), weight.dtype)
    for group in range(groups):
        taps = weight[:, group * form.taps : (group + 1) * form.taps].astype(np.float64)
        combined = np.tensordot(form.tap_matrix[:, : taps.shape[1]], taps, axes=(1, 1))
        made[:, group] = combined.swapaxes(1, 2)  # (products, C, O)
    return made.reshape(form.products, groups * channels, out_channels)


def _convolve(
    x: np.ndarray,
    taps: np.ndarray,
    bias: np.ndarray | None,
    out: np.ndarray,
    geometry: Geometry,
    form: MinimalFilter,
    first: int,
    slope: float | None,
    residual: np.ndarray | None,
) -> None:
    """Write outputs whose first tap lies at frame `first` of x (T, C) to out (T_out, O)."""
    (dilation,), channels, out_channels = geometry.dilation, x.shape[1], out.shape[1]
    m, n, groups = form.outputs, form.products, taps.shape[1] // channels
    period = m * dilation
    tiles = -(-len(out) // period)
    reach = tiles + groups - 1  # tiles that the groups of the last outputs see
    seen = segment(x, first, first + reach * period + (n - m) * dilation, slope)
    frame = seen.strides[0]
    apart = np.ndarray(
        (n, dilation, reach, channels),
        x.dtype,
        buffer=seen,
        strides=(dilation * frame, frame, period * frame, x.itemsize),
    )
    phases = np.ascontiguousarray(apart).reshape(n, -1)
    inputs = np.matmul(form.input_matrix.astype(x.dtype), phases)
    inputs = inputs.reshape(n, dilation * reach, channels)
    rows = dilation * reach - groups + 1
    products = np.empty((n, dilation * reach, out_channels), x.dtype)
    multiply = tap_by_tap if channels >= MANY_CHANNELS else overlapping
    for i in range(n):
        multiply(inputs[i], taps[i], groups, 1, products[i, :rows])
    if bias is not None:
        # The product at the point 1 enters all outputs with the same factor.
        products[ONE, :rows] += bias / form.output_matrix[0, ONE].astype(x.dtype)
    made = np.empty((m, dilation * reach, out_channels), x.dtype)
    numbers = rows * out_channels
    np.matmul(
        form.output_matrix.astype(x.dtype),
        products.reshape(n, -1)[:, :numbers],
        out=made.reshape(m, -1)[:, :numbers],
    )
    _weave(made.reshape(m, dilation, reach, out_channels), residual, out)


def _weave(made: np.ndarray, residual: np.ndarray | None, out: np.ndarray) -> None:
    """Write the outputs of tiles, made (m, d, tiles, O), as frames out (T, O), residual added."""
    m, dilation, _, channels = made.shape
    period = m * dilation
    whole, rest = divmod(len(out), period)
    woven = made[:, :, :whole].transpose(2, 0, 1, 3)  # (tiles, m, d, O)
    target = out[: whole * period].reshape(woven.shape)
    if residual is None:
        target[...] = woven
    else:
        np.add(woven, residual[: whole * period].reshape(woven.shape), out=target)
    if rest:
        last = np.ascontiguousarray(made[:, :, whole]).reshape(period, channels)
        np.add(last[:rest], 0 if residual is None else residual[-rest:], out=out[-rest:])
