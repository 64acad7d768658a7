"""Attention by BLAS, a head and a block of queries at a time."""

from functools import partial
from itertools import product

import numpy as np

from mlx_fastops._parallel import run

# Scores held at once by each thread: 1 MB of float32, so that they stay in the cache and memory
# grows with the number of frames, not with its square.
SCORES_AT_ONCE = 1 << 18


def attention(q: np.ndarray, k: np.ndarray, v: np.ndarray, scale: float) -> np.ndarray:
    """Return softmax(scale q kᵀ) v; q (B, T, H, D), k and v (B, S, H, D) -> (B, T, H, D).

    The heads are views that BLAS takes as they lie in memory.
    """
    mixed = np.empty(q.shape[:3] + v.shape[3:], q.dtype)
    run(
        partial(_head, q[b, :, h], k[b, :, h], v[b, :, h], scale, mixed[b, :, h])
        for b, h in product(range(q.shape[0]), range(q.shape[2]))
    )
    return mixed


def _head(q: np.ndarray, k: np.ndarray, v: np.ndarray, scale: float, mixed: np.ndarray) -> None:
    """Write one head's result for q (T, D), k and v (S, D) to mixed (T, D)."""
    keys = k.T * q.dtype.type(scale)  # (D, S)
    rows = max(1, min(len(q), SCORES_AT_ONCE // max(len(k), 1)))
    buffer = np.empty((rows, len(k)), q.dtype)
    for start in range(0, len(q), rows):
        out = mixed[start : start + rows]
        scores = np.matmul(q[start : start + rows], keys, out=buffer[: len(out)])
        scores -= scores.max(axis=1, keepdims=True)
        np.exp(scores, out=scores)
        total = scores.sum(axis=1, keepdims=True)
        # Dividing the result is D divisions a frame, dividing the scores S.
        np.divide(scores @ v, total, out=out)
