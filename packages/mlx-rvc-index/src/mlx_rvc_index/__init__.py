"""Read and build RVC feature indexes, and blend features towards the target voice."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlx_rvc_index.building import Built as Built
    from mlx_rvc_index.building import build_index as build_index
    from mlx_rvc_index.embedded import holds_vectors as holds_vectors
    from mlx_rvc_index.errors import IndexFileError as IndexFileError
    from mlx_rvc_index.index import FeatureIndex as FeatureIndex
    from mlx_rvc_index.vectors import save_vectors as save_vectors

_HOME = {
    "Built": "building",
    "FeatureIndex": "index",
    "IndexFileError": "errors",
    "build_index": "building",
    "holds_vectors": "embedded",
    "save_vectors": "vectors",
}

__all__ = [
    "Built",
    "FeatureIndex",
    "IndexFileError",
    "build_index",
    "holds_vectors",
    "save_vectors",
]


def __getattr__(name: str) -> Any:
    # Lazy: the command line imports this package for --help, without NumPy.
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
