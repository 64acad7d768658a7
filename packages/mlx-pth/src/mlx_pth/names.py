"""The names a weights file may ask for, and the inert things that stand in for them.

The list is exact. Nothing is imported or looked up by name; a stand-in is a private class of ours,
or one of the small functions below, which only accept plain data and only make plain data.
"""

import math
import re
from collections.abc import Collection
from typing import Any

import numpy as np

from mlx_pth.errors import DamagedFileError, RefusedError, TooLargeError
from mlx_pth.machine import plain_key
from mlx_pth.standins import Array, Budget, DType, Global, Ordered, Placeholder, Storage, Tensor

# torch's storage class -> NumPy's dtype character; bfloat16 is kept as its own name.
STORAGES = {
    "torch.DoubleStorage": "f8",
    "torch.FloatStorage": "f4",
    "torch.HalfStorage": "f2",
    "torch.BFloat16Storage": "bfloat16",
    "torch.LongStorage": "i8",
    "torch.IntStorage": "i4",
    "torch.ShortStorage": "i2",
    "torch.CharStorage": "i1",
    "torch.ByteStorage": "u1",
    "torch.BoolStorage": "b1",
    "torch.ComplexFloatStorage": "c8",
    "torch.ComplexDoubleStorage": "c16",
    "torch.UntypedStorage": "u1",
    "torch.storage.UntypedStorage": "u1",
}
DTYPES = frozenset(
    "torch." + name
    for name in (
        "float16 float32 float64 bfloat16 int8 int16 int32 int64 uint8 bool complex64 complex128 "
        "half float double short int long"
    ).split()
)
CALLABLE = frozenset(
    [
        "collections.OrderedDict",
        "torch._utils._rebuild_tensor_v2",
        "torch._utils._rebuild_parameter",
        "torch.device",
        "torch.Size",
        "numpy.dtype",
        "numpy.core.multiarray.scalar",
        "numpy._core.multiarray.scalar",
        "numpy.core.multiarray._reconstruct",
        "numpy._core.multiarray._reconstruct",
        "_codecs.encode",
    ]
)
_INERT = frozenset(["numpy.ndarray"])  # only ever an argument of _reconstruct

_MAX_DIMENSIONS = 32
_NUMERIC = re.compile(r"[<>|=]?(b1|[iu][1248]|f[248]|c8|c16)")


class Table:
    """The names table of one file: the exact list, plus the caller's `foreign` class names."""

    def __init__(self, budget: Budget, foreign: Collection[str] = ()) -> None:
        self.budget = budget
        self.foreign = frozenset(foreign)

    # What the machine asks

    def find(self, module: str, name: str) -> Any:
        full = f"{module}.{name}"
        if full in DTYPES:
            return full
        if full in CALLABLE or full in STORAGES or full in _INERT:
            return Global(full)
        if full in self.foreign:
            return Global(full, foreign=True)
        raise RefusedError(
            f"the file asks for {full!r:.160}, which is not among the names plain weights need; it "
            "was refused and nothing was run. Get a plain state dict, or, for a class known to be "
            "harmless, have it replaced by an inert placeholder (foreign=...)"
        )

    def call(self, target: Any, args: Any, kwargs: Any = None) -> Any:
        if type(target) is not Global:
            raise RefusedError(
                f"the pickle calls a {type(target).__name__}, which is no known name; refused"
            )
        if type(args) is not tuple:
            raise DamagedFileError(f"{target.name} is called with no tuple of arguments")
        if target.foreign:
            return Placeholder(target.name, args=args, kwargs=_plain_kwargs(kwargs))
        function = _CALLS.get(target.name)
        if function is None or kwargs:
            raise RefusedError(f"the pickle calls {target.name}, which only names a type; refused")
        return function(self.budget, *_arity(target.name, args))

    def build(self, target: Any, state: Any) -> None:
        if type(target) is Placeholder:
            target.state = state
        elif type(target) is DType:
            target.set_state(state)
        elif type(target) is Array:
            _set_array_state(self.budget, target, state)
        elif type(target) is not Ordered:  # an OrderedDict's attributes (_metadata) are dropped
            raise RefusedError(
                f"the pickle sets the state of a {type(target).__name__}; refused, nothing was run"
            )

    def append(self, target: Any, values: list) -> None:
        if type(target) is not Placeholder:
            raise RefusedError(f"the pickle appends to a {type(target).__name__}; refused")
        target.items.extend(values)

    def assign(self, target: Any, pairs: list[tuple]) -> None:
        if type(target) is not Placeholder:
            raise RefusedError(f"the pickle sets items of a {type(target).__name__}; refused")
        target.items.extend(pairs)

    def persistent(self, identity: Any) -> Storage:
        if type(identity) is not tuple or not identity:
            raise RefusedError(f"a storage is named by a {type(identity).__name__}; refused")
        if identity[0] != "storage":
            raise RefusedError(
                f"the file holds a {identity[0]!r:.60} object with its code; only tensors and plain"
                " values are read. Save its state_dict() instead"
            )
        if len(identity) not in (5, 6):
            raise DamagedFileError(f"a storage is named by {len(identity)} values, not 5 or 6")
        kind, key, _location, numel = identity[1:5]
        if type(kind) is not Global or kind.name not in STORAGES:
            raise DamagedFileError("a storage has no known type")
        if type(key) is not str or not _is_count(numel):
            raise DamagedFileError(f"a storage has the key {key!r:.60} and the size {numel!r:.60}")
        storage = Storage(key, STORAGES[kind.name], numel)
        view = identity[5] if len(identity) == 6 else None
        if view is not None:  # very old files: a storage that is a window of another
            if type(view) is not tuple or len(view) != 3:
                raise DamagedFileError("a storage view is not (key, offset, size)")
            _, start, length = view
            if not _is_count(start) or not _is_count(length) or start + length > numel:
                raise DamagedFileError(f"a storage view ({start!r:.30}, {length!r:.30}) is outside")
            storage = Storage(key, storage.dtype, numel, start, length)
        return storage


def _arity(name: str, args: tuple) -> tuple:
    low, high = _ARITY[name]
    if not low <= len(args) <= high:
        raise DamagedFileError(f"{name} has {len(args)} arguments, {low} to {high} are expected")
    return args


def _plain_kwargs(kwargs: Any) -> dict:
    if kwargs is None:
        return {}
    if type(kwargs) is not dict or not all(type(key) is str for key in kwargs):
        raise DamagedFileError("keyword arguments are not a dict of names")
    return kwargs


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**62


# The stand-ins for what may be called. Each takes the budget, then the file's own arguments.


def _ordered_dict(budget: Budget, pairs: Any = ()) -> Ordered:
    made = Ordered()
    if type(pairs) not in (list, tuple):
        raise RefusedError(f"an OrderedDict is made from a {type(pairs).__name__}; refused")
    budget.spend(64 * len(pairs), "a dict")
    for pair in pairs:
        if type(pair) not in (list, tuple) or len(pair) != 2:
            raise DamagedFileError("an OrderedDict is made from something else than pairs")
        made[plain_key(pair[0])] = pair[1]
    return made


def _rebuild_tensor(
    budget: Budget,
    storage: Any,
    offset: Any,
    size: Any,
    stride: Any,
    requires_grad: Any = False,
    hooks: Any = None,
    metadata: Any = None,
) -> Tensor:
    if type(storage) is not Storage:
        raise DamagedFileError(f"a tensor lies in a {type(storage).__name__}, not in a storage")
    if type(size) is not tuple or type(stride) is not tuple or len(size) != len(stride):
        raise DamagedFileError("a tensor's size and stride are not tuples of the same length")
    if not all(map(_is_count, (offset, *size, *stride))):
        raise DamagedFileError(
            f"a tensor has offset {offset!r:.40}, size {size!r:.80}, stride {stride!r:.80}: "
            "non-negative whole numbers are expected; the file is damaged or hostile"
        )
    if len(size) > _MAX_DIMENSIONS:
        raise TooLargeError(f"a tensor has {len(size)} dimensions; {_MAX_DIMENSIONS} at most")
    # The largest array this could ever become, empty axes aside: NumPy itself overflows above.
    extent = math.prod(n for n in size if n) * storage.itemsize
    if 0 in size:
        budget.check(extent, f"an empty tensor of size {size}")
    else:
        budget.spend(extent, f"a tensor of size {size}")
        last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
        if last >= storage.length:
            raise DamagedFileError(
                f"a tensor of size {size}, stride {stride}, offset {offset} reaches element {last} "
                f"of a storage of {storage.length}; the file is damaged or hostile"
            )
    conj = neg = False
    if metadata is not None:
        if type(metadata) not in (dict, Ordered):
            raise DamagedFileError("a tensor's metadata is not a dict")
        conj, neg = metadata.get("conj") is True, metadata.get("neg") is True
    return Tensor(storage, offset, size, stride, conj, neg)


def _rebuild_parameter(budget: Budget, data: Any, requires_grad: Any, hooks: Any) -> Any:
    if type(data) is not Tensor:
        raise DamagedFileError(f"a parameter is made of a {type(data).__name__}, not of a tensor")
    return data


def _device(budget: Budget, kind: Any, index: Any = None) -> str:
    if type(kind) is not str or not (index is None or type(index) is int):
        raise DamagedFileError("a torch.device is not a name and a number")
    return kind if index is None else f"{kind}:{index}"


def _size(budget: Budget, sizes: Any = ()) -> tuple:
    if type(sizes) not in (tuple, list) or len(sizes) > 64 or not all(map(_is_count, sizes)):
        raise DamagedFileError("a torch.Size is not a short tuple of whole numbers")
    return tuple(sizes)


def _dtype(budget: Budget, code: Any, align: Any = False, copy: Any = False) -> DType:
    if type(code) is not str or not _NUMERIC.fullmatch(code):
        raise RefusedError(f"a NumPy array of dtype {code!r:.40}; only numbers are read. Refused")
    return DType(code.lstrip("<>|="), ">" if code[0] == ">" else "<")


def _scalar(budget: Budget, dtype: Any, data: Any) -> Any:
    if type(dtype) is not DType:
        raise DamagedFileError("a NumPy scalar has no dtype")
    raw = as_bytes(data)
    if len(raw) != dtype.numpy.itemsize:
        raise DamagedFileError(f"a NumPy scalar of {len(raw)} bytes has dtype {dtype.code}")
    return np.frombuffer(raw, dtype.numpy)[0].item()


def _reconstruct(budget: Budget, kind: Any, shape: Any, code: Any) -> Array:
    if type(kind) is not Global or kind.name != "numpy.ndarray":
        raise RefusedError("a NumPy array of a class of its own; refused")
    return Array()


def _set_array_state(budget: Budget, target: Array, state: Any) -> None:
    if type(state) is not tuple or len(state) != 5 or type(state[2]) is not DType:
        raise DamagedFileError("a NumPy array's state is not (version, shape, dtype, order, data)")
    _, shape, dtype, fortran, data = state
    if type(shape) is not tuple or len(shape) > _MAX_DIMENSIONS or not all(map(_is_count, shape)):
        raise DamagedFileError(f"a NumPy array has the shape {shape!r:.80}")
    raw = as_bytes(data)
    budget.check(math.prod(n for n in shape if n) * dtype.numpy.itemsize, f"an array of {shape}")
    if math.prod(shape) * dtype.numpy.itemsize != len(raw):
        raise DamagedFileError(f"a NumPy array of shape {shape} has {len(raw)} bytes of data")
    budget.spend(len(raw), "a NumPy array")
    array = np.frombuffer(raw, dtype.numpy).reshape(shape, order="F" if fortran is True else "C")
    target.value = array.astype(dtype.numpy.newbyteorder("="), copy=False)


def _encode(budget: Budget, text: Any, codec: Any = "latin1") -> bytes:
    if type(text) is not str or codec not in ("latin1", "latin-1"):
        raise RefusedError(f"_codecs.encode with codec {codec!r:.40}; only latin1 text is read")
    budget.spend(len(text), "a byte string")
    return as_bytes(text)


def as_bytes(data: Any) -> bytes:
    """Give raw data as bytes; pickles written by Python 2 hold it as text, one byte a character."""
    if type(data) is bytes:
        return data
    if type(data) is str:
        try:
            return data.encode("latin1")
        except UnicodeEncodeError:
            pass
    raise DamagedFileError(f"raw data is a {type(data).__name__}, not bytes")


_CALLS = {
    "collections.OrderedDict": _ordered_dict,
    "torch._utils._rebuild_tensor_v2": _rebuild_tensor,
    "torch._utils._rebuild_parameter": _rebuild_parameter,
    "torch.device": _device,
    "torch.Size": _size,
    "numpy.dtype": _dtype,
    "numpy.core.multiarray.scalar": _scalar,
    "numpy._core.multiarray.scalar": _scalar,
    "numpy.core.multiarray._reconstruct": _reconstruct,
    "numpy._core.multiarray._reconstruct": _reconstruct,
    "_codecs.encode": _encode,
}
_ARITY = {
    "collections.OrderedDict": (0, 1),
    "torch._utils._rebuild_tensor_v2": (4, 7),
    "torch._utils._rebuild_parameter": (3, 3),
    "torch.device": (1, 2),
    "torch.Size": (0, 1),
    "numpy.dtype": (1, 3),
    "numpy.core.multiarray.scalar": (2, 2),
    "numpy._core.multiarray.scalar": (2, 2),
    "numpy.core.multiarray._reconstruct": (3, 3),
    "numpy._core.multiarray._reconstruct": (3, 3),
    "_codecs.encode": (1, 2),
}
