"""Files that libsndfile would misread without a word."""

from __future__ import annotations

import os
import struct
from typing import IO

from mlx_rvc_cli.completeness import after_id3, last_ogg_page, wav_chunks

_KBPS = {  # by (MPEG 1, layer), at the indices 1 to 14
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_SEARCHED = 1 << 16  # bytes, in which an MPEG stream must begin


def misread(file: IO[bytes], suffix: str) -> str | None:
    """Say why FFmpeg and not libsndfile should read a file; None where that may.

    file: binary, seekable; left at its beginning. suffix: of its name, by which libsndfile takes
    anything for mp3.
    """
    head = file.read(4)
    try:
        if head == b"RIFF" and _unclosed(file):
            return "its header announces no sound"
        by_name = suffix.lower() == ".mp3" and head not in (b"RIFF", b"OggS", b"fLaC", b"FORM")
        synced = len(head) > 1 and head[0] == 0xFF and head[1] >= 0xE0
        # libmpg123 would look for frames to the end, and write about it on stderr.
        if (by_name or synced) and not _is_mpeg(file):
            return "there are no MPEG frames in it"
    except struct.error:
        pass
    finally:
        file.seek(0)
    return None


def _unclosed(file: IO[bytes]) -> bool:
    """Whether a wav announces no sound though sound follows, as its writer was stopped."""
    for kind, start, size in wav_chunks(file):
        if kind == b"data":
            left = file.seek(0, os.SEEK_END) - start
            file.seek(start)
            return size == 0 and not _is_chunk(file.read(8), left)
    return False


def _is_chunk(head: bytes, left: int) -> bool:
    """Whether bytes are the beginning of another chunk, or nothing at all."""
    if not head:
        return True
    return head[:4].isalnum() and len(head) == 8 and struct.unpack("<I", head[4:])[0] <= left - 8


def chained(file: IO[bytes]) -> bool:
    """Say whether an Ogg file is a chain of streams: its end belongs to none of its beginning.

    libsndfile reads the first of them, FFmpeg all, but not to the sample. file: binary, seekable;
    left at its beginning.
    """
    try:
        last = last_ogg_page(file)
        return last is not None and last[1][14:18] not in _first_streams(file)
    finally:
        file.seek(0)


def _first_streams(file: IO[bytes]) -> set[bytes]:
    """The serial numbers of the streams that begin together; of a video there are several."""
    found = set()
    file.seek(0)
    while len(page := file.read(27)) == 27 and page[:4] == b"OggS" and page[5] & 2:
        found.add(page[14:18])
        file.seek(sum(file.read(page[26])), os.SEEK_CUR)
    return found


def _is_mpeg(file: IO[bytes]) -> bool:
    """Whether two MPEG frames follow each other, or one ends the file, near its beginning."""
    file.seek(0)
    head = file.read(10)
    file.seek(after_id3(head))
    data = file.read(_SEARCHED)
    place = data.find(b"\xff")
    while place >= 0:
        length = _frame(data[place : place + 4])
        follows = place + (length or 0)
        if length and (_frame(data[follows : follows + 4]) or follows == len(data)):
            return True
        place = data.find(b"\xff", place + 1)
    return False


def _frame(header: bytes) -> int | None:
    """Bytes of the MPEG audio frame with this header of four bytes; None if it is none."""
    if len(header) < 4 or header[0] != 0xFF or header[1] < 0xE0:
        return None
    version, layer = header[1] >> 3 & 3, 4 - (header[1] >> 1 & 3)
    bits, rate, padding = header[2] >> 4, header[2] >> 2 & 3, header[2] >> 1 & 1
    if version == 1 or layer == 4 or bits in (0, 15) or rate == 3:
        return None
    hz = (44100, 48000, 32000)[rate] >> {3: 0, 2: 1, 0: 2}[version]
    bps = 1000 * _KBPS[version == 3, layer][bits - 1]
    if layer == 1:
        return (12 * bps // hz + padding) * 4
    return (72 if layer == 3 and version != 3 else 144) * bps // hz + padding
