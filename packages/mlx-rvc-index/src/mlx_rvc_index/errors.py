"""The error of this package."""


class IndexFileError(ValueError):
    """An index file that cannot be used; the text says what was found and what to do."""
