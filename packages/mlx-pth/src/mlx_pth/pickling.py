"""The pickle of a torch file, opcode by opcode: plain values, and tensors named by their storage.

Python's own pickler would import torch to name its functions; here a name is only text. Protocol 2
is what torch.save writes, and every opcode below is one that torch's weights-only reader knows.
"""

from __future__ import annotations

import pickle
import struct
from collections import OrderedDict
from typing import Any

import numpy as np

from mlx_pth.errors import UnwritableError

# NumPy's dtype name -> torch's storage class.
STORAGES = {
    "float64": "DoubleStorage",
    "float32": "FloatStorage",
    "float16": "HalfStorage",
    "int64": "LongStorage",
    "int32": "IntStorage",
    "int16": "ShortStorage",
    "int8": "CharStorage",
    "uint8": "ByteStorage",
    "bool": "BoolStorage",
    "complex64": "ComplexFloatStorage",
    "complex128": "ComplexDoubleStorage",
}
_MAX_DEPTH = 100  # what the reader of this package accepts

_PROTO, _STOP, _MARK = b"\x80\x02", b".", b"("
_ORDERED_DICT = b"ccollections\nOrderedDict\n)R"
_REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n"


class Writer:
    """Turns a tree into opcodes and collects its arrays; storage `str(i)` is `arrays[i]`."""

    def __init__(self) -> None:
        self.arrays: list[np.ndarray] = []
        self._keys: dict[int, str] = {}
        self._parts: list[bytes] = [_PROTO]

    def dump(self, tree: Any) -> bytes:
        """Give the pickle of `tree`. Raises UnwritableError, naming the place in the tree."""
        self._put(tree, "", _MAX_DEPTH)
        self._parts.append(_STOP)
        return b"".join(self._parts)

    def _put(self, value: Any, place: str, room: int) -> None:
        if room < 0:
            raise UnwritableError(
                f"{place[:60] or 'the object'} ... is nested deeper than {_MAX_DEPTH} levels or "
                "contains itself; write a plain tree"
            )
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, np.ndarray):
            self._tensor(value, place)
        elif type(value) in (dict, OrderedDict):
            self._dict(value, place, room)
        elif type(value) is list:
            self._parts.append(b"]" + _MARK)
            self._items(value, place, room)
            self._parts.append(b"e")
        elif type(value) is tuple:
            self._parts.append(_MARK)
            self._items(value, place, room)
            self._parts.append(b"t")
        else:
            self._parts.append(_scalar(value, place))

    def _items(self, values: list | tuple, place: str, room: int) -> None:
        for i, value in enumerate(values):
            self._put(value, f"{place}[{i}]", room - 1)

    def _dict(self, value: dict, place: str, room: int) -> None:
        self._parts.append((b"}" if type(value) is dict else _ORDERED_DICT) + _MARK)
        for key, item in value.items():
            inner = f"{place}[{key!r:.60}]"
            self._parts.append(_scalar(key, f"the key {inner}"))
            self._put(item, inner, room - 1)
        self._parts.append(b"u")

    def _tensor(self, array: np.ndarray, place: str) -> None:
        """_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)."""
        storage = STORAGES.get(array.dtype.name)
        if storage is None:
            raise UnwritableError(
                f"{place or 'the array'} is {array.dtype}, for which torch has no storage; "
                f"convert it to one of {', '.join(STORAGES)}"
            )
        # An array that stands in several places is written once, and shared again when read.
        key = self._keys.get(id(array))
        if key is None:
            key = self._keys[id(array)] = str(len(self.arrays))
            self.arrays.append(array)
        strides = [1]
        for size in array.shape[:0:-1]:
            strides.insert(0, strides[0] * max(size, 1))
        self._parts += [
            _REBUILD + _MARK + _MARK + _text("storage"),
            f"ctorch\n{storage}\n".encode() + _text(key) + _text("cpu") + _integer(array.size),
            b"tQ" + _integer(0) + _integers(array.shape),
            _integers(strides if array.ndim else ()) + b"\x89" + _ORDERED_DICT + b"tR",
        ]


def _scalar(value: Any, place: str) -> bytes:
    if value is None:
        return b"N"
    if type(value) is bool:
        return b"\x88" if value else b"\x89"
    if type(value) is int:
        return _integer(value)
    if type(value) is float:
        return b"G" + struct.pack(">d", value)
    if type(value) is str:
        try:
            return _text(value)
        except UnicodeEncodeError:
            raise UnwritableError(f"{place or 'the text'} is no valid Unicode text") from None
    raise UnwritableError(
        f"{place or 'the object'} is a {type(value).__name__}; dict, list, tuple, NumPy arrays, "
        "text, numbers, True, False and None can be written (as keys only the last five)"
    )


def _text(value: str) -> bytes:
    data = value.encode("utf-8")
    return b"X" + struct.pack("<I", len(data)) + data


def _integer(value: int) -> bytes:
    if -(2**31) <= value < 2**31:
        return b"J" + struct.pack("<i", value)
    data = pickle.encode_long(value)
    if len(data) > 255:
        raise UnwritableError(f"a whole number of {len(data)} bytes; 255 at most")
    return b"\x8a" + bytes([len(data)]) + data


def _integers(values: Any) -> bytes:
    return _MARK + b"".join(_integer(int(value)) for value in values) + b"t"
