"""Vectors out of any index file, and into the files that hold vectors alone."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from mlx_rvc_index.embedded import VECTORS
from mlx_rvc_index.errors import IndexFileError
from mlx_rvc_index.index import FeatureIndex


def read_vectors(path: str | os.PathLike[str]) -> np.ndarray:
    """All vectors of an index file, (n, dim) float32; the entry point `mlx_rvc.index_vectors`."""
    return FeatureIndex.load(path).vectors()


def save_vectors(path: str | os.PathLike[str], vectors: np.ndarray) -> None:
    """Write vectors (n, dim) as `.npy`, or as `.safetensors` under the name `index.vectors`.

    The file appears when it is whole. Raises IndexFileError for another ending.
    """
    from safetensors.numpy import save_file

    path = Path(path)
    kind = path.suffix.lower()
    if kind not in (".npy", ".safetensors"):
        raise IndexFileError(f"{path}: vectors are written as .npy or .safetensors")
    with whole(path) as temporary:
        if kind == ".npy":
            with temporary.open("wb") as file:
                np.save(file, vectors)
        else:
            save_file({VECTORS: np.ascontiguousarray(vectors)}, temporary, {"format": "mlx-rvc"})


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, which takes its place when the body has succeeded."""
    target = Path(os.path.realpath(path))
    if target.is_dir() or not target.parent.is_dir():
        found = "is a folder" if target.is_dir() else "lies in a folder that does not exist"
        raise IndexFileError(f"{path} {found}: give the name of a file")
    temporary = target.with_name(f".{target.stem[:80]}-{secrets.token_hex(6)}{target.suffix}")
    try:
        temporary.touch(exist_ok=False)
        mode = (target if target.exists() else temporary).stat().st_mode & 0o7777
        yield temporary
        temporary.chmod(mode)  # writers may make a private file of their own
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
