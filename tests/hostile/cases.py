"""What a hostile file is, and the opcodes from which those of torch are assembled."""

import io
import pickle
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass

MAGIC = 0x1950A86A20F9469CFC6C


@dataclass(frozen=True)
class Case:
    """A file: its kind (the table of docs/security.md), its own name, ending, and contents.

    `beside` are files that lie in the same folder.
    """

    kind: str
    name: str
    ending: str
    data: bytes
    beside: tuple[tuple[str, bytes], ...] = ()


Builder = Callable[[str], Iterator[Case]]
"""Gives cases; the argument is the path of a file that each payload tries to make."""


def text(value: str) -> bytes:
    data = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(data)) + data


def number(value: int) -> bytes:
    if -(2**31) <= value < 2**31:
        return b"J" + struct.pack("<i", value)
    data = pickle.encode_long(value)
    if len(data) < 256:
        return b"\x8a" + bytes([len(data)]) + data
    return b"\x8b" + struct.pack("<i", len(data)) + data


def tup(*parts: bytes) -> bytes:
    return b"(" + b"".join(parts) + b"t"


def numbers(*values: int) -> bytes:
    return tup(*map(number, values))


def name(module: str, attribute: str) -> bytes:
    return f"c{module}\n{attribute}\n".encode()


def call(module: str, attribute: str, *args: bytes) -> bytes:
    return name(module, attribute) + tup(*args) + b"R"


def pickled(body: bytes, protocol: int = 2) -> bytes:
    return b"\x80" + bytes([protocol]) + body + b"."


ORDERED = call("collections", "OrderedDict")


def storage(
    key: str = "0", kind: bytes | None = None, numel: int = 4, *more: bytes, tag: str = "storage"
) -> bytes:
    kind = name("torch", "FloatStorage") if kind is None else kind
    return tup(text(tag), kind, text(key), text("cpu"), number(numel), *more) + b"Q"


def tensor(where: bytes, offset: bytes, size: bytes, stride: bytes, *more: bytes) -> bytes:
    rest = more or (b"\x89", ORDERED)
    return call("torch._utils", "_rebuild_tensor_v2", where, offset, size, stride, *rest)


def in_dict(value: bytes, key: str = "weight") -> bytes:
    return b"}" + text(key) + value + b"s"


def torch_zip(
    body: bytes,
    storages: dict[str, bytes] | None = None,
    *,
    compression: int = zipfile.ZIP_STORED,
    extra: dict[str, bytes] | None = None,
) -> bytes:
    """A torch file whose data.pkl is `body`, a whole pickle."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", compression) as archive:
        archive.writestr("archive/data.pkl", body)
        archive.writestr("archive/byteorder", b"little")
        for key, data in ({"0": bytes(16)} if storages is None else storages).items():
            archive.writestr(f"archive/data/{key}", data)
        archive.writestr("archive/version", b"3\n")
        for entry, data in (extra or {}).items():
            archive.writestr(entry, data)
    return held.getvalue()


def legacy(
    body: bytes,
    *,
    system: bytes = b"}" + text("little_endian") + b"\x88s",
    keys: bytes = b"](" + text("0") + b"e",
    tail: bytes = struct.pack("<q", 4) + bytes(16),
    protocol: int = 1001,
) -> bytes:
    """A torch file of the format before 1.6; `body` leaves the object on the stack."""
    parts = [number(MAGIC), number(protocol), system, body, keys]
    return b"".join(map(pickled, parts)) + tail
