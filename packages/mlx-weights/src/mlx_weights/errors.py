"""The one error of this package."""


class WeightsError(ValueError):
    """Weights cannot be found, fetched, read or loaded; one line: found, expected, what to do."""
