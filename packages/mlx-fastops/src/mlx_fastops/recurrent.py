"""The public GRU: checks, then a path; in one direction, or in both at once."""

from collections.abc import Sequence
from typing import Any

import mlx.core as mx
import numpy as np

from mlx_fastops import _blas_gru, _fused_gru
from mlx_fastops._arrays import A, Array, to_mlx
from mlx_fastops._backend import forced_backend, selected_backend
from mlx_fastops._dispatch import check_arrays, dispatch

Weights = Sequence[Array | None]


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


def bidirectional_gru(
    x: A,
    forward: Weights,
    backward: Weights,
    *,
    h0_forward: Array | None = None,
    h0_backward: Array | None = None,
    backend: str | None = None,
) -> tuple[A, A]:
    """Run a GRU over x (B, T, I) from either end -> its states (B, T, H), forward and backward.

    `forward` and `backward` are (w_ih, w_hh, b, bhn) as `gru` takes them, of the same sizes. The
    same numbers as two calls of `gru`; on a GPU both directions advance in the same launches.

    Raises ValueError for shapes that do not fit, or weights of another number than 4.
    """
    for name, weights in (("forward", forward), ("backward", backward)):
        if len(weights) != 4:
            raise ValueError(
                f"bidirectional_gru: {name} has {len(weights)} arrays; expected w_ih, w_hh, b, bhn "
                "(None where there is none)"
            )
    options: Any = {"backend": backend}
    numpy_in = isinstance(x, np.ndarray)
    path = forced_backend(backend) or ("blas" if numpy_in else selected_backend())
    if path == "mlx" and not numpy_in and _alike(x, forward, backward):
        cells = [
            _cell(x, forward, h0_forward, reverse=False),
            _cell(x, backward, h0_backward, reverse=True),
        ]
        one, other = _fused_gru.gru(x, cells)
        return one, other
    return (
        gru(x, *forward, h0=h0_forward, **options),  # type: ignore[arg-type]
        gru(x, *backward, h0=h0_backward, reverse=True, **options),  # type: ignore[arg-type]
    )


def _cell(x: mx.array, weights: Weights, h0: Array | None, *, reverse: bool) -> _fused_gru.Cell:
    """Check one direction's arrays and put them together."""
    w_ih, w_hh, b, bhn = weights
    check_gru(x, w_ih, w_hh, b, bhn, h0)
    arrays = [None if array is None else to_mlx(array) for array in (*weights, h0)]
    return _fused_gru.Cell._make([*arrays, reverse])


def _alike(x: mx.array, forward: Weights, backward: Weights) -> bool:
    """Say whether both directions have the same sizes, as one kernel needs."""
    shapes = [[None if a is None else tuple(a.shape) for a in w[:2]] for w in (forward, backward)]
    return shapes[0] == shapes[1] and isinstance(x, mx.array)
