"""The vectors of an index inside a safetensors file, mapped where they lie.

`index.vectors` is what `mlx-rvc export --index` and `index convert` write, `features` what Hugging
Face RVC writes; (n, width) of any float type. Lists are not kept: a search looks at every vector.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np

from mlx_rvc_index.errors import IndexFileError
from mlx_rvc_index.storage import Array

VECTORS = "index.vectors"
_NAMES = (VECTORS, "features")
_MAX_HEADER_BYTES = 8 * 2**20
_DTYPES = {"F16": "<f2", "F32": "<f4", "F64": "<f8"}


def is_safetensors(head: bytes) -> bool:
    """Whether a file starts like safetensors: a length, then a JSON object."""
    return head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 1 << 32


def holds_vectors(path: str | os.PathLike[str]) -> bool:
    """Whether a file, such as a voice, is safetensors with the vectors of an index inside.

    Only its header is read; a file that is damaged, or no safetensors, has none.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            return VECTORS in file.keys()  # noqa: SIM118
    except (SafetensorError, OSError):
        return False


def open_safetensors(path: Path) -> Array:
    """Open the vectors of a safetensors file; IndexFileError where it has none, or is damaged."""
    from safetensors import SafetensorError, safe_open

    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if length > _MAX_HEADER_BYTES:
                raise ValueError(f"a header of {length:,} bytes, {_MAX_HEADER_BYTES:,} at most")
            with safe_open(path, framework="numpy"):
                pass  # the library has checked that header and file agree
            header = json.loads(file.read(length))
    except (SafetensorError, ValueError, RecursionError) as error:
        said = repr(str(error))[1:-1]  # the library quotes names of tensors as they are
        raise IndexFileError(
            f"a damaged safetensors file ({said:.80}): fetch or write it again"
        ) from None
    name = next((name for name in _NAMES if name in header), None)
    if name is None:
        raise IndexFileError(
            f"a safetensors file without {VECTORS}: export the voice with --index, or give the "
            ".index file"
        )
    entry = header[name]
    dtype, shape = _DTYPES.get(entry["dtype"]), tuple(entry["shape"])
    if dtype is None or len(shape) != 2 or shape[1] == 0:
        raise IndexFileError(
            f"its {name} is {entry['dtype']} of shape {shape}; expected floats (n, dim)"
        )
    if shape[0] == 0:
        return Array(np.zeros(shape, np.float32), kind="safetensors")
    start = 8 + length + entry["data_offsets"][0]
    return Array(np.memmap(path, dtype, "r", start, shape), kind="safetensors")
