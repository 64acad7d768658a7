"""torch's zip format: `<root>/data.pkl` and one stored entry `<root>/data/<key>` per storage."""

import io
import mmap
import struct
import zipfile
import zlib
from typing import Any

import numpy as np

from mlx_pth.bounded import BoundedFile
from mlx_pth.errors import DamagedFileError, NotATorchFileError, RefusedError, TooLargeError
from mlx_pth.standins import Budget, Storage

_LOCAL_HEADER = struct.Struct("<4s5HLLLHH")
_ENCRYPTED = 0x1
_PIECE = 2**20
_UNREADABLE = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError
)  # fmt: skip
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_MAX_PICKLE_BYTES = 64 * 2**20


class Archive:
    """An open archive: the pickle's bytes, and the storages as views of the mapped file."""

    def __init__(self, file: Any, mapped: mmap.mmap, budget: Budget) -> None:
        """Read the directory of the zip in `file`, which is also mapped as `mapped`."""
        self.mapped = mapped
        self.bytes = np.frombuffer(mapped, np.uint8)
        self.budget = budget
        try:
            self.zip = zipfile.ZipFile(BoundedFile(file))
            infos = self.zip.infolist()
        except (zipfile.BadZipFile, struct.error, ValueError, NotImplementedError) as error:
            raise DamagedFileError(
                f"the file starts like a zip but its directory cannot be read ({error!s:.80}): it "
                "is cut off or damaged; fetch it again"
            ) from None
        self.entries = {info.filename: info for info in infos}
        self.duplicates = len(infos) - len(self.entries)
        self._check_overlaps(infos)
        self.root = self._find_root()
        self.big_endian = self._byteorder() == "big"
        self.whole: dict[str, np.ndarray] = {}

    def _check_overlaps(self, infos: list[zipfile.ZipInfo]) -> None:
        """Refuse entries that share bytes: a small file could hold the same storage a thousandfold.

        Of each only the least it takes is known here, its contents and a header with its name.
        """
        end = 0
        for info in sorted(infos, key=lambda info: info.header_offset):
            if info.header_offset < end:
                raise self._broken(info, "it overlaps with another entry")
            end = info.header_offset + _LOCAL_HEADER.size + info.compress_size

    def _find_root(self) -> str:
        names = [name for name in self.entries if not name.startswith("__MACOSX")]
        pickles = [name for name in names if name == "data.pkl" or name.endswith("/data.pkl")]
        if not pickles:
            raise NotATorchFileError(_what_zip(names))
        if len(pickles) > 1 or self.duplicates:
            raise NotATorchFileError(
                f"a zip with {len(pickles)} data.pkl and {self.duplicates} repeated names; a torch "
                "file has one data.pkl and no repeated name. Unpack it and use one of its files"
            )
        root = pickles[0][: -len("data.pkl")]
        code = (f"{root}constants.pkl", f"{root}code/")
        if any(name.startswith(code) for name in names):
            raise NotATorchFileError(
                "a TorchScript archive (it carries code); a file of plain weights is expected. Save"
                " its state_dict() with torch.save and use that"
            )
        return root

    def _byteorder(self) -> str:
        info = self.entries.get(f"{self.root}byteorder")
        if info is None:
            return "little"
        order = bytes(self._read(info)).strip()
        if order not in (b"little", b"big"):
            raise DamagedFileError(f"the byte order is {order!r:.40}; little or big is expected")
        return order.decode()

    def pickle(self) -> io.BytesIO:
        """Give the bytes of data.pkl."""
        info = self.entries[f"{self.root}data.pkl"]
        self.budget.check(info.file_size, "the pickle inside")
        if info.file_size > _MAX_PICKLE_BYTES:
            raise TooLargeError(
                f"the pickle inside has {info.file_size:,} bytes; {_MAX_PICKLE_BYTES:,} at most "
                "are read, tensors apart"
            )
        return io.BytesIO(bytes(self._read(info)))

    def raw(self, storage: Storage) -> np.ndarray:
        """Give a storage's bytes: a view of the file where the entry is stored, else inflated."""
        info = self.entries.get(f"{self.root}data/{storage.key}")
        if info is None:
            raise DamagedFileError(
                f"the storage {storage.key!r:.60} is missing from the zip: the file is incomplete; "
                "fetch it again"
            )
        if info.file_size != storage.stored_bytes:
            raise DamagedFileError(
                f"the storage {storage.key!r:.60} has {info.file_size:,} bytes, its tensors expect "
                f"{storage.stored_bytes:,}; the file is damaged"
            )
        if storage.key not in self.whole:
            self.whole[storage.key] = self._read(info)
        return self.whole[storage.key]

    def _read(self, info: zipfile.ZipInfo) -> np.ndarray:
        if info.flag_bits & _ENCRYPTED:
            raise RefusedError(f"the zip entry {info.filename!r:.80} is encrypted; unpack it first")
        if info.compress_type == zipfile.ZIP_STORED:
            return self._mapped(info)
        if info.compress_type not in _PACKINGS:
            raise self._broken(info, "it is packed in a way that torch does not use")
        self.budget.spend(info.file_size, f"the compressed entry {info.filename!r:.80}")
        try:
            with self.zip.open(info) as entry:
                data = _inflated(entry, info.file_size)
        except _UNREADABLE as error:
            raise self._broken(info, str(error)) from None
        if len(data) != info.file_size:
            raise self._broken(info, "its size is not the one stated")
        return data

    def _mapped(self, info: zipfile.ZipInfo) -> np.ndarray:
        at = info.header_offset
        header = self.mapped[at : at + _LOCAL_HEADER.size]
        if len(header) != _LOCAL_HEADER.size or header[:4] != b"PK\x03\x04":
            raise self._broken(info, "no local header where the directory says")
        fields = _LOCAL_HEADER.unpack(header)
        start = at + _LOCAL_HEADER.size + fields[-2] + fields[-1]  # behind the name and the extras
        if info.compress_size != info.file_size or start + info.file_size > len(self.mapped):
            raise self._broken(info, "it reaches beyond the end of the file")
        return self.bytes[start : start + info.file_size]

    @staticmethod
    def _broken(info: zipfile.ZipInfo, why: str) -> DamagedFileError:
        return DamagedFileError(
            f"the zip entry {info.filename!r:.80} cannot be read ({why:.80}): the file is damaged; "
            "fetch it again"
        )


def _inflated(entry: Any, size: int) -> np.ndarray:
    """Read an entry a piece at a time: what it says of its size is not memory yet."""
    data = bytearray()
    while piece := entry.read(min(_PIECE, size + 1 - len(data))):
        data += piece
    return np.frombuffer(data, np.uint8)


def _what_zip(names: list[str]) -> str:
    """Say what a zip without data.pkl is."""
    expected = "a torch file has an entry <name>/data.pkl"
    inner = [n for n in names if n.lower().endswith((".pth", ".pt", ".ckpt", ".safetensors"))]
    if inner:
        return (
            f"a zip pack that contains {inner[0]!r:.100} and {len(names) - 1} other entries; "
            f"{expected}. Unpack it and use the file inside"
        )
    if names and all(name.endswith(".npy") for name in names):
        return f"a NumPy .npz archive of {len(names)} arrays; {expected}. Read it with numpy.load"
    if any(name.startswith("word/") or name == "[Content_Types].xml" for name in names):
        return f"an office document; {expected}. Fetch the weights file itself"
    some = ", ".join(repr(name)[:60] for name in names[:3]) or "nothing"
    return (
        f"a zip of something else (it contains {some}); {expected}. Fetch the weights file itself"
    )
