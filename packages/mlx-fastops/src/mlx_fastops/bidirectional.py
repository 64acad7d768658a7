"""A GRU that reads in both directions at once."""

from collections.abc import Sequence
from typing import Any

import mlx.core as mx
import numpy as np

from mlx_fastops import _fused_gru, operations
from mlx_fastops._arrays import A, Array, to_mlx
from mlx_fastops._backend import forced_backend, selected_backend

Weights = Sequence[Array | None]


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
        operations.gru(x, *forward, h0=h0_forward, **options),  # type: ignore[arg-type]
        operations.gru(x, *backward, h0=h0_backward, reverse=True, **options),  # type: ignore[arg-type]
    )


def _cell(x: mx.array, weights: Weights, h0: Array | None, *, reverse: bool) -> _fused_gru.Cell:
    """Check one direction's arrays and put them together."""
    w_ih, w_hh, b, bhn = weights
    operations.check_gru(x, w_ih, w_hh, b, bhn, h0)
    arrays = [None if array is None else to_mlx(array) for array in (*weights, h0)]
    return _fused_gru.Cell._make([*arrays, reverse])


def _alike(x: mx.array, forward: Weights, backward: Weights) -> bool:
    """Say whether both directions have the same sizes, as one kernel needs."""
    shapes = [[None if a is None else tuple(a.shape) for a in w[:2]] for w in (forward, backward)]
    return shapes[0] == shapes[1] and isinstance(x, mx.array)
