"""ContentVec and HuBERT content features in MLX."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlx_contentvec.config import ContentvecConfig
    from mlx_contentvec.layouts import sanitize
    from mlx_contentvec.model import ContentvecModel

__all__ = ["ContentvecConfig", "ContentvecModel", "sanitize"]

_HOMES = {
    "ContentvecConfig": "mlx_contentvec.config",
    "ContentvecModel": "mlx_contentvec.model",
    "sanitize": "mlx_contentvec.layouts",
}


def __getattr__(name: str) -> Any:
    """Import on first use: the command line asks this package for its help without mlx."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
