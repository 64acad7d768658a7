"""NumPy's `.npz`, a zip of `.npy` arrays, read as a stranger's: bounded, and no pickle."""

import math
import re
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from mlx_pth.bounded import BoundedFile
from mlx_weights.errors import WeightsError

_MAX_BYTES, _LEAST_BYTES, _TIMES_FILE = 16 * 2**30, 128 * 2**20, 8
_LOCAL_HEADER = 30  # bytes before the name
_ENCRYPTED = 0x1
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # lzma takes what memory its header asks
_PIECE = 2**20
# As NumPy and MLX write it. NumPy itself evaluates it as Python, which is more than is needed.
_ARRAY_HEADER = re.compile(
    r"\{'descr': ?'([<>|=]?[biuf]\d{1,2})', ?'fortran_order': ?(True|False), "
    r"?'shape': ?\(((?:\d{1,18}, ?)*(?:\d{1,18})?)\),? ?\}\s*"
)
_MAX_ARRAY_HEADER = 10_000
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, ValueError,
    KeyError, TypeError, OverflowError,
)  # fmt: skip


def is_npz(path: Path) -> bool:
    """Say whether the file is a zip whose first entry is an `.npy` array."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(_LOCAL_HEADER)
        if len(head) < _LOCAL_HEADER or not head.startswith(b"PK\x03\x04"):
            return False
        return file.read(int.from_bytes(head[26:28], "little")).endswith(b".npy")


def zip_names(path: Path) -> list[str]:
    """Give the names in a zip; none where it is damaged or its directory is enormous."""
    try:
        with path.open("rb") as file:
            archive = zipfile.ZipFile(BoundedFile(file))  # pyright: ignore[reportArgumentType]
            return archive.namelist()
    except _DAMAGE:
        return []


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """Read the arrays of numbers in an `.npz`, read-only, under their names without `.npy`.

    Together they may take 8 times the file, at least 128 MiB and at most 16 GiB. Raises
    WeightsError for what is larger, damaged, encrypted, or no array of numbers (objects, text).
    """
    try:
        with path.open("rb") as file:
            return _read(path, file)
    except WeightsError:
        raise
    except _DAMAGE as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise WeightsError(
            f"{path} is a damaged .npz file ({said:.120}); fetch or write it again"
        ) from None


def _read(path: Path, file: Any) -> dict[str, np.ndarray]:
    limit = min(_MAX_BYTES, max(_LEAST_BYTES, _TIMES_FILE * path.stat().st_size))
    with zipfile.ZipFile(BoundedFile(file)) as archive:  # pyright: ignore[reportArgumentType]
        infos = archive.infolist()
        total = sum(info.file_size for info in infos)
        if total > limit:
            raise WeightsError(
                f"{path} would unfold to {total:,} bytes, of which at most {limit:,} are read; "
                "fetch the file from a place you trust"
            )
        _check(infos)
        return {
            info.filename.removesuffix(".npy"): _array(info.filename, _contents(archive, info))
            for info in infos
        }


def _check(infos: list[zipfile.ZipInfo]) -> None:
    """Refuse names that repeat, entries that share bytes, and whatever is no array."""
    if len({info.filename for info in infos}) != len(infos):
        raise ValueError("a name occurs twice")
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end:
            raise ValueError(f"{info.filename!r:.60} overlaps with another entry")
        end = info.header_offset + _LOCAL_HEADER + info.compress_size
        if info.flag_bits & _ENCRYPTED:
            raise ValueError(f"{info.filename!r:.60} is encrypted")
        if info.compress_type not in _PACKINGS:
            raise ValueError(f"{info.filename!r:.60} is packed by method {info.compress_type}")
        if not info.filename.endswith(".npy"):
            raise ValueError(f"{info.filename!r:.60} is no .npy array")


def _contents(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """Read an entry a piece at a time: what it says of its size is not memory yet."""
    data = bytearray()
    with archive.open(info) as entry:
        while piece := entry.read(min(_PIECE, info.file_size + 1 - len(data))):
            data += piece
    if len(data) != info.file_size:
        raise ValueError(f"{info.filename!r:.60} is not as large as the directory says")
    return bytes(data)


def _array(name: str, data: bytes) -> np.ndarray:
    """An array from the bytes of an `.npy` (NumPy's format description, versions 1 to 3)."""
    major = data[6] if data.startswith(b"\x93NUMPY") and len(data) > 12 else 0
    if major not in (1, 2, 3):
        raise ValueError(f"{name!r:.60} does not start as an array")
    start = 10 if major == 1 else 12
    end = start + int.from_bytes(data[8:start], "little")
    if end > _MAX_ARRAY_HEADER:
        raise ValueError(f"{name!r:.60} has a header of {end - start:,} bytes")
    found = _ARRAY_HEADER.fullmatch(data[start:end].decode("latin1"))
    if found is None:
        raise ValueError(f"{name!r:.60} is no array of numbers: {data[start:end]!r:.60}")
    dtype = np.dtype(found[1])
    shape = tuple(int(n) for n in found[3].replace(",", " ").split())
    if math.prod(shape) * dtype.itemsize != len(data) - end:
        raise ValueError(f"{name!r:.60} has another size than its shape {shape!s:.60} says")
    values = np.frombuffer(data, dtype, offset=end)
    return values.reshape(shape, order="F" if found[2] == "True" else "C")
