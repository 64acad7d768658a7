"""Every error of this package.

PthError (ValueError)
├── MissingFileError (also FileNotFoundError)  there is no such file, or it is a folder
├── NotATorchFileError                         something else was saved under this name
├── DamagedFileError                           a torch file that is cut off or contradicts itself
├── RefusedError                               it asks for a name or an opcode not on the list
├── TooLargeError                              it would unfold to more than `max_bytes`
└── UnwritableError                            `save` was given what a torch file cannot hold
"""


class PthError(ValueError):
    """A file that cannot be read or written: what was found, what is expected, what to do."""


class MissingFileError(PthError, FileNotFoundError):
    """There is no such file, or the path is a folder."""

    def __str__(self) -> str:
        """Give the text alone, without the errno that OSError would put before it."""
        return str(self.args[0]) if self.args else ""


class NotATorchFileError(PthError):
    """The file is of another kind: a web page, a Git LFS pointer, another format."""


class DamagedFileError(PthError):
    """A torch file that ends too early or whose parts contradict each other."""


class RefusedError(PthError):
    """The pickle asks for something that plain weights never need. Nothing of it was run."""


class TooLargeError(PthError):
    """Tensors, or the pickle itself, would take more memory than `max_bytes`."""


class UnwritableError(PthError):
    """A value that `save` does not write; the text names its place."""
