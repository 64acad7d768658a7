"""The one error of this package."""


class VoiceError(ValueError):
    """A voice cannot be added, found or used; one line: found, expected, what to do."""
