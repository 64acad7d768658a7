"""Convolution by minimal filtering, the part that one and two dimensions share.

The steps that a tile of m outputs sees are brought apart into n = m + r - 1 phases, so that
everything is a product of matrices:

    steps     0 1 2 3 4 5 6 7 8 9 10 ...          F(4, 4): m = r = 4, n = 7
    tile 0   [0 1 2 3 4 5 6]
    tile 1           [4 5 6 7 8 9 10]
    phase 0   0       4       8                   phase 4 is phase 0 one tile later, and so on

    P  (n, tiles, C)   phases
    U = B P            (n x n) times (n x tiles*C)
    M = U * taps       n convolutions, of what the filter leaves over (see below)
    Y = A M            (m x n) times (n x tiles*O), woven back into steps by the caller

In one dimension a step is a frame, and what is left over are groups of r taps: where r = m, the
next group sees what the next tile sees. In two dimensions a step is an image row, and what is left
over are the taps along the row.
"""

import mlx.core as mx
import numpy as np

from mlx_fastops._arrays import Array
from mlx_fastops._blas_taps import overlapping, tap_by_tap
from mlx_fastops._minimal_filter import ONE, MinimalFilter
from mlx_fastops._packed import packed
from mlx_fastops._parallel import block_count

# Numbers of input in a block, by measurement: half a megabyte, and P, U and M about as much each,
# so that they stay in a core's own cache.
BLOCK = 1 << 17

# Rows of a product in a block: BLAS copies the taps for each, which few rows would not pay back.
LEAST_ROWS = 64

# From here on a product per tap, added up, beats products of few rows with all taps.
MANY_CHANNELS = 192


def takes_part(weight: np.ndarray, owner: Array) -> bool:
    """Only float32 weights held by an mx.array take part: their rearranged taps are kept with it.

    Rearranging at every call would cost more than it saves.
    """
    return weight.dtype == np.float32 and isinstance(owner, mx.array)


def block_steps(steps: int, period: int, numbers: int, rows: int) -> int:
    """Say how many steps to compute at once: whole periods, as many blocks for each thread.

    A period is the steps that a tile of every phase takes, and gives `rows` rows to each product; a
    step holds `numbers` numbers.
    """
    periods = -(-steps // period)
    block_bytes = 8 * max(BLOCK, numbers * period * LEAST_ROWS // rows)
    blocks = block_count(periods, 8 * numbers * period, block_bytes)
    return -(-periods // blocks) * period


def minimal_taps(weight: np.ndarray, form: MinimalFilter, owner: Array) -> np.ndarray:
    """Return (products, groups * C, O) from weight (O, K, C), computed once, in float64."""

    def make() -> np.ndarray:
        out_channels, kernel, channels = weight.shape
        groups = -(-kernel // form.taps)
        made = np.zeros((form.products, groups, channels, out_channels), weight.dtype)
        for group in range(groups):
            taps = weight[:, group * form.taps : (group + 1) * form.taps].astype(np.float64)
            combined = np.tensordot(form.tap_matrix[:, : taps.shape[1]], taps, axes=(1, 1))
            made[:, group] = combined.swapaxes(1, 2)  # (products, C, O)
        return made.reshape(form.products, groups * channels, out_channels)

    return packed(owner, f"minimal {form.outputs} {form.taps} {weight.shape}", make)


def multiply(
    phases: np.ndarray,
    taps: np.ndarray,
    bias: np.ndarray | None,
    form: MinimalFilter,
) -> np.ndarray:
    """Return the outputs (m, N, O) of phases (n, N, C) and taps (n, L*C, O), L taps left over.

    The last L - 1 of the N rows are not computed.
    """
    n, count, channels = phases.shape
    left_over, out_channels = taps.shape[1] // channels, taps.shape[2]
    rows = count - left_over + 1
    inputs = np.matmul(form.input_matrix, phases.reshape(n, -1))
    inputs = inputs.reshape(phases.shape)
    products = np.empty((n, rows, out_channels), phases.dtype)
    convolve = tap_by_tap if channels >= MANY_CHANNELS else overlapping
    convolve(inputs, taps, left_over, 1, products)
    if bias is not None:
        # The product at the point 1 enters all outputs with the same factor.
        products[ONE] += bias / form.output_matrix[0, ONE]
    made = np.empty((form.outputs, count, out_channels), phases.dtype)
    np.matmul(
        form.output_matrix,
        products.reshape(n, -1),
        out=made.reshape(form.outputs, -1)[:, : rows * out_channels],
    )
    return made
