"""What the listed functions make: small stand-ins of ours that take and give plain data.

Each gets the budget, then the arguments the file gives, which may be anything.
"""

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from mlx_pth.errors import DamagedFileError, RefusedError, TooLargeError
from mlx_pth.machine import plain_key
from mlx_pth.standins import Array, Budget, DType, Global, Ordered, Storage, Tensor

_MAX_DIMENSIONS = 32
_NUMERIC = re.compile(r"[<>|=]?(b1|[iu][1248]|f[248]|c8|c16)")


def is_count(value: Any) -> bool:
    """Say whether a value is a whole number that a size could be."""
    return type(value) is int and 0 <= value < 2**62


def _ordered_dict(budget: Budget, pairs: Any = ()) -> Ordered:
    made = Ordered()
    if type(pairs) not in (list, tuple):
        raise RefusedError(f"an OrderedDict is made from a {type(pairs).__name__}; refused")
    budget.spend(200 * len(pairs), "a dict")
    for pair in pairs:
        if type(pair) not in (list, tuple) or len(pair) != 2:
            raise DamagedFileError("an OrderedDict is made from something else than pairs")
        made[plain_key(pair[0])] = pair[1]
    return made


def _rebuild_tensor(
    budget: Budget, storage: Any, offset: Any, size: Any, stride: Any, *rest: Any
) -> Tensor:
    metadata = rest[2] if len(rest) == 3 else None  # after requires_grad and backward hooks
    if type(storage) is not Storage:
        raise DamagedFileError(f"a tensor lies in a {type(storage).__name__}, not in a storage")
    if type(size) is not tuple or type(stride) is not tuple or len(size) != len(stride):
        raise DamagedFileError("a tensor's size and stride are not tuples of the same length")
    if not all(map(is_count, (offset, *size, *stride))):
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
    if type(sizes) not in (tuple, list) or len(sizes) > 64 or not all(map(is_count, sizes)):
        raise DamagedFileError("a torch.Size is not a short tuple of whole numbers")
    return tuple(sizes)


def _dtype(budget: Budget, code: Any, align: Any = False, copy: Any = False) -> DType:
    if type(code) is not str or not _NUMERIC.fullmatch(code):
        raise RefusedError(f"a NumPy array of dtype {code!r:.40}; only numbers are read. Refused")
    return DType(code.lstrip("<>|="), ">" if code[0] == ">" else "<")


def _scalar(budget: Budget, dtype: Any, data: Any) -> Any:
    if type(dtype) is not DType:
        raise DamagedFileError("a NumPy scalar has no dtype")
    raw = _as_bytes(data)
    if len(raw) != dtype.numpy.itemsize:
        raise DamagedFileError(f"a NumPy scalar of {len(raw)} bytes has dtype {dtype.code}")
    return np.frombuffer(raw, dtype.numpy)[0].item()


def _reconstruct(budget: Budget, kind: Any, shape: Any, code: Any) -> Array:
    if type(kind) is not Global or kind.name != "numpy.ndarray":
        raise RefusedError("a NumPy array of a class of its own; refused")
    return Array()


def set_array_state(budget: Budget, target: Array, state: Any) -> None:
    """Take what NumPy pickles as an array's state."""
    if type(state) is not tuple or len(state) != 5 or type(state[2]) is not DType:
        raise DamagedFileError("a NumPy array's state is not (version, shape, dtype, order, data)")
    _, shape, dtype, fortran, data = state
    if type(shape) is not tuple or len(shape) > _MAX_DIMENSIONS or not all(map(is_count, shape)):
        raise DamagedFileError(f"a NumPy array has the shape {shape!r:.80}")
    raw = _as_bytes(data)
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
    return _as_bytes(text)


def _as_bytes(data: Any) -> bytes:
    """Give raw data as bytes; pickles written by Python 2 hold it as text, one byte a character."""
    if type(data) is bytes:
        return data
    if type(data) is str:
        try:
            return data.encode("latin1")
        except UnicodeEncodeError:
            pass
    raise DamagedFileError(f"raw data is a {type(data).__name__}, not bytes")


# name -> (function, least and most arguments)
_MAKERS: dict[str, tuple[Callable[..., Any], int, int]] = {
    "collections.OrderedDict": (_ordered_dict, 0, 1),
    "torch._utils._rebuild_tensor_v2": (_rebuild_tensor, 4, 7),
    "torch._utils._rebuild_parameter": (_rebuild_parameter, 3, 3),
    "torch.device": (_device, 1, 2),
    "torch.Size": (_size, 0, 1),
    "numpy.dtype": (_dtype, 1, 3),
    "numpy.core.multiarray.scalar": (_scalar, 2, 2),
    "numpy._core.multiarray.scalar": (_scalar, 2, 2),
    "numpy.core.multiarray._reconstruct": (_reconstruct, 3, 3),
    "numpy._core.multiarray._reconstruct": (_reconstruct, 3, 3),
    "_codecs.encode": (_encode, 1, 2),
}
CALLABLE = frozenset(_MAKERS)


def make(name: str, budget: Budget, args: tuple) -> Any:
    """Give what calling the listed `name` stands for."""
    function, least, most = _MAKERS[name]
    if not least <= len(args) <= most:
        raise DamagedFileError(f"{name} has {len(args)} arguments, {least} to {most} are expected")
    return function(budget, *args)
