"""`save`: what `torch.save` would write, without torch.

archive/data.pkl             the tree; tensors name their storages
archive/byteorder            "little"
archive/data/0, 1, ...       a storage each, its bytes at a multiple of 64
archive/version              "3"
"""

import os
import secrets
import sys
import zipfile
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from mlx_pth.errors import MissingFileError
from mlx_pth.pickling import Writer

_ROOT = "archive"  # torch takes the file's stem; a fixed name makes equal contents equal files
_ALIGNMENT = 64
_LOCAL_HEADER = 30  # bytes before the name
_PADDING = b"FB"  # the id that torch gives an extra field of mere padding


def save(path: str | PathLike[str], object: Any) -> None:
    """Write `object` as a torch file that `torch.load(weights_only=True)` and `load` read.

    `object`: nested dict, OrderedDict, list and tuple of NumPy arrays (any shape and strides;
    float16 to float64, int8 to int64, uint8, bool, complex64, complex128), str, int, float, bool
    and None. NumPy scalars become numbers. Arrays become tensors of the same dtype, contiguous; an
    array *object* that stands in several places is stored once and shared again when read. The
    same contents give the same bytes. The file appears under its name only when it is whole, with
    the permissions of the file that it replaces, if any.

    Raises UnwritableError (a ValueError) that names the place of what cannot be written,
    MissingFileError where there is no such folder, and OSError for a disk that is full.
    Source: torch/serialization.py and caffe2/serialize/inline_container.cc of PyTorch 2.x.
    """
    path = Path(os.path.realpath(path))
    writer = Writer()
    pickle = writer.dump(object)
    if not path.parent.is_dir():
        raise MissingFileError(f"the folder {path.parent} does not exist; make it first")
    if path.is_dir():
        raise MissingFileError(f"{path} is a folder; add a file name")
    temporary = path.with_name(f".{path.stem[:80]}-{secrets.token_hex(6)}{path.suffix}")
    try:
        with zipfile.ZipFile(temporary, "x", zipfile.ZIP_STORED, allowZip64=True) as archive:
            _add(archive, "data.pkl", pickle)
            _add(archive, "byteorder", b"little")
            for key, array in enumerate(writer.arrays):
                _add(archive, f"data/{key}", _bytes(array))
            _add(archive, "version", b"3\n")
        if path.exists():
            temporary.chmod(path.stat().st_mode & 0o7777)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _bytes(array: np.ndarray) -> Any:
    """The array's values in C order, little endian: a view where it lies so already."""
    flat = np.ascontiguousarray(array).reshape(-1)
    if flat.dtype.byteorder == ">" or (flat.dtype.byteorder == "=" and sys.byteorder == "big"):
        flat = flat.astype(flat.dtype.newbyteorder("<"))
    return flat.view(np.uint8).data


def _add(archive: zipfile.ZipFile, name: str, data: Any) -> None:
    info = zipfile.ZipInfo(f"{_ROOT}/{name}")  # dated 1980, as torch's entries are
    assert archive.fp is not None
    start = archive.fp.tell() + _LOCAL_HEADER + len(info.filename) + len(_PADDING) + 2
    padding = -start % _ALIGNMENT
    info.extra = _PADDING + padding.to_bytes(2, "little") + b"Z" * padding
    archive.writestr(info, data)
