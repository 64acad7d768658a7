"""torch's format before 1.6: five pickles in a row, then the storages.

    magic | protocol | system | the object | storage keys | int64 count, raw bytes | ...

A storage's place is known only after the object that uses it has been read: hence stand-ins first,
arrays afterwards, as in the zip format.
"""

import mmap
from typing import Any

import numpy as np

from mlx_pth.errors import DamagedFileError, NotATorchFileError
from mlx_pth.machine import run
from mlx_pth.names import Table
from mlx_pth.standins import Storage

MAGIC = 0x1950A86A20F9469CFC6C
# The magic number's own pickle, in any protocol torch was ever asked for.
MAGIC_BYTES = MAGIC.to_bytes(10, "little")
_PROTOCOL = 1001


class Legacy:
    """An open legacy file: the object's stand-ins, and the storages behind it."""

    def __init__(self, mapped: mmap.mmap, table: Table) -> None:
        """Read the five pickles; `tree` is the object."""
        self.mapped = mapped
        self.bytes = np.frombuffer(mapped, np.uint8)
        mapped.seek(0)
        plain = Table(table.budget)
        magic = run(mapped, plain)
        if magic != MAGIC:
            raise NotATorchFileError("a pickle without torch's magic number")
        version, system = run(mapped, plain), run(mapped, plain)
        if version != _PROTOCOL or not isinstance(system, dict):
            raise DamagedFileError(
                f"a torch file of the old format with protocol {version!r:.40}; {_PROTOCOL} is "
                "expected. Save it again with a current torch"
            )
        self.big_endian = system.get("little_endian") is False
        self.storages: dict[str, Storage] = {}
        self.tree = run(mapped, _Recording(table, self.storages))
        keys = run(mapped, plain)
        if type(keys) is not list or not all(type(key) is str for key in keys):
            raise DamagedFileError("the list of storages is no list of names; the file is damaged")
        self.places = self._find(keys, mapped.tell())

    def _find(self, keys: list[str], at: int) -> dict[str, tuple[int, int]]:
        places: dict[str, tuple[int, int]] = {}
        for key in keys:
            storage = self.storages.get(key)
            if storage is None or key in places:
                raise DamagedFileError(f"the storage {key!r:.60} is listed but not used, or twice")
            count = self.bytes[at : at + 8]
            end = at + 8 + storage.stored_bytes
            if len(count) < 8 or end > len(self.bytes):
                raise DamagedFileError(
                    f"the file ends within the storage {key!r:.60}, at {len(self.bytes):,} of at "
                    f"least {end:,} bytes: it is cut off; fetch it again"
                )
            numel = int.from_bytes(count.tobytes(), "big" if self.big_endian else "little")
            if numel != storage.numel:
                raise DamagedFileError(
                    f"the storage {key!r:.60} has {numel} elements, its tensors expect "
                    f"{storage.numel}; the file is damaged"
                )
            places[key] = (at + 8, end)
            at = end
        return places

    def raw(self, storage: Storage) -> np.ndarray:
        """Give a storage's bytes as a view of the file."""
        if storage.key not in self.places:
            raise DamagedFileError(
                f"the storage {storage.key!r:.60} is not in the file: it is damaged; fetch it again"
            )
        start, end = self.places[storage.key]
        return self.bytes[start:end]


class _Recording(Table):
    """A table that also notes the storages, whose sizes the raw part needs."""

    def __init__(self, table: Table, storages: dict[str, Storage]) -> None:
        super().__init__(table.budget, table.foreign)
        self.storages = storages

    def persistent(self, identity: Any) -> Storage:
        storage = super().persistent(identity)
        first = self.storages.setdefault(storage.key, storage)
        if (first.dtype, first.numel) != (storage.dtype, storage.numel):
            raise DamagedFileError(f"the storage {storage.key!r:.60} is described in two ways")
        return storage
