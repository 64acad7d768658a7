"""Zip archives written field by field, so that every field can lie."""

import functools
import struct
import zlib
from dataclasses import dataclass


@dataclass
class Entry:
    """One entry; what is None is told truthfully. `offset`: of the local header."""

    name: str | bytes
    data: bytes = b"x"
    method: int = 0
    flags: int = 0
    stored: int | None = None
    size: int | None = None
    crc: int | None = None
    mode: int = 0o100644
    extra: bytes = b""
    local_name: bytes | None = None
    offset: int | None = None
    listed: bool = True


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def bomb(name: str, size: int, **more) -> Entry:
    """An entry of `size` zeros, packed about a thousand to one."""
    data, crc = _zeros(size)
    return Entry(name, data, 8, size=size, crc=crc, **more)


@functools.cache
def _zeros(size: int) -> tuple[bytes, int]:
    """A stream that unpacks to so many zeros, and their CRC; a block is packed once, and repeated."""
    block = bytes(1 << 20)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    whole, rest = divmod(size, len(block))
    crc = 0
    for _ in range(whole):
        crc = zlib.crc32(block, crc)
    return packed * whole + deflated(bytes(rest)), zlib.crc32(bytes(rest), crc)


def archive(entries: list[Entry], *, count: int | None = None, end: dict | None = None) -> bytes:
    """The archive. `end` replaces (size, offset) of the directory as its end states them."""
    body, directory = bytearray(), bytearray()
    for entry in entries:
        name = entry.name.encode() if isinstance(entry.name, str) else entry.name
        stored = len(entry.data) if entry.stored is None else entry.stored
        size = len(entry.data) if entry.size is None else entry.size
        crc = zlib.crc32(entry.data) if entry.crc is None else entry.crc
        offset = len(body) if entry.offset is None else entry.offset
        local = name if entry.local_name is None else entry.local_name
        flags = entry.flags | 0x800
        low = 0xFFFFFFFF
        if entry.offset is None:
            body += struct.pack("<4s5H3L2H", b"PK\3\4", 45, flags, entry.method, 0, 33, crc,
                                min(stored, low), min(size, low), len(local), 0)  # fmt: skip
            body += local + entry.data
        if entry.listed:
            directory += struct.pack(
                "<4s6H3L5H2L", b"PK\1\2", 0x0300 | 45, 45, flags, entry.method, 0, 33, crc,
                min(stored, low), min(size, low), len(name), len(entry.extra), 0, 0, 0,
                entry.mode << 16, min(offset, low))  # fmt: skip
            directory += name + entry.extra
    number = sum(entry.listed for entry in entries) if count is None else count
    said = {"size": len(directory), "offset": len(body)} | (end or {})
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, number & 0xFFFF, number & 0xFFFF,
                       said["size"], said["offset"], 0)  # fmt: skip
    return bytes(body + directory + said.get("between", b"") + tail)


def zip64(*values: int) -> bytes:
    """The extra field of large entries: size, packed size, offset."""
    return struct.pack("<HH", 1, 8 * len(values)) + struct.pack(f"<{len(values)}Q", *values)


def zip64_end(size: int, offset: int, count: int, at: int) -> bytes:
    """The large end record and its locator, which says that the record is at `at`."""
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, offset)
    return record + struct.pack("<4sLQL", b"PK\6\7", 0, at, 1)
