"""What a file that is not readable audio really is, from its first bytes."""

from __future__ import annotations

import codecs

HEAD = 512
"""Bytes from the beginning of a file that are looked at."""

_OTHER = (  # (first bytes in any case, what the file is)
    (b"pk\x03\x04", "is a zip archive, not audio: unpack it first"),
    (b"\x1f\x8b\x08", "is a gzip archive, not audio: unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "is a 7z archive, not audio: unpack it first"),
    (b"rar!\x1a\x07", "is a RAR archive, not audio: unpack it first"),
    (b"%pdf-", "is a PDF document, not audio: name a recording"),
    (b"\x89png", "is a picture, not audio: name a recording"),
    (b"\xff\xd8\xff", "is a picture, not audio: name a recording"),
    (b"<!doctype html", "is an HTML page, not audio: the download failed"),
    (b"<html", "is an HTML page, not audio: the download failed"),
    (b"version https://git-lfs", "is a Git LFS pointer, not audio: fetch the real file"),
)
_CONTAINERS = (  # (offset, first bytes, name)
    (4, b"ftyp", "an MP4/M4A container"),
    (0, b"\x1a\x45\xdf\xa3", "a WebM/Matroska container"),
    (0, b"\x30\x26\xb2\x75", "a WMA/ASF container"),
    (0, b"#!AMR", "an AMR recording"),
    (0, b"wvpk", "a WavPack file"),
    (0, b"MAC ", "a Monkey's Audio file"),
    (0, b"ADIF", "an AAC stream"),
    (0, b"\xff\xf1", "an AAC stream"),
    (0, b"\xff\xf9", "an AAC stream"),
    (0, b"FLV\x01", "a Flash video"),
)


def not_audio(head: bytes) -> str | None:
    """Say what a file that cannot be audio is, from its first `HEAD` bytes; None if it may be."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n").lower()
    for magic, name in _OTHER:
        if start.startswith(magic):
            return name
    try:
        # The cut at 512 bytes may split a character: incremental decoding allows that.
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return None
    return "is a text file, not audio" if " ".join(text.split()).isprintable() else None


def container(head: bytes) -> str | None:
    """Name the container that the first `HEAD` bytes of a file belong to, if they are known."""
    for offset, magic, name in _CONTAINERS:
        if head[offset:].startswith(magic):
            return name
    return None
