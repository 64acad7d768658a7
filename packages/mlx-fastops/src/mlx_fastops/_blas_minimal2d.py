"""Two-dimensional convolution by minimal filtering along the height (`_blas_minimal`).

A step is an image row with its zeros on both sides, flattened; the taps along a row are what the
filter leaves over, and the few outputs that reach from one row into the next are dropped.
"""

from functools import partial

import numpy as np

from mlx_fastops._arrays import Array
from mlx_fastops._blas_minimal import block_steps, minimal_taps, multiply, takes_part
from mlx_fastops._geometry import Geometry
from mlx_fastops._minimal_filter import MinimalFilter, minimal_filter
from mlx_fastops._parallel import Job

# With fewer channels the sums cost more than they save; with more the rearranged taps, twice as
# many numbers as the kernel has, are more memory than the time they save is worth.
CHANNELS = range(16, 193)


def form_for(weight: np.ndarray, geometry: Geometry, owner: Array) -> MinimalFilter | None:
    """Return the form that a convolution takes, None where plain products serve it better."""
    out_channels, kernel_h, _, channels = weight.shape
    if (
        not takes_part(weight, owner)
        or geometry.stride != (1, 1)
        or geometry.dilation != (1, 1)
        or geometry.groups != 1
        or kernel_h != 3
        or channels not in CHANNELS
        or out_channels not in CHANNELS
        or geometry.output[0] < 16
        or geometry.output[1] < 8
    ):
        return None
    return minimal_filter(4, 3)


def minimal_jobs(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None,
    y: np.ndarray,
    geometry: Geometry,
    form: MinimalFilter,
    owner: Array,
    relu: bool,
) -> list[Job]:
    """Return the blocks of x (H, W, C) * weight (O, KH, KW, C) [, then ReLU] -> y (H, W, O)."""
    out_channels, kernel_h, kernel_w, channels = weight.shape
    flat = weight.reshape(out_channels, kernel_h, kernel_w * channels)
    taps = minimal_taps(flat, form, owner)
    size = block_steps(len(y), form.outputs, x.shape[1] * channels, x.shape[1])
    return [
        partial(_convolve, x, taps, bias, y[start : start + size], start, geometry, form, relu)
        for start in range(0, len(y), size)
    ]


def _convolve(
    x: np.ndarray,
    taps: np.ndarray,
    bias: np.ndarray | None,
    out: np.ndarray,
    start: int,
    geometry: Geometry,
    form: MinimalFilter,
    relu: bool,
) -> None:
    """Write the output rows from `start` on to out (H, W_out, O)."""
    width, pad_w = x.shape[1], geometry.padding[1]
    m, tiles = form.outputs, -(-len(out) // form.outputs)
    rows = _rows(x, start - geometry.padding[0], tiles * m + form.products - m)
    apart = np.ndarray(
        (form.products, tiles, *x.shape[1:]),
        x.dtype,
        buffer=rows,
        strides=(x.strides[0], m * x.strides[0], *x.strides[1:]),
    )
    phases = np.empty((form.products, tiles, width + 2 * pad_w, x.shape[2]), x.dtype)
    phases[:, :, :pad_w] = 0
    phases[:, :, pad_w + width :] = 0
    phases[:, :, pad_w : pad_w + width] = apart
    made = multiply(phases.reshape(form.products, -1, x.shape[2]), taps, bias, form)
    made = made.reshape(m, tiles, width + 2 * pad_w, -1)
    woven = made[:, :, : out.shape[1]].swapaxes(0, 1)  # (tiles, m, W_out, O)
    whole, rest = divmod(len(out), m)
    pairs = [(woven[:whole], out[: whole * m].reshape(whole, m, *out.shape[1:]))]
    if rest:
        pairs.append((woven[whole, :rest], out[whole * m :]))
    for source, target in pairs:
        if relu:
            np.maximum(source, 0, out=target)
        else:
            target[...] = source


def _rows(x: np.ndarray, first: int, count: int) -> np.ndarray:
    """Return image rows [first, first + count) of x (H, W, C): a view if all of them exist."""
    if first >= 0 and first + count <= len(x):
        return x[first : first + count]
    rows = np.zeros((count, *x.shape[1:]), x.dtype)
    low, high = max(first, 0), min(first + count, len(x))
    rows[low - first : high - first] = x[low:high]
    return rows
