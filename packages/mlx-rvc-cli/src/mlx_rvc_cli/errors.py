"""Errors that a command may end with, and the exit status of each.

    ValueError
    └── CommandError            what the user asked cannot be done; the text is the whole message
        └── AudioFileError      an audio file that cannot be read or written

The host turns these, and OSError, MemoryError and KeyboardInterrupt, into one line on stderr.
"""

import unicodedata

OK = 0
FAILURE = 1
USAGE = 2
INTERRUPTED = 130  # 128 + SIGINT, as shells report it
TERMINATED = 143  # 128 + SIGTERM


class CommandError(ValueError):
    """A failure with a message for the user: what was found, what is expected, what to do."""


class AudioFileError(CommandError):
    """An audio file that cannot be read or written; the text says why and what to do."""


def printable(text: str) -> str:
    """Return `text` on one line without control characters.

    File names and metadata come from strangers: an escape sequence in them must not reach the
    terminal.
    """
    cleaned = "".join(
        " " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char for char in text
    )
    return " ".join(cleaned.split())


def describe(error: BaseException) -> str:
    """Return one line that says what went wrong, for any exception."""
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename is not None else ""
        return printable(f"{where}{error.strerror}")
    if isinstance(error, MemoryError):
        return printable(f"not enough memory: {error}" if str(error) else "not enough memory")
    text = printable(str(error))
    if isinstance(error, ValueError | OSError):
        return text or type(error).__name__
    return f"unexpected {type(error).__name__}: {text}" if text else type(error).__name__
