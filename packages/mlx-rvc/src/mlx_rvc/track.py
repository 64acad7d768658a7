"""A recording of any length: in memory while it is short, in an unnamed temporary file beyond.

A `Track` is used like an array of samples, by slices, so that code for short audio is the code for
long audio. The file is read, not memory-mapped: mapped pages count as memory of the process.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import numpy as np
import numpy.typing as npt

BLOCK = 1 << 18
"""Samples that are worked on at a time where any number would do."""

IN_MEMORY = 16 << 20
"""Bytes of a track that stay in memory."""


class Samples(Protocol):
    """Mono audio (n,) that is read by slices: an array, a `Track`, a `Padded`."""

    def __len__(self) -> int:
        """Number of samples."""
        ...

    def __getitem__(self, part: slice, /) -> np.ndarray:
        """Samples start to stop, in memory."""
        ...


def spans(length: int, size: int | None = None) -> Iterator[slice]:
    """Slices of up to `size` samples, by default `BLOCK`, that cover `length` samples in order."""
    size = size or BLOCK
    for start in range(0, length, size):
        yield slice(start, min(start + size, length))


class Track:
    """Mono samples (n,) of one type: appended in blocks, read and replaced by slices.

    Raises OSError that names the temporary folder when that is full or cannot be written.
    """

    channels = 1

    def __init__(self, dtype: npt.DTypeLike = np.float32) -> None:
        self.dtype = np.dtype(dtype)
        self._length = 0
        # Unnamed: nothing is left behind, however the process ends.
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115

    def __del__(self) -> None:
        self._file.close()

    def __len__(self) -> int:
        """Number of samples."""
        return self._length

    def append(self, block: np.ndarray) -> None:
        """Add samples (m,) at the end."""
        start = self._length
        self._length += len(block)
        self[start:] = block

    def __getitem__(self, part: slice) -> np.ndarray:
        """Samples start to stop, a copy; no steps."""
        start, stop, _ = part.indices(self._length)
        block = np.empty(max(stop - start, 0), self.dtype)
        if not len(block):
            return block
        with _explained():
            self._file.seek(start * self.dtype.itemsize)
            if self._file.readinto(block.data.cast("B")) != block.nbytes:
                raise OSError(None, "it is shorter than what was written to it")
        return block

    def __setitem__(self, part: slice, block: np.ndarray) -> None:
        """Replace samples start to stop by as many others."""
        start, stop, _ = part.indices(self._length)
        if block.shape != (stop - start,):
            raise ValueError(f"a block of shape {block.shape} is not {stop - start} samples")
        if not len(block):
            return
        with _explained():
            self._file.seek(start * self.dtype.itemsize)
            self._file.write(np.ascontiguousarray(block, self.dtype).data)
            self._file.flush()  # or a full disk would be noticed later, somewhere else

    def astype(self, dtype: npt.DTypeLike) -> "Track":
        """Copy the samples into a track of another type."""
        other = Track(dtype)
        for part in spans(len(self)):
            other.append(self[part])
        return other


class Padded:
    """Audio (n,) continued by reflection at both ends, as often as it takes; nothing is copied.

    The same samples as `numpy.pad(audio, pad, mode="reflect")`.
    """

    def __init__(self, audio: Samples, pad: int) -> None:
        self._audio = audio
        self._pad = pad

    def __len__(self) -> int:
        """Number of samples with the padding."""
        return len(self._audio) + 2 * self._pad

    def __getitem__(self, part: slice) -> np.ndarray:
        """Samples start to stop, counted from the beginning of the padding."""
        start, stop, _ = part.indices(len(self))
        start, stop, end = start - self._pad, stop - self._pad, len(self._audio)
        if start >= 0 and stop <= end:
            return self._audio[start:stop]
        inside = self._audio[max(start, 0) : max(min(stop, end), 0)]
        before = self._reflected(start, min(stop, 0))
        after = self._reflected(max(start, end), stop)
        return np.concatenate([before, inside, after])

    def _reflected(self, start: int, stop: int) -> np.ndarray:
        period = max(2 * (len(self._audio) - 1), 1)
        places = np.arange(start, stop) % period
        places = np.minimum(places, period - places) if len(self._audio) > 1 else places * 0
        first = places.min(initial=len(self._audio) - 1)
        return self._audio[first : places.max(initial=first) + 1][places - first]


class Excerpt:
    """Samples start to stop of audio (n,), counted from 0; nothing is copied."""

    def __init__(self, audio: Samples, start: int, stop: int) -> None:
        self._audio = audio
        self._start = start
        self._length = stop - start

    def __len__(self) -> int:
        """Number of samples."""
        return self._length

    def __getitem__(self, part: slice) -> np.ndarray:
        """Samples start to stop; no steps."""
        start, stop, _ = part.indices(self._length)
        return self._audio[self._start + start : self._start + max(start, stop)]


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
