"""The public operations: checks, then MLX's op or the BLAS path.

Layouts are MLX's: channels last, weights (out channels, taps..., in channels / groups).
An mx.array in gives an mx.array out, a NumPy array in gives a NumPy array out.
"""

from typing import overload

import mlx.core as mx
import numpy as np

from mlx_fastops import (
    _blas_conv1d,
    _blas_conv2d,
    _blas_conv_transpose,
    _blas_gru,
    _blas_matmul,
    _fused_gru,
    _mlx_conv,
)
from mlx_fastops._arrays import A, Array
from mlx_fastops._dispatch import check_arrays, dispatch
from mlx_fastops._geometry import Ints, conv_geometry


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
    backend: str | None = None,
) -> A:
    """Convolve x (B, T, C) with weight (O, K, C/groups), bias (O,) -> (B, T_out, O).

    T_out = (T + 2*padding - dilation*(K-1) - 1) // stride + 1. Semantics of mx.conv1d (and of
    torch.nn.functional.conv1d with channels last). Half precision is computed in float32 on the
    BLAS path. Raises ValueError for shapes that do not fit, saying found and expected.
    """
    check_arrays("conv1d", {"the input": x, "the weight": weight, "the bias": bias})
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

    owner = weight

    def mlx_op(x: mx.array, weight: mx.array, bias: mx.array | None) -> mx.array:
        return _mlx_conv.conv1d(x, weight, bias, g)

    def blas_op(x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None) -> np.ndarray:
        return _blas_conv1d.conv1d(x, weight, bias, g, owner)

    return dispatch("conv1d", (x, weight, bias), mlx_op, blas_op, backend)


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
    backend: str | None = None,
) -> A:
    """Convolve x (B, H, W, C) with weight (O, KH, KW, C/groups) -> (B, H_out, W_out, O).

    stride, padding and dilation are one number or (height, width). Semantics of mx.conv2d.
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

    def mlx_op(x: mx.array, weight: mx.array, bias: mx.array | None) -> mx.array:
        return _mlx_conv.plus(
            mx.conv2d(x, weight, _pair(g.stride), _pair(g.padding), _pair(g.dilation), g.groups),
            bias,
        )

    def blas_op(x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None) -> np.ndarray:
        return _blas_conv2d.conv2d(x, weight, bias, g)

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


def gru(
    x: A,
    w_ih: Array,
    w_hh: Array,
    b: Array | None = None,
    bhn: Array | None = None,
    *,
    reverse: bool = False,
    h0: Array | None = None,
    backend: str | None = None,
) -> A:
    """Run a GRU over x (B, T, I) -> all states (B, T, H); reverse runs from the last frame.

    The parametrisation of mlx.nn.GRU, gate order r, z, n: w_ih (3H, I), w_hh (3H, H), b (3H,),
    bhn (H,), h0 (B, H):

        r = sigmoid(W_r x + U_r h + b_r)     n = tanh(W_n x + b_n + r * (U_n h + bhn))
        z = sigmoid(W_z x + U_z h + b_z)     h = (1 - z) * n + z * h

    Torch's two biases: b = bias_ih with bias_hh added to its r and z parts, bhn = bias_hh's n part.
    """
    check_gru(x, w_ih, w_hh, b, bhn, h0)

    def mlx_op(*arrays: mx.array | None) -> mx.array:
        x, *cell = arrays
        return _fused_gru.gru(x, [_fused_gru.Cell(*cell, reverse=reverse)])[0]  # type: ignore[arg-type]

    def blas_op(*arrays: np.ndarray | None) -> np.ndarray:
        return _blas_gru.gru(*arrays, reverse)  # type: ignore[arg-type]

    return dispatch("gru", (x, w_ih, w_hh, b, bhn, h0), mlx_op, blas_op, backend)


def check_gru(
    x: Array,
    w_ih: Array | None,
    w_hh: Array | None,
    b: Array | None,
    bhn: Array | None,
    h0: Array | None,
) -> None:
    """Raise ValueError for arguments of `gru` that do not fit together."""
    check_arrays("gru", {"the input": x, "w_ih": w_ih, "w_hh": w_hh, "b": b, "bhn": bhn, "h0": h0})
    if x.ndim != 3:
        raise ValueError(
            f"gru: the input has shape {tuple(x.shape)}; expected (batch, time, channels)"
        )
    if w_ih is None or w_hh is None:
        raise ValueError("gru: w_ih or w_hh is None; expected arrays (3H, I) and (3H, H)")
    hidden = w_hh.shape[-1] if w_hh.ndim else 0
    expected = {
        "w_ih": (w_ih, (3 * hidden, x.shape[-1])),
        "w_hh": (w_hh, (3 * hidden, hidden)),
        "b": (b, (3 * hidden,)),
        "bhn": (bhn, (hidden,)),
        "h0": (h0, (x.shape[0], hidden)),
    }
    for name, (array, shape) in expected.items():
        if array is not None and tuple(array.shape) != shape:
            raise ValueError(f"gru: {name} has shape {tuple(array.shape)}; expected {shape}")
