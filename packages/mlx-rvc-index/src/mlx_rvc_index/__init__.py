"""Read RVC feature indexes and blend features towards the target voice."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlx_rvc_index.errors import IndexFileError as IndexFileError
    from mlx_rvc_index.index import FeatureIndex as FeatureIndex

_HOME = {"FeatureIndex": "index", "IndexFileError": "errors"}

__all__ = ["FeatureIndex", "IndexFileError"]


def __getattr__(name: str) -> Any:
    # Lazy: the command line imports this package for --help, without NumPy.
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
