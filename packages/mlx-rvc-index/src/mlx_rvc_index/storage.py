"""Where the vectors of an index are kept, and how each kind of store is searched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mlx_rvc_index.layout import Layout
from mlx_rvc_index.nearest import MISSING, nearest, smallest

_BLOCK = 1 << 24  # bytes of vectors, and of distances, worked on at once


class Backend(Protocol):
    """What a kind of index file offers; rows are places in the file's own order."""

    kind: str
    dim: int
    ntotal: int
    nprobe: int
    sizes: np.ndarray

    def search(self, x: np.ndarray, k: int, *, exact: bool) -> tuple[np.ndarray, np.ndarray]:
        """Squared distances (q, k) float32 and rows (q, k) int64 of the neighbours."""
        ...

    def ids(self, rows: np.ndarray) -> np.ndarray:
        """Return the ids of rows; -1 stays -1."""
        ...

    def vectors(self, rows: np.ndarray) -> np.ndarray:
        """Return the vectors (m, dim) float32 of rows (m,), none of them -1."""
        ...


def scan(
    x: np.ndarray, blocks: Iterable[tuple[int, np.ndarray]], k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Search all of `blocks`, pairs of (first row, vectors float32), for k neighbours each."""
    distances = np.zeros((len(x), 0), np.float32)
    rows = np.zeros((len(x), 0), np.int64)
    for first, vectors in blocks:
        step = max(1, _BLOCK // (4 * len(vectors)))
        found = [nearest(x[i : i + step], vectors, k) for i in range(0, len(x), step)]
        if not found:
            break
        more = np.concatenate([r for _, r in found])
        distances, rows = smallest(
            np.concatenate([distances, np.concatenate([d for d, _ in found])], axis=1),
            np.concatenate([rows, np.where(more >= 0, more + first, -1)], axis=1),
            k,
        )
    if rows.shape[1] < k:
        distances, rows = smallest(distances, rows, k)
    return distances, rows


@dataclass
class Array:
    """All vectors in one array (n, dim) of any float type; ids are rows."""

    array: np.ndarray
    kind: str = "npy"
    nprobe: int = 1

    def __post_init__(self) -> None:
        """Note the sizes."""
        self.ntotal, self.dim = self.array.shape
        self.sizes = np.array([self.ntotal])

    def search(self, x: np.ndarray, k: int, *, exact: bool) -> tuple[np.ndarray, np.ndarray]:
        """Look at every vector, exact or not."""
        step = max(1, _BLOCK // (4 * self.dim))
        blocks = (
            (i, np.array(self.array[i : i + step], np.float32)) for i in range(0, self.ntotal, step)
        )
        return scan(x, blocks, k)

    def ids(self, rows: np.ndarray) -> np.ndarray:
        """Rows are ids."""
        return rows

    def vectors(self, rows: np.ndarray) -> np.ndarray:
        """Read rows from the array."""
        return np.asarray(self.array[rows], np.float32)


class Lists:
    """The lists of a faiss file, read from its mapped bytes.

    Equal distances (a vector stored twice) come in the order of the file, which is that of the
    ids unless they were chosen by hand; faiss orders them by id.
    """

    def __init__(self, data: np.ndarray, layout: Layout) -> None:
        self._data = data
        self._layout = layout
        self.kind = layout.kind
        self.dim = layout.dim
        self.ntotal = layout.ntotal
        self.nprobe = layout.nprobe
        self.sizes = layout.sizes
        self._first = np.concatenate([[0], np.cumsum(layout.sizes)])  # row where a list starts

    def search(self, x: np.ndarray, k: int, *, exact: bool) -> tuple[np.ndarray, np.ndarray]:
        """Look into the nprobe lists whose centroids are nearest, or into all."""
        layout = self._layout
        if exact or layout.centroids is None:
            return scan(x, self._blocks(), k)
        _, probes = scan(x, [(0, layout.centroids)], layout.nprobe)  # (q, nprobe)
        distances = np.zeros((len(x), 0), np.float32)
        rows = np.zeros((len(x), 0), np.int64)
        for column in probes.T:
            found = self._search_lists(x, column, k)
            distances, rows = smallest(
                np.concatenate([distances, found[0]], axis=1),
                np.concatenate([rows, found[1]], axis=1),
                k,
            )
        return distances, rows

    def _search_lists(
        self, x: np.ndarray, lists: np.ndarray, k: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Search one list per query (q,), each list once for all queries that ask for it."""
        distances = np.full((len(x), k), MISSING)
        rows = np.full((len(x), k), -1, np.int64)
        order = np.argsort(lists, kind="stable")
        for group in np.split(order, np.flatnonzero(np.diff(lists[order])) + 1):
            if not len(group) or lists[group[0]] < 0:
                continue
            i = int(lists[group[0]])
            found = nearest(x[group], self._list(i), k)
            distances[group] = found[0]
            rows[group] = np.where(found[1] >= 0, found[1] + self._first[i], -1)
        return distances, rows

    def _list(self, i: int, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Vectors start:stop of list i, copied: in the file they are not aligned."""
        width = 4 * self.dim
        stop = int(self.sizes[i]) if stop is None else stop
        place = int(self._layout.starts[i])
        data = self._data[place + start * width : place + stop * width]
        return np.frombuffer(data.tobytes(), "<f4").reshape(-1, self.dim).astype("f4", copy=False)

    def _blocks(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yield (first row, vectors): short lists together, long ones in parts."""
        step = max(1, _BLOCK // (4 * self.dim))
        waiting: list[np.ndarray] = []
        first = held = 0
        for i in map(int, np.flatnonzero(self.sizes)):
            for start in range(0, int(self.sizes[i]), step):
                part = self._list(i, start, min(start + step, int(self.sizes[i])))
                waiting.append(part)
                held += len(part)
                if held >= step:
                    yield first, np.concatenate(waiting)
                    first, held, waiting = first + held, 0, []
        if waiting:
            yield first, np.concatenate(waiting)

    def ids(self, rows: np.ndarray) -> np.ndarray:
        """Look the ids up that the file gives to rows."""
        if self._layout.ids is None:
            return rows
        return np.where(rows >= 0, self._layout.ids[rows], -1)

    def vectors(self, rows: np.ndarray) -> np.ndarray:
        """Gather rows straight from the mapped bytes."""
        width = 4 * self.dim
        lists = np.searchsorted(self._first, rows, side="right") - 1
        places = self._layout.starts[lists] + (rows - self._first[lists]) * width
        windows = np.lib.stride_tricks.sliding_window_view(self._data, width)
        return windows[places].view("<f4").astype("f4", copy=False)
