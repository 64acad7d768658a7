"""From stand-ins to the result: views of the storages, plain dicts, lists and values."""

from typing import Any, Protocol

import numpy as np

from mlx_pth.errors import DamagedFileError, RefusedError, TooLargeError
from mlx_pth.standins import Array, Budget, DType, Global, Placeholder, Storage, Tensor

_MAX_DEPTH = 100
# Of the tree with everything shared written out, as whoever walks or prints it would meet it: its
# text, and 32 for every value. Weights share tensors, not lists of lists.
_MAX_UNFOLDED = 64 * 2**20
_VALUE = 32


class Source(Protocol):
    """Where the bytes of the storages lie."""

    big_endian: bool

    def raw(self, storage: Storage) -> np.ndarray:
        """Give the storage's bytes, uint8 of exactly `stored_bytes`, or raise a PthError."""
        ...


def finish(tree: Any, source: Source, budget: Budget) -> Any:
    """Replace every stand-in in `tree`. Objects the file shares stay shared in the result."""
    return _Finisher(source, budget).finish(tree, _MAX_DEPTH)[0]


class _Finisher:
    def __init__(self, source: Source, budget: Budget) -> None:
        self.source = source
        self.budget = budget
        self.typed: dict[tuple[str, str], np.ndarray] = {}
        self.done: dict[int, tuple[Any, int, int]] = {}

    def finish(self, node: Any, room: int) -> tuple[Any, int, int]:
        """Give the result, its height and its unfolded size; `room`: levels that may follow."""
        kind = type(node)
        if kind in (str, bytes):
            return node, 0, _VALUE + len(node)
        if kind in (int, float, bool, type(None)):
            return node, 0, _VALUE
        known = self.done.get(id(node))
        if known is None:
            if room <= 0:
                raise self._too_deep()
            known = self._make(node, room - 1)
            if known[2] > _MAX_UNFOLDED:
                raise TooLargeError(
                    "the contents repeat themselves into more than a million values or 64 MiB of "
                    "text, which weights never do; refused"
                )
            self.done[id(node)] = known
        if known[1] > room:
            raise self._too_deep()
        return known

    @staticmethod
    def _too_deep() -> RefusedError:
        return RefusedError(
            f"the contents are nested deeper than {_MAX_DEPTH} levels or contain themselves, which "
            "weights never do; refused"
        )

    def _make(self, node: Any, room: int) -> tuple[Any, int, int]:
        if type(node) is Placeholder:
            inside = [node.args, node.kwargs, node.state, node.items]
            parts, height, unfolded = self._all(inside, room)
            return Placeholder(node.name, *parts), height, unfolded
        if isinstance(node, dict):
            values, height, unfolded = self._all(list(node.values()), room)
            unfolded += sum(len(key) for key in node if type(key) in (str, bytes))
            return dict(zip(node, values, strict=True)), height, unfolded
        if type(node) in (list, tuple):
            values, height, unfolded = self._all(node, room)
            return (tuple(values) if type(node) is tuple else values), height, unfolded
        return self._leaf(node), 0, _VALUE

    def _leaf(self, node: Any) -> Any:
        match node:
            case Tensor():
                return self._tensor(node)
            case Storage():
                self.budget.spend(node.length * node.itemsize, "a storage")
                return self._tensor(Tensor(node, 0, (node.length,), (1,)))
            case Array(value=None):
                raise DamagedFileError("a NumPy array has no data")
            case Array():
                return node.value
            case DType():
                return node.numpy.name
            case Global():
                return Placeholder(node.name)
        raise TypeError(f"the machine made a {type(node).__name__}")  # cannot happen

    def _all(self, nodes: Any, room: int) -> tuple[list, int, int]:
        results, height, unfolded = [], 0, _VALUE
        for node in nodes:
            result, inner, size = self.finish(node, room)
            results.append(result)
            height = max(height, inner)
            unfolded += size
        return results, height + 1, unfolded

    def _tensor(self, tensor: Tensor) -> np.ndarray:
        typed = self._typed(tensor.storage)
        step = typed.dtype.itemsize
        if 0 in tensor.size:
            array = np.empty(tensor.size, typed.dtype)
        else:
            array = np.ndarray(  # checks the bounds once more, against the real buffer
                tensor.size,
                typed.dtype,
                buffer=typed,
                offset=(tensor.storage.start + tensor.offset) * step,
                strides=[n * step for n in tensor.stride],
            )
        # Torch stores these two lazily, as a mark on the values before the operation.
        if tensor.conj:
            array = np.conj(array, out=np.empty(array.shape, array.dtype))
        if tensor.neg:
            array = np.negative(array, out=np.empty(array.shape, array.dtype))
        array.flags.writeable = False
        return array

    def _typed(self, storage: Storage) -> np.ndarray:
        """Give the whole storage as an array of its dtype, made once, so that views share it."""
        key = (storage.key, storage.dtype)
        if key not in self.typed:
            raw = self.source.raw(storage)
            self.typed[key] = _decode(raw, storage.dtype, self.source.big_endian)
        return self.typed[key]


def _decode(raw: np.ndarray, dtype: str, big_endian: bool) -> np.ndarray:
    code = "u2" if dtype == "bfloat16" else dtype
    order = "big" if big_endian else "little"
    stored = np.dtype(code).newbyteorder(order)
    if not raw.flags.c_contiguous or raw.ctypes.data % stored.alignment:
        raw = raw.copy()
    array = raw.view(stored).astype(np.dtype(code), copy=False)
    if dtype == "bfloat16":  # the upper half of a float32: widening is exact
        array = (array.astype(np.uint32) << 16).view(np.float32)
    elif dtype == "b1":
        array = (raw != 0) if raw.size and raw.max() > 1 else array
    array.flags.writeable = False
    return array
