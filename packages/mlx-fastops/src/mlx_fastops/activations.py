"""Activations and normalisation on both kinds of arrays: MLX's ops, or few passes in NumPy.

An mx.array in gives an mx.array out (lazy, differentiable), a NumPy array a NumPy array of the
same dtype; half precision is computed in float32.
"""

import math
from collections.abc import Callable
from typing import Any

import mlx.core as mx
import numpy as np

from mlx_fastops._arrays import A, Array, to_mlx, view
from mlx_fastops._dispatch import check_arrays

# Elements of float32 that a pass over NumPy arrays handles at a time: two such blocks stay in L2.
BLOCK = 1 << 15

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


def _numpy(operation: str, x: Any, function: Callable[[np.ndarray], np.ndarray]) -> Any:
    check_arrays(operation, {"the input": x})
    if x.dtype == np.float16:
        return function(x.astype(np.float32)).astype(np.float16)
    return function(x)


def relu(x: A) -> A:
    """Return max(x, 0)."""
    if isinstance(x, mx.array):
        return mx.maximum(x, 0)
    return _numpy("relu", x, lambda x: np.maximum(x, x.dtype.type(0)))


def leaky_relu(x: A, slope: float = 0.01) -> A:
    """Return x where x > 0, else slope * x; 0 <= slope <= 1."""
    if not 0 <= slope <= 1:
        raise ValueError(f"leaky_relu: slope is {slope}; expected 0 to 1")

    # For such slopes the larger of the two is the right one: two passes and no mask.
    def larger(x: np.ndarray) -> np.ndarray:
        y = x * x.dtype.type(slope)
        return np.maximum(x, y, out=y)

    if isinstance(x, mx.array):
        return mx.maximum(x, slope * x)
    return _numpy("leaky_relu", x, larger)


def tanh(x: A) -> A:
    """Return the hyperbolic tangent."""
    if isinstance(x, mx.array):
        return mx.tanh(x)
    return _numpy("tanh", x, np.tanh)


def sigmoid(x: A) -> A:
    """Return 1 / (1 + exp(-x))."""

    def logistic(x: np.ndarray) -> np.ndarray:
        y = np.negative(x)
        with np.errstate(over="ignore"):  # exp may reach infinity: the result is then exactly 0
            np.exp(y, out=y)
        y += 1
        return np.reciprocal(y, out=y)

    if isinstance(x, mx.array):
        return mx.sigmoid(x)
    return _numpy("sigmoid", x, logistic)


def gelu(x: A) -> A:
    """Return x * Phi(x), exact: Phi from erf, not from GELU's coarse tanh approximation (5e-4).

    NumPy has no erf: Phi comes from a fit that is exact to rounding in float32 (erf within 2e-7).
    """
    if isinstance(x, mx.array):
        return x * (1 + mx.erf(x * math.sqrt(0.5))) * 0.5
    return _numpy("gelu", x, _gelu)


def _gelu(x: np.ndarray) -> np.ndarray:
    if x.dtype == np.float64:
        return x * (1 + np.vectorize(math.erf, otypes=[x.dtype])(x * math.sqrt(0.5))) * 0.5
    y = np.empty(x.shape, x.dtype)
    source, target = x.reshape(-1), y.reshape(-1)
    square = np.empty(min(BLOCK, x.size), x.dtype)
    for start in range(0, x.size, BLOCK):
        part, out = source[start : start + BLOCK], target[start : start + BLOCK]
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
    return y


def softmax(x: A, axis: int = -1) -> A:
    """Return exp(x) over its sum along an axis."""

    def normalised(x: np.ndarray) -> np.ndarray:
        y = x - x.max(axis=axis, keepdims=True)
        np.exp(y, out=y)
        y /= y.sum(axis=axis, keepdims=True)
        return y

    if isinstance(x, mx.array):
        return mx.softmax(x, axis=axis)
    return _numpy("softmax", x, normalised)


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

    def normalised(x: np.ndarray) -> np.ndarray:
        y = x - x.mean(axis=-1, keepdims=True)
        variance = np.mean(y * y, axis=-1, keepdims=True)
        y /= np.sqrt(variance + x.dtype.type(eps))
        if weight is not None:
            y *= view(weight).astype(x.dtype, copy=False)
        if bias is not None:
            y += view(bias).astype(x.dtype, copy=False)
        return y

    return _numpy("layer_norm", x, normalised)
