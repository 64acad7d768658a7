"""Exact nearest neighbours by squared L2, fast through one matrix product.

A matrix product gives all distances at once, but ‖x‖² − 2xy + ‖y‖² cancels where vectors are
close. So it only chooses candidates; their distances are then computed from differences, as
faiss does for inverted lists, and a bound on the rounding error says when a vector that was left
out might belong: only then all are computed.
"""

import numpy as np

MISSING = np.float32(np.finfo(np.float32).max)  # the distance that faiss gives where none is
_SPARE = 8  # candidates beyond 2k
_FEW = 4  # queries for which preparing a matrix product does not pay
_SMALL = 1 << 22  # differences, in numbers, that cost less than preparing a matrix product
_PAIRS = 1 << 18  # numbers in one block of differences: 1 MiB, which stays in a core's cache


# Vectors that overflow or hold NaN are no neighbours; that is handled, so NumPy need not warn.
@np.errstate(over="ignore", invalid="ignore")
def nearest(x: np.ndarray, y: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the k rows of y (n, d) nearest to each row of x (q, d), float32.

    Returns squared distances (q, k) float32 ascending and rows (q, k) int64; equal distances by
    row. Where fewer than k exist: distance 3.4e38, row -1. A distance that is not finite counts
    as none.
    """
    kept = 2 * k + _SPARE
    if len(x) <= _FEW or len(y) <= 2 * kept or len(x) * y.size <= _SMALL:
        return _nearest_of_all(x, y, k)
    centre = y.mean(axis=0)
    # Moved to their centre vectors are short, which keeps the rounding error small.
    xc, yc = x - centre, y - centre
    x2 = np.einsum("qd,qd->q", xc, xc)
    y2 = np.einsum("nd,nd->n", yc, yc)
    if not np.isfinite(y2.sum()):  # NaN or overflow among y: no bound could be given
        return _nearest_of_all(x, y, k)
    rough = xc @ (-2 * yc.T)
    rough += y2
    rough += x2[:, None]  # (q, n)
    rows = np.argpartition(rough, kept - 1, axis=1)[:, :kept]
    worst = np.take_along_axis(rough, rows, axis=1).max(axis=1)
    distances, found = smallest(_chosen(x, y, rows), rows, k)
    bound = (x.shape[1] + 8) * np.finfo(np.float32).eps * (np.sqrt(x2) + np.sqrt(y2.max())) ** 2
    doubtful = np.flatnonzero(~(distances[:, -1] < worst - bound))
    if len(doubtful):
        distances[doubtful], found[doubtful] = _nearest_of_all(x[doubtful], y, k)
    return distances, found


def _nearest_of_all(x: np.ndarray, y: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    rows = np.broadcast_to(np.arange(len(y)), (len(x), len(y)))
    return smallest(_all(x, y), rows, k)


def smallest(distances: np.ndarray, rows: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Take the k smallest of each row of distances (q, m), ties by `rows` (q, m), -1 = none."""
    distances = np.where(np.isfinite(distances), distances, MISSING).astype(np.float32, copy=False)
    rows = np.where(distances < MISSING, rows, -1)
    if distances.shape[1] < k:
        lacking = [(0, 0), (0, k - distances.shape[1])]
        distances = np.pad(distances, lacking, constant_values=MISSING)
        rows = np.pad(rows, lacking, constant_values=-1)
    order = np.lexsort((rows, distances), axis=1)[:, :k]
    return (
        np.take_along_axis(distances, order, axis=1),
        np.take_along_axis(rows, order, axis=1).astype(np.int64, copy=False),
    )


def _all(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    out = np.empty((len(x), len(y)), np.float32)
    step = max(1, _PAIRS // max(1, y.size))
    for i in range(0, len(x), step):
        difference = x[i : i + step, None, :] - y
        np.einsum("qnd,qnd->qn", difference, difference, out=out[i : i + step])
    return out


def _chosen(x: np.ndarray, y: np.ndarray, rows: np.ndarray) -> np.ndarray:
    out = np.empty(rows.shape, np.float32)
    step = max(1, _PAIRS // (rows.shape[1] * x.shape[1]))
    for i in range(0, len(x), step):
        difference = y[rows[i : i + step]]
        difference -= x[i : i + step, None, :]
        np.einsum("qnd,qnd->qn", difference, difference, out=out[i : i + step])
    return out
