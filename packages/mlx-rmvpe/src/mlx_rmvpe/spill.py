"""Arrays put aside for later: in memory while they are few, in an unnamed temporary file beyond."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

import numpy as np

IN_MEMORY = 32 << 20  # bytes


class Stack:
    """Arrays of one type, the last one put in comes out first; a context manager.

    Raises OSError that names the temporary folder when that is full or cannot be written.
    """

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115
        self._shapes: list[tuple[np.dtype, tuple[int, ...]]] = []
        self._end = 0

    def __enter__(self) -> Stack:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def push(self, array: np.ndarray) -> None:
        """Put an array in."""
        array = np.ascontiguousarray(array)
        with _explained():
            self._file.seek(self._end)
            self._file.write(array.data)
            self._file.flush()  # or a full disk would be noticed later, somewhere else
        self._end += array.nbytes
        self._shapes.append((array.dtype, array.shape))

    def pop(self) -> np.ndarray:
        """Take the last array out."""
        dtype, shape = self._shapes.pop()
        array = np.empty(shape, dtype)
        self._end -= array.nbytes
        with _explained():
            self._file.seek(self._end)
            if self._file.readinto(array.data.cast("B")) != array.nbytes:
                raise OSError(None, "the file is shorter than what was written to it")
        return array


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OSError(
            error.errno,
            f"long audio needs a temporary file, and {tempfile.gettempdir()} cannot hold it "
            f"({error.strerror or error}): free some space, or name another folder in TMPDIR",
        ) from None
