"""Whether a file is as long as its container says, which decoders of most formats do not ask.

libsndfile takes what is there of a truncated wav, aiff, w64, caf, au or ogg file for the whole, and
FFmpeg what is there of an m4a or webm: half a download would be half a recording, without a word.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from typing import IO

_OPEN = 0x7FFFF000
"""Bytes: sizes in a 32-bit header from here on stand for "unknown", as programs that write to a
pipe cannot come back to fill them in (sox writes this one, FFmpeg all ones)."""

_OGG_PAGE = 27 + 255 + 255 * 255  # bytes, at most


def shortfall(file: IO[bytes]) -> str | None:
    """Say what a file lacks of what it announces; None if nothing, or if it does not announce it.

    file: binary, seekable; left at its beginning. The text follows the file's name.
    """
    try:
        found = _announced(file)
    except struct.error:  # it ends within a header, which its decoder will say
        found = None
    finally:
        file.seek(0)
    if found is None or found[0] >= found[1]:
        return None
    return (
        f"ends after {found[0]} of the {found[1]} bytes that it announces: it is truncated or "
        "damaged; fetch it again"
    )


def _announced(file: IO[bytes]) -> tuple[int, int] | None:
    """Bytes that a file holds and bytes that it announces, of the sound or of all."""
    head = file.read(12)
    for offset, magic, find in _KINDS:
        if head[offset:].startswith(magic):
            return find(file)
    return None


def _size(file: IO[bytes]) -> int:
    return file.seek(0, os.SEEK_END)


def _chunks(file: IO[bytes], first: int, form: str) -> Iterator[tuple[bytes, int, int]]:
    """Chunks (name, place of the contents, their size) from byte `first` on, to the file's end."""
    end = _size(file)
    while first < end:
        file.seek(first)
        kind, size = _read(file, form)
        start = first + struct.calcsize(form)
        yield kind, start, size
        first = start + size + (size & 1)


def _read(file: IO[bytes], form: str) -> tuple[bytes, int]:
    kind, size = struct.unpack(form, file.read(struct.calcsize(form)))
    return kind, size


def wav_chunks(file: IO[bytes]) -> Iterator[tuple[bytes, int, int]]:
    """Chunks of a wav file: name, place of the contents, their size in bytes as it says."""
    return _chunks(file, 12, "<4sI")


def _wav(file: IO[bytes]) -> tuple[int, int] | None:
    long = None
    for kind, start, size in wav_chunks(file):
        if kind == b"ds64":
            file.seek(start + 8)
            (long,) = struct.unpack("<Q", file.read(8))
        if kind == b"data":
            if size == 0xFFFFFFFF and long is not None:
                return _size(file) - start, long
            return None if size >= _OPEN else (_size(file) - start, size)
    return None


def _aiff(file: IO[bytes]) -> tuple[int, int] | None:
    for kind, start, size in _chunks(file, 12, ">4sI"):
        if kind == b"SSND":
            return None if size >= _OPEN else (_size(file) - start, size)
    return None


def _caf(file: IO[bytes]) -> tuple[int, int] | None:
    end, first = _size(file), 8
    while first < end:
        file.seek(first)
        kind, size = _read(file, ">4sq")
        if kind == b"data":
            return None if size < 0 else (end - first - 12, size)
        if size < 0:
            return None
        first += 12 + size
    return None


def _w64(file: IO[bytes]) -> tuple[int, int] | None:
    end, first = _size(file), 40
    while first < end:
        file.seek(first)
        kind, size = _read(file, "<16sQ")  # the size counts these 24 bytes
        if kind.startswith(b"data"):
            return end - first, size
        if size < 24:
            return None
        first += size + -size % 8
    return None


def _au(file: IO[bytes]) -> tuple[int, int] | None:
    file.seek(4)
    start, size = struct.unpack(">II", file.read(8))
    return None if size >= _OPEN else (_size(file) - start, size)


def _mp4(file: IO[bytes]) -> tuple[int, int] | None:
    end, first = _size(file), 0
    while first + 8 <= end:
        file.seek(first)
        size, kind = struct.unpack(">I4s", file.read(8))
        if size == 1:
            (size,) = struct.unpack(">Q", file.read(8))
        if size < 8 or not kind.strip().isalnum():  # to the end of the file, or no box
            return None
        first += size
    return end, first


def _webm(file: IO[bytes]) -> tuple[int, int] | None:
    file.seek(4)
    header = _vint(file)
    if header is None:
        return None
    file.seek(header, os.SEEK_CUR)
    if file.read(4) != b"\x18\x53\x80\x67":
        return None
    size = _vint(file)
    start = file.tell()
    return None if size is None else (_size(file), start + size)


def _vint(file: IO[bytes]) -> int | None:
    """An EBML number, None for one that stands for "unknown" or is none."""
    first = file.read(1)
    length = 9 - first[0].bit_length() if first and first[0] else 0
    if not length:
        return None
    number = int.from_bytes(first + file.read(length - 1), "big") & ((1 << 7 * length) - 1)
    return None if number == (1 << 7 * length) - 1 else number


def last_ogg_page(file: IO[bytes]) -> tuple[int, bytes] | None:
    """Where the last page of an Ogg file begins, and what is there of it and after it."""
    begin = max(_size(file) - 2 * _OGG_PAGE, 0)
    file.seek(begin)
    tail = file.read()
    place = tail.rfind(b"OggS\0")
    return None if place < 0 else (begin + place, tail[place:])


def _ogg(file: IO[bytes]) -> tuple[int, int] | None:
    """The last page; a stream that was cut between two pages cannot be told from a whole one."""
    last = last_ogg_page(file)
    if last is None:
        return None
    place, page = last
    end = place + len(page)
    sizes = page[27 : 27 + page[26]] if len(page) > 26 else b""
    if len(page) < 27 or len(sizes) < page[26]:
        return end, end + 1
    return end, place + 27 + len(sizes) + sum(sizes)


def after_id3(head: bytes) -> int:
    """Where a file goes on after an ID3v2 tag, whose first ten bytes are given; 0 without one."""
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    return 10 + sum(byte << 7 * place for place, byte in enumerate(reversed(head[6:10])))


def _mp3(file: IO[bytes]) -> tuple[int, int] | None:
    """What the Xing or Info header says; some count a tag in front as well, some do not."""
    file.seek(0)
    file.seek(after_id3(file.read(10)))
    frame = file.read(256)
    place = max(frame.find(b"Xing"), frame.find(b"Info"))
    if place < 0 or frame[:1] != b"\xff":
        return None
    (flags,) = struct.unpack_from(">I", frame, place + 4)
    if not flags & 2:
        return None
    (size,) = struct.unpack_from(">I", frame, place + (12 if flags & 1 else 8))
    return _size(file), size


_KINDS: tuple[tuple[int, bytes, Callable[[IO[bytes]], tuple[int, int] | None]], ...] = (
    (0, b"RIFF", _wav),
    (0, b"RF64", _wav),
    (0, b"FORM", _aiff),
    (0, b"riff", _w64),
    (0, b"caff", _caf),
    (0, b".snd", _au),
    (0, b"OggS", _ogg),
    (4, b"ftyp", _mp4),
    (0, b"\x1a\x45\xdf\xa3", _webm),
    (0, b"ID3", _mp3),
    (0, b"\xff", _mp3),
)
