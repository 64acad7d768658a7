"""A file as zipfile may read a stranger's: its directory is bounded before it is memory."""

from typing import Any

# The directory takes 60 to 100 bytes an entry; a voice has 500 entries.
MAX_DIRECTORY_BYTES = 8 * 2**20


class BoundedFile:
    """A file of which nothing can be read at once that is larger than a zip's directory may be."""

    def __init__(self, file: Any) -> None:
        """`file` is open, binary and seekable."""
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        """Read as `file` does; ValueError beyond MAX_DIRECTORY_BYTES."""
        most = MAX_DIRECTORY_BYTES + 1
        data = self._file.read(most if size < 0 else min(size, most))
        if len(data) == most:
            raise ValueError("its directory is enormous")
        return data
