"""The two ways to multiply runs of neighbouring frames with all taps of a kernel at once.

Both take one signal or a stack of signals, each with a matrix of its own: NumPy then loops over the
stack by itself, and threads wait less often for the interpreter.
"""

import numpy as np


def runs_of_frames(x: np.ndarray, first: int, count: int, length: int, step: int) -> np.ndarray:
    """Return runs of `length` frames, `step` frames apart, as a view of x (..., T, C).

    x must be contiguous; the view is (..., count, length * C).
    """
    *stack, frame, _ = x.strides  # of a single channel the last stride may be anything
    return np.ndarray(
        (*x.shape[:-2], count, length * x.shape[-1]),
        x.dtype,
        buffer=x,
        offset=first * frame,
        strides=(*stack, step * frame, x.itemsize),
    )


def overlapping(x: np.ndarray, matrix: np.ndarray, taps: int, stride: int, out: np.ndarray) -> None:
    """Write the convolution of x (..., T, C) with matrix (..., taps * C, O) to out (..., T_out, O).

    One product for every ceil(taps / stride)-th output, whose runs of frames do not overlap.
    """
    products = -(-taps // stride)
    for r in range(min(products, out.shape[-2])):
        rows = out[..., r::products, :]
        runs = runs_of_frames(x, r * stride, rows.shape[-2], taps, products * stride)
        np.matmul(runs, matrix, out=rows)


def tap_by_tap(
    x: np.ndarray, matrix: np.ndarray, taps: int, dilation: int, out: np.ndarray
) -> None:
    """Do the same with a product for each tap, added up; for stride 1."""
    channels, count = x.shape[-1], out.shape[-2]
    np.matmul(x[..., :count, :], matrix[..., :channels, :], out=out)
    if taps == 1:
        return
    term = np.empty(out.shape, out.dtype)
    for k in range(1, taps):
        first = k * dilation
        tap = matrix[..., k * channels : (k + 1) * channels, :]
        np.matmul(x[..., first : first + count, :], tap, out=term)
        out += term
