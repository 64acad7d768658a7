"""`-` for a file name: audio from standard input, audio to standard output.

Decoders and the header of a wav file need to seek, which a pipe cannot: both ways go through an
unnamed temporary file, so that memory does not grow and nothing is left behind.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from mlx_rvc_cli.errors import AudioFileError

_COPIED = 1 << 20  # bytes at a time


def is_pipe(path: str | os.PathLike[str]) -> bool:
    """Whether a path stands for standard input or output; a file of that name is `./-`."""
    return os.fspath(path) == "-"


def open_seekable(path: Path) -> IO[bytes]:
    """Open audio so that it can be sought in: a file itself, a pipe as a temporary copy of it.

    Raises AudioFileError for a terminal, OSError where the file or the copy fails.
    """
    if is_pipe(path):
        if sys.stdin is None or sys.stdin.isatty():
            raise AudioFileError(
                "standard input is a terminal, not a recording: pipe one in (... < me.wav), "
                "or name a file"
            )
        return _spooled(sys.stdin.buffer)
    if stat.S_ISFIFO(path.stat().st_mode):
        with path.open("rb") as pipe:
            return _spooled(pipe)
    return path.open("rb")


def check_stdout() -> None:
    """Raise AudioFileError when standard output is a terminal, which audio would garble."""
    if sys.stdout is None or sys.stdout.isatty():
        raise AudioFileError(
            "standard output is a terminal, which cannot take a wav file: send it somewhere "
            "(... > them.wav, ... | aplay), or name a file"
        )


@contextmanager
def to_stdout() -> Iterator[int]:
    """Yield the descriptor of a temporary file; what it holds goes to stdout on success."""
    with tempfile.TemporaryFile() as file:
        yield file.fileno()
        file.seek(0)
        sys.stdout.flush()
        shutil.copyfileobj(file, sys.stdout.buffer, _COPIED)
        sys.stdout.buffer.flush()


def _spooled(pipe: IO[bytes]) -> IO[bytes]:
    """An unnamed temporary file with all that comes out of a pipe, at its beginning."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  # the reader closes it
    try:
        shutil.copyfileobj(pipe, file, _COPIED)
        file.flush()
    except OSError as error:
        file.close()
        raise OSError(
            error.errno,
            f"a pipe needs a temporary file, and {tempfile.gettempdir()} cannot hold it "
            f"({error.strerror or error}): free some space, or name another folder in TMPDIR",
        ) from None
    file.seek(0)
    return file
