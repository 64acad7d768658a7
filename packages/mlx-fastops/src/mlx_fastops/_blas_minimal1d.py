"""One-dimensional convolution by minimal filtering (`_blas_minimal`).

Dilation d makes d times as many phases, of d interleaved signals that lie one after the other; the
few rows that reach from one into the next are computed and dropped.
"""

from functools import partial

import numpy as np

from mlx_fastops._arrays import Array
from mlx_fastops._blas_minimal import block_steps, minimal_taps, multiply, takes_part
from mlx_fastops._blas_segment import segment
from mlx_fastops._geometry import Geometry
from mlx_fastops._minimal_filter import MinimalFilter, minimal_filter
from mlx_fastops._parallel import Job

# With fewer channels on a side the sums around the products cost more than they save.
LEAST_CHANNELS = 32

# With a stride a fourth of the products is saved, which needs more channels to pay.
LEAST_STRIDED = 128

# Taps of a kernel -> (outputs of a tile, taps of a group).
_FORMS = {3: (4, 3), 5: (4, 5)} | dict.fromkeys((4, *range(6, 17)), (4, 4))


def form_for(weight: np.ndarray, geometry: Geometry, owner: Array) -> MinimalFilter | None:
    """Return the form that a convolution takes, None where plain products serve it better."""
    out_channels, taps, channels = weight.shape
    (stride,), (dilation,) = geometry.stride, geometry.dilation
    strided = stride == 2 and taps == 3 and dilation == 1
    if (
        not takes_part(weight, owner)
        or not (stride == 1 or strided)
        or geometry.groups != 1
        or min(channels, out_channels) < (LEAST_STRIDED if strided else LEAST_CHANNELS)
        or taps not in _FORMS
        or geometry.output[0] < 8 * _FORMS[taps][0] * dilation
    ):
        return None
    return minimal_filter(*_FORMS[taps], stride)


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
    taps = minimal_taps(weight, form, owner)
    (dilation,) = geometry.dilation
    size = block_steps(len(y), form.outputs * dilation, x.shape[1] * form.stride, dilation)
    return [
        partial(
            _convolve,
            x,
            taps,
            bias,
            y[start : start + size],
            geometry,
            form,
            start * form.stride - geometry.padding[0],
            slope,
            None if residual is None else residual[start : start + size],
        )
        for start in range(0, len(y), size)
    ]


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
    (dilation,), channels = geometry.dilation, x.shape[1]
    n, period = form.products, form.outputs * dilation
    # Tiles that the last group of taps of the last outputs sees.
    tiles = -(-len(out) // period) + taps.shape[1] // channels - 1
    period *= form.stride  # from here on in frames of x
    seen = segment(x, first, first + (tiles - 1) * period + n * dilation, slope)
    frame = seen.strides[0]
    apart = np.ndarray(
        (n, dilation, tiles, channels),
        x.dtype,
        buffer=seen,
        strides=(dilation * frame, frame, period * frame, x.itemsize),
    )
    phases = np.ascontiguousarray(apart).reshape(n, dilation * tiles, channels)
    made = multiply(phases, taps, bias, form)
    _weave(made.reshape(form.outputs, dilation, tiles, -1), residual, out)


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
