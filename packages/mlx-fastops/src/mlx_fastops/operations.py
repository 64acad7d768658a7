"""The public operations: checks, then MLX's op or the BLAS path.

Layouts are MLX's: channels last, weights (out channels, taps..., in channels / groups).
An mx.array in gives an mx.array out, a NumPy array in gives a NumPy array out.
"""

from typing import overload

import mlx.core as mx
import numpy as np

from mlx_fastops import (
    _blas_attention,
    _blas_conv1d,
    _blas_conv2d,
    _blas_conv_transpose,
    _blas_matmul,
    _mlx_conv,
)
from mlx_fastops._arrays import A, Array
from mlx_fastops._dispatch import check_arrays, dispatch
from mlx_fastops._geometry import Ints, conv_geometry
from mlx_fastops.activations import check_slope, leaky_relu


def _pair(values: tuple[int, ...]) -> tuple[int, int]:
    return values[0], values[1]


def conv1d(
    x: A,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: Ints = 1,
    padding: Ints = 0,
    dilation: Ints = 1,
    groups: int = 1,
    leaky_slope: float | None = None,
    residual: Array | None = None,
    backend: str | None = None,
) -> A:
    """Convolve x (B, T, C) with weight (O, K, C/groups), bias (O,) -> (B, T_out, O).

    T_out = (T + 2*padding - dilation*(K-1) - 1) // stride + 1. Semantics of mx.conv1d (and of
    torch.nn.functional.conv1d with channels last). Half precision is computed in float32 on the
    BLAS path. Raises ValueError for shapes that do not fit, saying found and expected.

    What stands around the convolutions of residual blocks costs little while a block of data is
    in the cache: `leaky_slope` (0 to 1) applies leaky ReLU to x first, `residual` (B, T_out, O) is
    added to the result.
    """
    arrays = {"the input": x, "the weight": weight, "the bias": bias, "the residual": residual}
    check_arrays("conv1d", arrays)
    g = conv_geometry(
        "conv1d",
        x,
        weight,
        bias,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
    )

    if leaky_slope is not None:
        check_slope("conv1d", leaky_slope)
    expected = (x.shape[0], *g.output, weight.shape[0])
    if residual is not None and tuple(residual.shape) != expected:
        raise ValueError(
            f"conv1d: the residual has shape {tuple(residual.shape)}; expected that of the "
            f"result, {expected}"
        )
    owner = weight

    def mlx_op(
        x: mx.array, weight: mx.array, bias: mx.array | None, residual: mx.array | None
    ) -> mx.array:
        if leaky_slope is not None:
            x = leaky_relu(x, leaky_slope)
        return _mlx_conv.plus(_mlx_conv.conv1d(x, weight, bias, g), residual)

    def blas_op(
        x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, residual: np.ndarray | None
    ) -> np.ndarray:
        return _blas_conv1d.conv1d(x, weight, bias, g, owner, leaky_slope, residual)

    return dispatch("conv1d", (x, weight, bias, residual), mlx_op, blas_op, backend)


def conv_transpose1d(
    x: A,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: Ints = 1,
    padding: Ints = 0,
    dilation: Ints = 1,
    output_padding: Ints = 0,
    groups: int = 1,
    backend: str | None = None,
) -> A:
    """Convolve x (B, T, C) transposed with weight (O, K, C/groups) -> (B, T_out, O).

    T_out = (T-1)*stride - 2*padding + dilation*(K-1) + output_padding + 1. The outputs that
    output_padding adds are computed from the input like all others (torch's meaning), and are not
    zeros appended afterwards.
    """
    check_arrays("conv_transpose1d", {"the input": x, "the weight": weight, "the bias": bias})
    g = conv_geometry(
        "conv_transpose1d",
        x,
        weight,
        bias,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        output_padding=output_padding,
    )
    owner = weight

    def mlx_op(x: mx.array, weight: mx.array, bias: mx.array | None) -> mx.array:
        return _mlx_conv.conv_transpose1d(x, weight, bias, g)

    def blas_op(x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None) -> np.ndarray:
        return _blas_conv_transpose.conv_transpose1d(x, weight, bias, g, owner)

    return dispatch("conv_transpose1d", (x, weight, bias), mlx_op, blas_op, backend)


def conv2d(
    x: A,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: Ints = 1,
    padding: Ints = 0,
    dilation: Ints = 1,
    groups: int = 1,
    relu: bool = False,
    backend: str | None = None,
) -> A:
    """Convolve x (B, H, W, C) with weight (O, KH, KW, C/groups) -> (B, H_out, W_out, O).

    stride, padding and dilation are one number or (height, width). Semantics of mx.conv2d. With
    `relu` the result is max(·, 0), applied while it is in the cache.
    """
    check_arrays("conv2d", {"the input": x, "the weight": weight, "the bias": bias})
    g = conv_geometry(
        "conv2d",
        x,
        weight,
        bias,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
    )
    owner = weight

    def mlx_op(x: mx.array, weight: mx.array, bias: mx.array | None) -> mx.array:
        y = mx.conv2d(x, weight, _pair(g.stride), _pair(g.padding), _pair(g.dilation), g.groups)
        y = _mlx_conv.plus(y, bias)
        return mx.maximum(y, 0) if relu else y

    def blas_op(x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None) -> np.ndarray:
        return _blas_conv2d.conv2d(x, weight, bias, g, owner, relu)

    return dispatch("conv2d", (x, weight, bias), mlx_op, blas_op, backend)


def conv_transpose2d(
    x: A,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: Ints = 1,
    padding: Ints = 0,
    dilation: Ints = 1,
    output_padding: Ints = 0,
    groups: int = 1,
    backend: str | None = None,
) -> A:
    """Convolve x (B, H, W, C) transposed with weight (O, KH, KW, C/groups).

    H_out = (H-1)*stride - 2*padding + dilation*(KH-1) + output_padding + 1, the width likewise.
    output_padding computes more outputs, as torch does; it appends no zeros.
    """
    check_arrays("conv_transpose2d", {"the input": x, "the weight": weight, "the bias": bias})
    g = conv_geometry(
        "conv_transpose2d",
        x,
        weight,
        bias,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        output_padding=output_padding,
    )

    owner = weight

    def mlx_op(x: mx.array, weight: mx.array, bias: mx.array | None) -> mx.array:
        padding, extra = _mlx_conv.safe_padding(g)
        y = mx.conv_transpose2d(
            x,
            weight,
            _pair(g.stride),
            _pair(padding),
            _pair(g.dilation),
            _pair(extra),
            g.groups,
        )
        return _mlx_conv.plus(_mlx_conv.cropped(y, g, padding), bias)

    def blas_op(x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None) -> np.ndarray:
        return _blas_conv_transpose.conv_transpose2d(x, weight, bias, g, owner)

    return dispatch("conv_transpose2d", (x, weight, bias), mlx_op, blas_op, backend)


@overload
def matmul(a: mx.array, b: Array, *, backend: str | None = None) -> mx.array: ...
@overload
def matmul(a: np.ndarray, b: Array, *, backend: str | None = None) -> np.ndarray: ...
def matmul(a: Array, b: Array, *, backend: str | None = None) -> Array:
    """Return the matrix product a @ b, stacks of matrices included; the kind follows a."""
    check_arrays("matmul", {"the first factor": a, "the second factor": b})
    inner = b.shape[0] if b.ndim == 1 else b.shape[-2] if b.ndim else None
    if a.ndim == 0 or inner is None or a.shape[-1] != inner:
        raise ValueError(
            f"matmul: found shapes {tuple(a.shape)} and {tuple(b.shape)}; expected the last axis "
            "of the first to equal the second to last of the second"
        )
    return dispatch("matmul", (a, b), mx.matmul, _blas_matmul.matmul, backend)


def linear(x: A, weight: Array, bias: Array | None = None, *, backend: str | None = None) -> A:
    """Return x (..., I) times weight (O, I) transposed, plus bias (O,) -> (..., O)."""
    check_arrays("linear", {"the input": x, "the weight": weight, "the bias": bias})
    if weight.ndim != 2 or x.ndim == 0 or x.shape[-1] != weight.shape[1]:
        raise ValueError(
            f"linear: found an input of shape {tuple(x.shape)} and a weight of shape "
            f"{tuple(weight.shape)}; expected (..., in) and (out, in)"
        )
    if bias is not None and tuple(bias.shape) != (weight.shape[0],):
        raise ValueError(
            f"linear: the bias has shape {tuple(bias.shape)}; expected ({weight.shape[0]},)"
        )

    def mlx_op(x: mx.array, weight: mx.array, bias: mx.array | None) -> mx.array:
        return x @ weight.T if bias is None else mx.addmm(bias, x, weight.T)

    return dispatch("linear", (x, weight, bias), mlx_op, _blas_matmul.linear, backend)


def attention(
    q: A, k: Array, v: Array, *, scale: float | None = None, backend: str | None = None
) -> A:
    """Return softmax(scale q kᵀ) v over all frames, no mask: q (B, T, H, D) -> (B, T, H, D).

    k and v (B, S, H, D), H heads; scale 1/√D by default. Memory grows with the frames, not with
    their square.
    """
    check_arrays("attention", {"the queries": q, "the keys": k, "the values": v})
    wanted = (q.shape[0], k.shape[1], *q.shape[2:]) if q.ndim == k.ndim == 4 else None
    if wanted is None or tuple(k.shape) != wanted or tuple(v.shape[:3]) != wanted[:3]:
        raise ValueError(
            f"attention: found queries {tuple(q.shape)}, keys {tuple(k.shape)} and values "
            f"{tuple(v.shape)}; expected (batch, frames, heads, channels), batch and heads alike"
        )
    factor = q.shape[-1] ** -0.5 if scale is None else scale

    def mlx_op(q: mx.array, k: mx.array, v: mx.array) -> mx.array:
        heads = (array.swapaxes(1, 2) for array in (q, k, v))
        return mx.fast.scaled_dot_product_attention(*heads, scale=factor).swapaxes(1, 2)

    def blas_op(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> np.ndarray:
        return _blas_attention.attention(q, k, v, factor)

    return dispatch("attention", (q, k, v), mlx_op, blas_op, backend)
