"""Activations and normalisation on both kinds of arrays: MLX's ops, or few passes in NumPy.

An mx.array in gives an mx.array out (lazy, differentiable), a NumPy array a NumPy array of the
same dtype; half precision is computed in float32.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import mlx.core as mx
import numpy as np

from mlx_fastops._arrays import A, Array, to_mlx
from mlx_fastops._dispatch import check_arrays
from mlx_fastops._packed import compute_view
from mlx_fastops._parallel import block_count, run

# Elements that one pass handles at a time, by measurement: small enough for the shared cache, large
# enough that two threads seldom wait for the interpreter between passes.
BLOCK = 1 << 18

# Phi(x) = (1 + tanh(x * q(x*x))) / 2: our own fit of q to atanh(erf(x / sqrt 2)) / x, weighted so
# that the largest error of erf is smallest: 6e-8, and 1.4e-7 after rounding to float32.
GELU_Q = (
    0.797884945,
    0.0363330842,
    -3.25946112e-05,
    -5.530638e-05,
    3.96478605e-06,
    -1.32267409e-07,
    1.75631178e-09,
)
# Beyond this square tanh is 1 in float32; the fit ends there.
GELU_LARGEST_SQUARE = 36.98


Kernel = Callable[[np.ndarray, np.ndarray], object]


def _in_parts(operation: str, x: Any, kernel: Kernel, row: int = 1) -> Any:
    """Return an array filled by kernel(rows of x, same rows of it), parts on several threads.

    x is cut as (rows, row): one number each for functions of single numbers.
    """
    check_arrays(operation, {"the input": x})
    if x.dtype == np.float16:
        return _in_parts(operation, x.astype(np.float32), kernel, row).astype(np.float16)
    y = np.empty(x.shape, x.dtype)
    if x.size == 0:
        return y
    shape = (-1, row) if row > 1 else (-1,)
    source, target = np.ascontiguousarray(x).reshape(shape), y.reshape(shape)
    count = block_count(len(source), 2 * row * x.itemsize, 4 * BLOCK * x.itemsize)
    size = -(-len(source) // count)
    run(
        partial(kernel, source[start : start + size], target[start : start + size])
        for start in range(0, len(source), size)
    )
    return y


def relu(x: A) -> A:
    """Return max(x, 0)."""
    if isinstance(x, mx.array):
        return mx.maximum(x, 0)
    return _in_parts("relu", x, lambda x, y: np.maximum(x, x.dtype.type(0), out=y))


def leaky_relu(x: A, slope: float = 0.01) -> A:
    """Return x where x > 0, else slope * x; 0 <= slope <= 1."""
    check_slope("leaky_relu", slope)

    # For such slopes the larger of the two is the right one: two passes and no mask.
    def larger(x: np.ndarray, y: np.ndarray) -> None:
        for start in range(0, len(x), BLOCK):
            part, out = x[start : start + BLOCK], y[start : start + BLOCK]
            np.multiply(part, x.dtype.type(slope), out=out)
            np.maximum(part, out, out=out)

    if isinstance(x, mx.array):
        return mx.maximum(x, slope * x)
    return _in_parts("leaky_relu", x, larger)


def check_slope(operation: str, slope: float) -> None:
    """Raise ValueError for a slope of leaky ReLU that max(x, slope * x) would not serve."""
    if not 0 <= slope <= 1:
        raise ValueError(f"{operation}: slope is {slope}; expected 0 to 1")


def tanh(x: A) -> A:
    """Return the hyperbolic tangent."""
    if isinstance(x, mx.array):
        return mx.tanh(x)
    return _in_parts("tanh", x, lambda x, y: np.tanh(x, out=y))


def sigmoid(x: A) -> A:
    """Return 1 / (1 + exp(-x))."""
    if isinstance(x, mx.array):
        return mx.sigmoid(x)
    return _in_parts("sigmoid", x, _sigmoid)


def _sigmoid(x: np.ndarray, y: np.ndarray) -> None:
    with np.errstate(over="ignore"):  # exp may reach infinity: the result is then exactly 0
        for start in range(0, len(x), BLOCK):
            out = y[start : start + BLOCK]
            np.negative(x[start : start + BLOCK], out=out)
            np.exp(out, out=out)
            out += 1
            np.reciprocal(out, out=out)


def gelu(x: A) -> A:
    """Return x * Phi(x), exact: Phi from erf, not from GELU's coarse tanh approximation (5e-4).

    NumPy has no erf: Phi comes from a fit that is exact to rounding in float32 (erf within 2e-7).
    """
    if isinstance(x, mx.array):
        return x * (1 + mx.erf(x * math.sqrt(0.5))) * 0.5
    return _in_parts("gelu", x, _gelu)


def _gelu(x: np.ndarray, y: np.ndarray) -> None:
    if x.dtype == np.float64:
        y[...] = x * (1 + np.vectorize(math.erf, otypes=[x.dtype])(x * math.sqrt(0.5))) * 0.5
        return
    square = np.empty(min(BLOCK, len(x)), x.dtype)
    for start in range(0, len(x), BLOCK):
        part, out = x[start : start + BLOCK], y[start : start + BLOCK]
        s = square[: len(part)]
        np.multiply(part, part, out=s)
        np.minimum(s, GELU_LARGEST_SQUARE, out=s)
        np.multiply(s, GELU_Q[-1], out=out)
        for coefficient in GELU_Q[-2:0:-1]:
            out += coefficient
            out *= s
        out += GELU_Q[0]
        out *= part
        np.tanh(out, out=out)
        out += 1
        out *= part
        out *= 0.5


def softmax(x: A, axis: int = -1) -> A:
    """Return exp(x) over its sum along an axis."""
    if isinstance(x, mx.array):
        return mx.softmax(x, axis=axis)
    if axis in (-1, x.ndim - 1):
        return _in_parts("softmax", x, _softmax, row=x.shape[-1])
    turned = np.moveaxis(x, axis, -1)
    return np.moveaxis(_in_parts("softmax", turned, _softmax, row=turned.shape[-1]), -1, axis)


def _softmax(x: np.ndarray, y: np.ndarray) -> None:
    x, y = np.atleast_2d(x.T).T, np.atleast_2d(y.T).T  # rows of one number come without an axis
    np.subtract(x, x.max(axis=1, keepdims=True), out=y)
    np.exp(y, out=y)
    y /= y.sum(axis=1, keepdims=True)


def layer_norm(
    x: A, weight: Array | None = None, bias: Array | None = None, eps: float = 1e-5
) -> A:
    """Normalise the last axis to mean 0 and variance 1 (biased, plus eps), then scale and shift.

    x (..., C), weight and bias (C,).
    """
    check_arrays("layer_norm", {"the input": x, "the weight": weight, "the bias": bias})
    for name, array in (("weight", weight), ("bias", bias)):
        if array is not None and tuple(array.shape) != tuple(x.shape[-1:]):
            raise ValueError(
                f"layer_norm: the {name} has shape {tuple(array.shape)}; "
                f"expected {tuple(x.shape[-1:])}, the last axis of the input"
            )
    if isinstance(x, mx.array):
        scale = None if weight is None else to_mlx(weight)
        shift = None if bias is None else to_mlx(bias)
        return mx.fast.layer_norm(x, scale, shift, eps)
    parts = [None if array is None else compute_view(array, x.dtype) for array in (weight, bias)]

    def normalise(x: np.ndarray, y: np.ndarray) -> None:
        x, y = np.atleast_2d(x.T).T, np.atleast_2d(y.T).T
        np.subtract(x, x.mean(axis=1, keepdims=True), out=y)
        deviation = np.einsum("tc,tc->t", y, y)[:, None]
        deviation /= y.shape[1]
        deviation += eps
        np.sqrt(deviation, out=deviation)
        y /= deviation
        if parts[0] is not None:
            y *= parts[0]
        if parts[1] is not None:
            y += parts[1]

    return _in_parts("layer_norm", x, normalise, row=x.shape[-1])
