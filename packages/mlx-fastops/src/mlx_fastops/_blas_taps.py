"""The two ways to multiply runs of neighbouring frames with all taps of a kernel at once."""

import numpy as np


def rows_of_runs(x: np.ndarray, first: int, count: int, length: int, step: int) -> np.ndarray:
    """Return `count` runs of `length` frames, `step` frames apart, as a matrix view of x (T, C)."""
    frame = x.strides[0]
    return np.ndarray(
        (count, length * x.shape[1]),
        x.dtype,
        buffer=x,
        offset=first * frame,
        strides=(step * frame, x.itemsize),
    )


def overlapping(x: np.ndarray, matrix: np.ndarray, taps: int, stride: int, out: np.ndarray) -> None:
    """Write the convolution of x (T, C) with matrix (taps * C, O) to out (T_out, O).

    One product for every ceil(taps / stride)-th output, whose runs of frames do not overlap.
    """
    products = -(-taps // stride)
    for r in range(min(products, len(out))):
        rows = out[r::products]
        runs = rows_of_runs(x, r * stride, len(rows), taps, products * stride)
        np.matmul(runs, matrix, out=rows)


def tap_by_tap(
    x: np.ndarray, matrix: np.ndarray, taps: int, dilation: int, out: np.ndarray
) -> None:
    """Do the same with a product for each tap, added up; for stride 1."""
    channels = x.shape[1]
    np.matmul(x[: len(out)], matrix[:channels], out=out)
    if taps == 1:
        return
    term = np.empty(out.shape, out.dtype)
    for k in range(1, taps):
        first = k * dilation
        tap = matrix[k * channels : (k + 1) * channels]
        np.matmul(x[first : first + len(out)], tap, out=term)
        out += term
