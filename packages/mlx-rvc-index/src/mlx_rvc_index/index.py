"""FeatureIndex: the features of a voice's training data, to search and to blend with.

RVC moves the features of the input towards those that the voice was trained on: each is mixed
with a weighted mean of its nearest neighbours (the reference's `infer/modules/vc/pipeline.py`).
"""

from __future__ import annotations

import os
import tokenize
from pathlib import Path
from typing import Any

import numpy as np

from mlx_rvc_index.embedded import is_safetensors, open_safetensors
from mlx_rvc_index.errors import IndexFileError
from mlx_rvc_index.layout import OtherKind, parse
from mlx_rvc_index.storage import Array, Backend, Lists

_VERSIONS = {256: "v1", 768: "v2"}
# NumPy parses a header with Python's own parser, whose every error may come out.
_NO_ARRAY = (
    *(ValueError, TypeError, KeyError, AttributeError, ArithmeticError, OSError, EOFError),
    *(SyntaxError, tokenize.TokenError, RecursionError, MemoryError),
)
_BLOCK = 1 << 24  # bytes of neighbours gathered at once


class FeatureIndex:
    """Nearest neighbours among the features of a voice, read without faiss.

    Vectors stay in the file (memory-mapped): do not change the file while the index is in use.
    """

    def __init__(self, backend: Backend, path: Path) -> None:
        self._backend = backend
        self.path = path

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> FeatureIndex:
        """Open an index file: IVF-Flat or flat from faiss, or vectors (n, dim) alone: a `.npy`
        array, or a safetensors file with `index.vectors` (a voice with its index) or `features`.

        Other faiss kinds are read through faiss where it is installed. Raises IndexFileError for
        a missing, damaged, empty (`trained_*`) or unknown file, and for other metrics than L2.
        """
        path = Path(path)
        if path.is_dir():
            raise IndexFileError(f"{path} is a folder; expected an index file (added_*.index)")
        if not path.exists():
            raise IndexFileError(f"{path}: no such index file")
        try:
            index = cls(_open(path), path)
        except IndexFileError as error:
            raise IndexFileError(f"{path}: {error}") from None
        if index.ntotal == 0:
            raise IndexFileError(f"{path} holds no vectors: {_advice(path)}")
        return index

    @property
    def kind(self) -> str:
        """The kind of file: "IVF-Flat", "Flat", "npy", "safetensors", or faiss' own name."""
        return self._backend.kind

    @property
    def dim(self) -> int:
        """Width of a vector: 256 for RVC v1, 768 for v2."""
        return self._backend.dim

    @property
    def ntotal(self) -> int:
        """Number of vectors."""
        return self._backend.ntotal

    @property
    def nlist(self) -> int:
        """Number of lists (cells); 1 for a flat index."""
        return len(self._backend.sizes)

    @property
    def nprobe(self) -> int:
        """Number of lists that a search looks into, as the file says."""
        return self._backend.nprobe

    @property
    def list_sizes(self) -> np.ndarray:
        """Vectors per list, (nlist,) int64."""
        return self._backend.sizes

    def vectors(self) -> np.ndarray:
        """All vectors, (ntotal, dim) float32, copied, by ascending id: faiss' `reconstruct_n`."""
        order = np.argsort(self._backend.ids(np.arange(self.ntotal)), kind="stable")
        out = np.empty((self.ntotal, self.dim), np.float32)
        step = max(1, _BLOCK // (4 * self.dim))
        for i in range(0, self.ntotal, step):
            out[i : i + step] = self._backend.vectors(order[i : i + step])
        return out

    def search(self, x: Any, k: int = 8, exact: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Find the k nearest vectors of each feature, as faiss does with the file's nprobe.

        x: (..., dim), NumPy or MLX. Returns squared L2 distances (..., k) float32, ascending, and
        ids (..., k) int64. Where the searched lists hold fewer than k vectors: id -1, distance
        3.4e38. `exact` looks into all lists. Raises ValueError for another width, for NaN or
        infinite features, and for k < 1.
        """
        features = self._features(x)
        distances, rows = self._search(features, k, exact)
        shape = (*features.shape[:-1], k)
        return distances.reshape(shape), self._backend.ids(rows).reshape(shape)

    def blend(self, x: Any, rate: float = 0.75, k: int = 8, exact: bool = False) -> np.ndarray:
        """Move features towards the voice: rate · (mean of neighbours) + (1 − rate) · x.

        x: (..., dim), NumPy or MLX; returns (..., dim) float32. Neighbours weigh 1/(squared L2)²,
        normalised, as in the reference; one at distance zero takes all weight (the reference gets
        NaN). A feature without neighbours stays as it is. Raises ValueError as `search` does, and
        for a rate outside 0 to 1.
        """
        if not 0.0 <= rate <= 1.0:
            raise ValueError(f"index rate {rate} is outside 0 to 1 (0 = off, 1 = only the index)")
        features = self._features(x)
        if rate == 0.0:
            return features.copy()
        distances, rows = self._search(features, k, exact)
        flat = features.reshape(-1, self.dim)
        out = flat.copy()
        step = max(1, _BLOCK // (4 * k * self.dim))
        for i in range(0, len(flat), step):
            part = slice(i, i + step)
            out[part] = self._mixed(flat[part], distances[part], rows[part], rate)
        return out.reshape(features.shape)

    def _mixed(
        self, x: np.ndarray, distances: np.ndarray, rows: np.ndarray, rate: float
    ) -> np.ndarray:
        weights = neighbour_weights(distances, rows)  # (q, k)
        present = rows >= 0
        vectors = np.zeros((*rows.shape, self.dim), np.float32)
        vectors[present] = self._backend.vectors(rows[present])
        mean = np.einsum("qk,qkd->qd", weights.astype(np.float32), vectors)
        mixed = np.float32(rate) * mean + np.float32(1 - rate) * x
        return np.where((weights > 0).any(axis=1, keepdims=True), mixed, x)

    def _search(self, features: np.ndarray, k: int, exact: bool) -> tuple[np.ndarray, np.ndarray]:
        if k < 1:
            raise ValueError(f"k is {k}; at least one neighbour is needed")
        return self._backend.search(features.reshape(-1, self.dim), k, exact=exact)

    def _features(self, x: Any) -> np.ndarray:
        try:
            features = np.asarray(x, np.float32)
        except (TypeError, ValueError, RuntimeError) as error:
            raise ValueError(f"features cannot be read as floats ({error}): pass float32") from None
        if features.ndim == 0 or features.shape[-1] != self.dim:
            width = features.shape[-1] if features.ndim else 0
            raise ValueError(
                f"the index holds {_width(self.dim)} but the encoder gives {_width(width)}: "
                "use the index that was made with this voice"
            )
        if not np.isfinite(features).all():
            raise ValueError("the features hold NaN or infinite values")
        return np.ascontiguousarray(features)


def neighbour_weights(distances: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return 1/d² of squared distances (q, k), normalised to a sum of 1; none for row -1.

    Relative to the smallest distance, so that nothing overflows; zeros share all weight.
    """
    d = np.where(rows >= 0, distances.astype(np.float64), np.inf)
    least = d.min(axis=1, keepdims=True)
    exact = least == 0
    share = np.divide(least, d, out=np.zeros_like(d), where=np.isfinite(d) & ~exact & (d > 0))
    weights = np.where(exact, d == 0, share**2)
    total = weights.sum(axis=1, keepdims=True)
    return np.divide(weights, total, out=np.zeros_like(d), where=total > 0)


def _width(width: int) -> str:
    version = f" ({_VERSIONS[width]})" if width in _VERSIONS else ""
    return f"{width}-wide features{version}"


def _advice(path: Path) -> str:
    if "trained" not in path.name:
        return "build the index again"
    added = path.with_name(path.name.replace("trained", "added"))
    if added.exists():
        return f"use {added.name}, which lies beside it"
    return "a trained_* file is only a step of making an index; use the added_* file"


def _open(path: Path) -> Backend:
    if path.stat().st_size == 0:
        raise IndexFileError("the file is empty (0 bytes)")
    with path.open("rb") as file:
        head = file.read(64)
    if head.startswith(b"\x93NUMPY"):
        return _open_npy(path)
    if is_safetensors(head):
        return open_safetensors(path)
    start = head.lstrip().lower()
    if start.startswith((b"<!doctype", b"<html")):
        raise IndexFileError("this is an HTML page, not an index: the download failed")
    if start.startswith(b"version https://git-lfs"):
        raise IndexFileError("this is a Git LFS pointer, not an index: fetch the real file")
    if head.startswith(b"PK\x03\x04"):
        raise IndexFileError("this is a zip archive (perhaps a voice .pth), not an index")
    data = np.memmap(path, np.uint8, "r")
    try:
        layout = parse(data)
    except OtherKind as other:
        from mlx_rvc_index.foreign import open_with_faiss

        return open_with_faiss(path, str(other))
    return Lists(data, layout)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__


def _open_npy(path: Path) -> Backend:
    try:
        with np.errstate(all="raise"):  # NumPy multiplies the shape without looking
            array = np.load(path, mmap_mode="r", allow_pickle=False)
    except _NO_ARRAY as error:
        raise IndexFileError(f"the .npy file cannot be read ({_line(error)})") from None
    if array.ndim != 2 or array.dtype.kind != "f" or array.shape[1] == 0:
        raise IndexFileError(
            f"the .npy array is {array.dtype} of shape {array.shape}; expected floats (n, dim)"
        )
    return Array(array)
