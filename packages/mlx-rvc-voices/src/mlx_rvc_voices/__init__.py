"""A library of RVC voices: each a folder with its files, their hashes and its settings."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlx_rvc_voices.errors import VoiceError as VoiceError
    from mlx_rvc_voices.library import Added as Added
    from mlx_rvc_voices.library import Library as Library
    from mlx_rvc_voices.place import library_folder as library_folder
    from mlx_rvc_voices.record import Voice as Voice

_HOME = {
    "Added": "library",
    "Library": "library",
    "Voice": "record",
    "VoiceError": "errors",
    "library_folder": "place",
}

__all__ = ["Added", "Library", "Voice", "VoiceError", "library_folder"]


def __getattr__(name: str) -> Any:
    # Lazy: the command line imports this package for --help, without NumPy.
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
