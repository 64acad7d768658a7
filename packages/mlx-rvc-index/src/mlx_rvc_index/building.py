"""A new index from features, as RVC builds it, through faiss.

IVF-Flat with min(16·√n, n / 39) lists and nprobe 1; above 200,000 features k-means first reduces
them to 10,000 centres. Source: RVC-WebUI, `train_index` in `infer-web.py` (there the centres come
from scikit-learn's mini-batch k-means, here from faiss' k-means).
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mlx_rvc_index.errors import IndexFileError
from mlx_rvc_index.vectors import whole

REDUCE_ABOVE = 200_000
CENTRES = 10_000
PER_LIST = 39
"""Features for each list at least: what faiss asks for to find a centre."""
_KMEANS_ROUNDS = 20
_BLOCK = 8192  # vectors added at once


@dataclass(frozen=True)
class Built:
    """An index that has been written: its `vectors` (n, dim), lists, and features it came from."""

    vectors: np.ndarray
    lists: int
    features: int


def lists_for(count: int) -> int:
    """How many lists RVC gives an index of `count` vectors."""
    return max(1, min(int(16 * math.sqrt(count)), count // PER_LIST))


def build_index(
    features: Any,
    path: str | os.PathLike[str],
    *,
    seed: int = 0,
    reduce_above: int | None = REDUCE_ABOVE,
    centres: int = CENTRES,
) -> Built:
    """Write an IVF-Flat index of `features` (n, dim), at least 39 of them, any float type.

    Features are shuffled by `seed`, which also starts k-means; their ids are their new order. More
    than `reduce_above` become `centres` means (None: never). The file appears when it is whole.
    Raises IndexFileError where faiss is missing, for too few features, another shape, NaN and
    infinity, and where the file cannot be written.
    """
    faiss = require_faiss()
    vectors = _checked(features)
    count = len(vectors)
    vectors = vectors[np.random.default_rng(seed).permutation(count)]
    if reduce_above is not None and count > reduce_above:
        kmeans = faiss.Kmeans(vectors.shape[1], centres, niter=_KMEANS_ROUNDS, seed=seed + 1)
        kmeans.train(vectors)
        vectors = np.ascontiguousarray(kmeans.centroids, np.float32)
    lists = lists_for(len(vectors))
    quantiser = faiss.IndexFlatL2(vectors.shape[1])
    index = faiss.IndexIVFFlat(quantiser, vectors.shape[1], lists)
    index.nprobe = 1
    index.cp.seed = seed + 1
    index.train(vectors)
    for i in range(0, len(vectors), _BLOCK):
        index.add(vectors[i : i + _BLOCK])
    path = Path(path)
    with whole(path) as temporary:
        try:
            faiss.write_index(index, str(temporary))
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]
            raise IndexFileError(
                f"{path} cannot be written ({reason:.120}): free some space"
            ) from None
    return Built(vectors, lists, count)


def require_faiss() -> Any:
    """The faiss module; IndexFileError where it is not installed."""
    try:
        import faiss
    except ImportError:
        raise IndexFileError(
            "an index is built through faiss: pip install 'mlx-rvc-index[faiss]'; or give the "
            "features themselves as an index, a .npy array"
        ) from None
    return faiss


def _checked(features: Any) -> np.ndarray:
    vectors = np.asarray(features)
    if vectors.ndim != 2 or vectors.dtype.kind != "f" or vectors.shape[1] == 0:
        raise IndexFileError(
            f"features are {vectors.dtype} of shape {vectors.shape}; expected floats (n, dim)"
        )
    if len(vectors) < PER_LIST:
        raise IndexFileError(
            f"{len(vectors)} features; an index needs {PER_LIST} at least (0.8 s of recording)"
        )
    vectors = np.ascontiguousarray(vectors, np.float32)
    if not np.isfinite(vectors).all():
        raise IndexFileError("the features hold NaN or infinite values: extract them again")
    return vectors
