"""Kinds of index files that only faiss itself can read: PQ, HNSW, and the like."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from mlx_rvc_index.errors import IndexFileError
from mlx_rvc_index.nearest import smallest
from mlx_rvc_index.storage import Array


def open_with_faiss(path: Path, kind: str) -> Faiss:
    """Open an index through faiss; IndexFileError when faiss is missing or refuses the file."""
    try:
        import faiss
    except ImportError:
        raise IndexFileError(
            f"an index of the kind {kind!r}, which is read through faiss: "
            "pip install 'mlx-rvc-index[faiss]', or build an IVF-Flat index"
        ) from None
    try:
        with _bounded(faiss, path.stat().st_size):
            index = faiss.read_index(str(path))
    except (RuntimeError, MemoryError, ValueError, OverflowError) as error:
        lines = str(error).split("Error:")[-1].strip().splitlines()
        reason = lines[0] if lines else "it says that it is larger than memory"
        raise IndexFileError(
            f"not an index that faiss can read (kind {kind!r}): {reason}"
        ) from None
    if index.metric_type != faiss.METRIC_L2:
        raise IndexFileError(f"it compares by metric {index.metric_type}; RVC indexes use L2")
    return Faiss(index)


@contextmanager
def _bounded(faiss: Any, size: int) -> Iterator[None]:
    """Let faiss make no array larger than the file, and no more parts than it has bytes.

    A file of two kilobytes that lies can ask for gigabytes. Old releases have no such limits.
    """
    before = []
    for name in ("vector_byte_limit", "loop_limit"):
        give = getattr(faiss, f"set_deserialization_{name}", None)
        if give is not None:
            before.append((give, getattr(faiss, f"get_deserialization_{name}")()))
            give(size)
    try:
        yield
    finally:
        for give, value in before:
            give(value)


class Faiss:
    """An index that faiss holds; rows are ids, which RVC numbers from zero."""

    def __init__(self, index: Any) -> None:
        self._index = index
        self.kind = type(index).__name__
        self.dim = int(index.d)
        self.ntotal = int(index.ntotal)
        self.nprobe = int(getattr(index, "nprobe", 1))
        lists = getattr(index, "invlists", None)
        self.sizes = np.array(
            [self.ntotal] if lists is None else [lists.list_size(i) for i in range(lists.nlist)]
        )
        self._every: np.ndarray | None = None

    def search(self, x: np.ndarray, k: int, *, exact: bool) -> tuple[np.ndarray, np.ndarray]:
        """Search as faiss does; exact: among all vectors as the index can restore them."""
        if exact:
            return Array(self._all()).search(x, k, exact=True)
        distances, ids = self._index.search(x, k)
        return smallest(np.where(ids >= 0, distances, np.inf), ids, k)

    def ids(self, rows: np.ndarray) -> np.ndarray:
        """Rows are ids."""
        return rows

    def vectors(self, rows: np.ndarray) -> np.ndarray:
        """Return vectors as the index restores them."""
        return self._all()[rows]

    def _all(self) -> np.ndarray:
        if self._every is None:
            try:
                self._every = self._index.reconstruct_n(0, self.ntotal)
            except RuntimeError:
                raise IndexFileError(
                    f"an index of the kind {self.kind} cannot give its vectors back: "
                    "build an IVF-Flat index"
                ) from None
        return np.asarray(self._every, np.float32)
