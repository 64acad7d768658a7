"""What a file that is not readable audio really is, from its first bytes."""

from __future__ import annotations

import codecs
from pathlib import Path

_CONVERT = "which libsndfile cannot read: convert it to .wav or .flac first (ffmpeg -i IN OUT.wav)"
_SIGNS = (  # (offset, first bytes in any case, what the file is)
    (4, b"ftyp", f"is an MP4/M4A container, {_CONVERT}"),
    (0, b"\x1a\x45\xdf\xa3", f"is a WebM/Matroska container, {_CONVERT}"),
    (0, b"\x30\x26\xb2\x75", f"is a WMA/ASF container, {_CONVERT}"),
    (0, b"#!amr", f"is an AMR recording, {_CONVERT}"),
    (0, b"wvpk", f"is a WavPack file, {_CONVERT}"),
    (0, b"mac ", f"is a Monkey's Audio file, {_CONVERT}"),
    (0, b"adif", f"is an AAC stream, {_CONVERT}"),
    (0, b"\xff\xf1", f"is an AAC stream, {_CONVERT}"),
    (0, b"\xff\xf9", f"is an AAC stream, {_CONVERT}"),
    (0, b"flv\x01", f"is a Flash video, {_CONVERT}"),
    (0, b"pk\x03\x04", "is a zip archive, not audio: unpack it first"),
    (0, b"<!doctype html", "is an HTML page, not audio: the download failed"),
    (0, b"<html", "is an HTML page, not audio: the download failed"),
    (0, b"version https://git-lfs", "is a Git LFS pointer, not audio: fetch the real file"),
)


def sniff(path: Path) -> str | None:
    """Say what a file that is not readable audio really is, from its first bytes."""
    with path.open("rb") as file:
        head = file.read(512)
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n").lower()
    for offset, magic, name in _SIGNS:
        if start[offset:].startswith(magic.lower()):
            return name
    try:
        # The cut at 512 bytes may split a character: incremental decoding allows that.
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return None
    return "is a text file, not audio" if " ".join(text.split()).isprintable() else None
