"""The names a weights file may ask for, and the inert things that stand in for them.

The list is exact. Nothing is imported or looked up by name; a stand-in is a private class of ours,
or one of the functions of `makers`, which only accept plain data and only make plain data.
"""

from collections.abc import Collection
from typing import Any

from mlx_pth.errors import DamagedFileError, RefusedError
from mlx_pth.makers import CALLABLE, is_count, make, set_array_state
from mlx_pth.standins import Array, Budget, DType, Global, Ordered, Placeholder, Storage

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
    ["torch.float16", "torch.float32", "torch.float64", "torch.bfloat16", "torch.int8",
     "torch.int16", "torch.int32", "torch.int64", "torch.uint8", "torch.bool", "torch.complex64",
     "torch.complex128"]
)  # fmt: skip
_INERT = frozenset(["numpy.ndarray"])  # only ever an argument of _reconstruct


class Table:
    """The names table of one file: the exact list, plus the caller's `foreign` class names."""

    def __init__(self, budget: Budget, foreign: Collection[str] = ()) -> None:
        """Make a table whose contents together keep within `budget`."""
        self.budget = budget
        self.foreign = frozenset(foreign)

    # What the machine asks

    def find(self, module: str, name: str) -> Any:
        """Give the stand-in of a listed name; refuse any other."""
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
        """Make what a listed name makes, or a placeholder for a foreign class."""
        if type(target) is not Global:
            raise RefusedError(
                f"the pickle calls a {type(target).__name__}, which is no known name; refused"
            )
        if type(args) is not tuple:
            raise DamagedFileError(f"{target.name} is called with no tuple of arguments")
        if target.foreign:
            return Placeholder(target.name, args=args, kwargs=_plain_kwargs(kwargs))
        if target.name not in CALLABLE or kwargs:
            raise RefusedError(f"the pickle calls {target.name}, which only names a type; refused")
        return make(target.name, self.budget, args)

    def build(self, target: Any, state: Any) -> None:
        """Keep or check the state of a stand-in; refuse it for anything else."""
        if type(target) is Placeholder:
            target.state = state
        elif type(target) is DType:
            target.set_state(state)
        elif type(target) is Array:
            set_array_state(self.budget, target, state)
        elif type(target) is not Ordered:  # an OrderedDict's attributes (_metadata) are dropped
            raise RefusedError(
                f"the pickle sets the state of a {type(target).__name__}; refused, nothing was run"
            )

    def append(self, target: Any, values: list) -> None:
        """Note what a foreign list would hold."""
        if type(target) is not Placeholder:
            raise RefusedError(f"the pickle appends to a {type(target).__name__}; refused")
        target.items.extend(values)

    def assign(self, target: Any, pairs: list[tuple]) -> None:
        """Note what a foreign dict would hold."""
        if type(target) is not Placeholder:
            raise RefusedError(f"the pickle sets items of a {type(target).__name__}; refused")
        target.items.extend(pairs)

    def persistent(self, identity: Any) -> Storage:
        """Give the storage of `("storage", type, key, device, count[, view])`."""
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
        if type(key) is not str or not is_count(numel):
            raise DamagedFileError(f"a storage has the key {key!r:.60} and the size {numel!r:.60}")
        storage = Storage(key, STORAGES[kind.name], numel)
        view = identity[5] if len(identity) == 6 else None
        if view is not None:  # very old files: a storage that is a window of another
            if type(view) is not tuple or len(view) != 3:
                raise DamagedFileError("a storage view is not (key, offset, size)")
            _, start, length = view
            if not is_count(start) or not is_count(length) or start + length > numel:
                raise DamagedFileError(f"a storage view ({start!r:.30}, {length!r:.30}) is outside")
            storage = Storage(key, storage.dtype, numel, start, length)
        return storage


def _plain_kwargs(kwargs: Any) -> dict:
    if kwargs is None:
        return {}
    if type(kwargs) is not dict or not all(type(key) is str for key in kwargs):
        raise DamagedFileError("keyword arguments are not a dict of names")
    return kwargs
