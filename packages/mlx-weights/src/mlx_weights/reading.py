"""Reading weights files by their contents, whatever their names end in."""

import json
import math
import mmap
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

import mlx_pth
from mlx_weights.errors import WeightsError, shown
from mlx_weights.npz import is_npz, read_npz

_DTYPES = {
    "BOOL": "?", "U8": "u1", "I8": "i1", "I16": "<i2", "U16": "<u2", "I32": "<i4", "U32": "<u4",
    "I64": "<i8", "U64": "<u8", "F16": "<f2", "F32": "<f4", "F64": "<f8", "BF16": "<u2",
}  # fmt: skip


# A voice's header has 50 kB. Python's objects take ten times the JSON's bytes.
_MAX_HEADER_BYTES = 8 * 2**20


def read_tensors(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Read a flat file of tensors: safetensors, `.npz`, or a torch file holding one dict of them.

    Arrays are read-only views of the mapped file where that is possible; float16 and float32 stay
    what they are, bfloat16 becomes float32 (exact).

    Raises WeightsError for anything else, nested checkpoints included (see read_checkpoint).
    """
    found = read_checkpoint(path)
    if not isinstance(found, dict):
        raise WeightsError(f"{path} holds a {type(found).__name__}; a dict of tensors is expected")
    for name, value in found.items():
        if not isinstance(name, str) or not isinstance(value, np.ndarray):
            raise WeightsError(
                f"{path} holds a {type(value).__name__} under {name!r:.60}; tensors alone are "
                "expected: save the state dict itself"
            )
    return found


def read_checkpoint(path: str | os.PathLike[str], *, foreign: Collection[str] = ()) -> Any:
    """Read whatever a torch file holds (see mlx_pth.load); safetensors and `.npz` as a flat dict.

    `foreign`: class names that inert placeholders may stand for, passed on to mlx_pth.load.
    """
    path = Path(path)
    try:
        if is_safetensors(path):
            return _read_safetensors(path)
        if is_npz(path):
            return read_npz(path)
        return mlx_pth.load(path, foreign=foreign)
    except mlx_pth.PthError as error:
        raise WeightsError(str(error)) from error
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or error}") from error


def read_metadata(path: str | os.PathLike[str]) -> dict[str, str]:
    """Give the free-form metadata of a safetensors file."""
    return _header(Path(path))[0].get("__metadata__", {})


def is_safetensors(path: Path) -> bool:
    """Say whether the file starts like safetensors: a length, then a JSON object."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(9)
    return len(head) == 9 and head[8:] == b"{" and int.from_bytes(head[:8], "little") < 2**32


def _header(path: Path) -> tuple[dict[str, Any], int]:
    """Give the header, after the safetensors library has found it consistent, and its end."""
    from safetensors import SafetensorError, safe_open

    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if length > _MAX_HEADER_BYTES:
                raise ValueError(
                    f"its header has {length:,} bytes, at most {_MAX_HEADER_BYTES:,} are read"
                )
            with safe_open(path, framework="numpy"):
                pass
            return json.loads(file.read(length), object_pairs_hook=_once), 8 + length
    except (SafetensorError, ValueError, RecursionError) as error:
        said = shown(error, 120)  # the library quotes names of tensors as they are
        raise WeightsError(
            f"{path} is a damaged safetensors file ({said}); fetch or write it again"
        ) from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object whose names occur once: else two readers see two different files."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice in its header")
    return found


def _read_safetensors(path: Path) -> dict[str, np.ndarray]:
    header, start = _header(path)
    header.pop("__metadata__", None)
    with path.open("rb") as file:
        raw = np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.uint8)
    tensors = {}
    for name, entry in header.items():
        code, shape = _DTYPES.get(entry["dtype"]), tuple(entry["shape"])
        if code is None:
            raise WeightsError(
                f"{path}: tensor {name!r:.80} has the type {entry['dtype']}; "
                f"{', '.join(_DTYPES)} can be read. Convert the file first"
            )
        begin, end = entry["data_offsets"]
        data = raw[start + begin : start + end]
        dtype = np.dtype(code)
        if data.size != math.prod(shape) * dtype.itemsize:
            raise WeightsError(f"{path}: tensor {name!r:.80} lacks data; fetch the file again")
        if data.ctypes.data % dtype.alignment:
            data = data.copy()
        try:
            array = data.view(dtype).reshape(shape)
        except ValueError as error:  # more axes, or a longer empty one, than NumPy has
            raise WeightsError(
                f"{path}: tensor {name!r:.80} has a shape that no array has ({error!s:.60}); fetch "
                "the file again"
            ) from error
        if entry["dtype"] == "BF16":
            array = (array.astype(np.uint32) << 16).view(np.float32)
        array.flags.writeable = False
        tensors[name] = array
    return tensors
