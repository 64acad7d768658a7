"""The one error of this package, and how a file's own words stand in it."""

from typing import Any


class WeightsError(ValueError):
    """Weights cannot be found, fetched, read or loaded; one line: found, expected, what to do."""


def shown(said: Any, most: int = 40) -> str:
    """Give a stranger's words as part of a line: escaped where they would not print, and cut."""
    return repr(str(said))[1:-1][:most]
