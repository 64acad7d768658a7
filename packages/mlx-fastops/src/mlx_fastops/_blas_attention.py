"""Attention by BLAS, a head and a block of queries at a time."""

from functools import partial
from itertools import product

import numpy as np

from mlx_fastops._parallel import run

# Scores held at once by each thread: 1 MB of float32, so that they stay in the cache and memory
# grows with the number of frames, not with its square.
SCORES_AT_ONCE = 1 << 18
# More keys than that are taken in parts: with all of them at once, BLAS would copy keys and values
# for every handful of queries.
KEYS_IN_ONE = 4096
KEYS_IN_PARTS = 1024


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
    width = max(len(k) if len(k) <= KEYS_IN_ONE else KEYS_IN_PARTS, 1)
    rows = max(1, min(len(q), SCORES_AT_ONCE // width))
    buffer = np.empty(rows * width, q.dtype)
    for start in range(0, len(q), rows):
        queries = q[start : start + rows]
        highest = np.full((len(queries), 1), -np.inf, q.dtype)
        total = np.zeros((len(queries), 1), q.dtype)
        weighed = np.zeros((len(queries), v.shape[1]), q.dtype)
        for first in range(0, len(k), width):
            part = keys[:, first : first + width]
            scores = buffer[: len(queries) * part.shape[1]].reshape(len(queries), -1)
            np.matmul(queries, part, out=scores)
            before = highest
            highest = np.maximum(before, scores.max(axis=1, keepdims=True))
            scores -= highest
            np.exp(scores, out=scores)
            # What the parts before came to, under the highest score known by now.
            fading = np.exp(before - highest)
            total = total * fading + scores.sum(axis=1, keepdims=True)
            weighed = weighed * fading + scores @ v[first : first + width]
        # Dividing the result is D divisions a frame, dividing the scores S.
        np.divide(weighed, total, out=mixed[start : start + rows])
