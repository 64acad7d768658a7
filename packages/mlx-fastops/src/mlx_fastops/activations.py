"""Activations and normalisation on both kinds of arrays: MLX's ops, or few passes in NumPy.

An mx.array in gives an mx.array out (lazy, differentiable), a NumPy array a NumPy array.
"""

import mlx.core as mx
import numpy as np

from mlx_fastops._arrays import A, Array


def relu(x: A) -> A:
    """Return max(x, 0)."""
    if isinstance(x, mx.array):
        return mx.maximum(x, 0)
    return np.maximum(x, x.dtype.type(0))


def leaky_relu(x: A, slope: float = 0.01) -> A:
    """Return x where x > 0, else slope * x; 0 <= slope <= 1."""
    if not 0 <= slope <= 1:
        raise ValueError(f"leaky_relu: slope is {slope}; expected 0 to 1")
    # For such slopes the larger of the two is the right one: two passes and no mask.
    if isinstance(x, mx.array):
        return mx.maximum(x, slope * x)
    y = x * x.dtype.type(slope)
    return np.maximum(x, y, out=y)


def tanh(x: A) -> A:
    """Return the hyperbolic tangent."""
    return mx.tanh(x) if isinstance(x, mx.array) else np.tanh(x)


def sigmoid(x: A) -> A:
    """Return 1 / (1 + exp(-x))."""
    if isinstance(x, mx.array):
        return mx.sigmoid(x)
    with np.errstate(over="ignore"):  # exp(-x) may reach infinity: the result is then exactly 0
        y = np.exp(-x)
    y += 1
    return np.reciprocal(y, out=y)


def gelu(x: A) -> A:
    """Return x * Phi(x) with the exact normal distribution (erf), not the tanh approximation."""
    if isinstance(x, mx.array):
        return x * (1 + mx.erf(x / np.sqrt(2).item())) / 2
    y = np.array(mx.erf(mx.array(x) / np.sqrt(2).item()))
    y += 1
    y *= x
    y *= x.dtype.type(0.5)
    return y


def softmax(x: A, axis: int = -1) -> A:
    """Return exp(x) over its sum along an axis."""
    if isinstance(x, mx.array):
        return mx.softmax(x, axis=axis)
    y = x - x.max(axis=axis, keepdims=True)
    np.exp(y, out=y)
    y /= y.sum(axis=axis, keepdims=True)
    return y


def layer_norm(
    x: A, weight: Array | None = None, bias: Array | None = None, eps: float = 1e-5
) -> A:
    """Normalise the last axis to mean 0 and variance 1 (biased, plus eps), then scale and shift."""
    if isinstance(x, mx.array):
        w = None if weight is None else mx.array(weight)
        b = None if bias is None else mx.array(bias)
        return mx.fast.layer_norm(x, w, b, eps)
    y = x - x.mean(axis=-1, keepdims=True)
    variance = np.mean(y * y, axis=-1, keepdims=True)
    y /= np.sqrt(variance + x.dtype.type(eps))
    if weight is not None:
        y *= np.asarray(weight)
    if bias is not None:
        y += np.asarray(bias)
    return y
