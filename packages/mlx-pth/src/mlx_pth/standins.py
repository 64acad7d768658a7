"""The inert objects that stand on the machine's stack in place of torch's and NumPy's own."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mlx_pth.errors import DamagedFileError, TooLargeError

MAX_BYTES = 16 * 2**30
LEAST_BYTES = 128 * 2**20
TIMES_FILE = 8


class Budget:
    """Counts the bytes that tensors and copies would take, and stops before they are taken.

    Logical bytes are counted, tensor by tensor: a stride-0 tensor of one element that claims 2^40
    costs nothing as a view, and a terabyte as soon as somebody copies it.
    """

    @classmethod
    def of_file(cls, size: int) -> "Budget":
        """Make the usual budget of a file of `size` bytes: what it holds, several times over.

        A pickle of a few bytes can describe as much as it likes, honest weights lie in the file.
        """
        return cls(min(MAX_BYTES, max(LEAST_BYTES, TIMES_FILE * size)))

    def __init__(self, max_bytes: int) -> None:
        """Start with `max_bytes` to spend."""
        self.max_bytes = max_bytes
        self.spent = 0

    def check(self, size: int, what: str) -> None:
        """Refuse a single thing that alone is over the limit."""
        if size > self.max_bytes:
            raise TooLargeError(
                f"{what:.120} takes {size:,} bytes, the limit is {self.max_bytes:,}; if the file "
                "really is that large, raise max_bytes"
            )

    def spend(self, size: int, what: str) -> None:
        """Count `size` bytes; refuse what brings the sum over the limit."""
        self.spent += size
        if self.spent > self.max_bytes:
            raise TooLargeError(
                f"with {what:.120} the contents take {self.spent:,} bytes, the limit is "
                f"{self.max_bytes:,}; if the file really is that large, raise max_bytes"
            )


@dataclass(frozen=True, slots=True)
class Global:
    """A name from the list. It can be handed to the table's `call`, and nothing else."""

    name: str
    foreign: bool = False


class Ordered(dict):
    """An OrderedDict in the making; it comes out as a plain dict."""


@dataclass(frozen=True, slots=True)
class Storage:
    """`numel` elements under a key; a tensor sees `length` of them from `start`."""

    key: str
    dtype: str
    numel: int
    start: int = 0
    view: int | None = None

    @property
    def length(self) -> int:
        """Give the number of elements in sight."""
        return self.numel if self.view is None else self.view

    @property
    def itemsize(self) -> int:
        """Give the bytes per element in the result: bfloat16 is widened to four."""
        return 4 if self.dtype == "bfloat16" else np.dtype(self.dtype).itemsize

    @property
    def stored_bytes(self) -> int:
        """Give the bytes of the whole storage in the file."""
        return self.numel * (2 if self.dtype == "bfloat16" else self.itemsize)


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor's place in a storage; offsets and strides in elements, checked when it is made."""

    storage: Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]
    conj: bool = False
    neg: bool = False


@dataclass(slots=True)
class DType:
    """A numeric NumPy dtype in the making."""

    code: str
    byteorder: str = "<"

    @property
    def numpy(self) -> np.dtype:
        """Give NumPy's dtype; `code` has been matched against the numeric ones."""
        return np.dtype(self.code).newbyteorder("big" if self.byteorder == ">" else "little")

    def set_state(self, state: Any) -> None:
        """Take (version, byteorder, subarray, names, fields, ...): plain numbers have only two."""
        if type(state) is not tuple or len(state) < 5 or state[1] not in ("<", ">", "|", "="):
            raise DamagedFileError("a NumPy dtype's state is not what NumPy writes")
        if any(part is not None for part in state[2:5]):
            raise DamagedFileError("a NumPy array with fields; only plain numbers are read")
        self.byteorder = ">" if state[1] == ">" else "<"


@dataclass(slots=True)
class Array:
    """A NumPy array in the making."""

    value: np.ndarray | None = None


@dataclass(slots=True, eq=False)
class Placeholder:
    """What stands for an object of a foreign class: its name and what the file says about it.

    `args` and `kwargs` are the constructor's, `state` is what pickle would have set on the object
    (for ordinary classes its `__dict__`), `items` what it would have appended or assigned.
    """

    name: str
    args: tuple = ()
    kwargs: dict = field(default_factory=dict)
    state: Any = None
    items: list = field(default_factory=list)
