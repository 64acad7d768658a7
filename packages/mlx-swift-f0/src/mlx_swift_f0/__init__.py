"""SwiftF0 pitch (F0) estimation in MLX."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .config import SwiftF0Config
    from .decoding import decode
    from .grid import to_grid
    from .network import Network
    from .spectrogram import Spectrogram
    from .stream import Stream
    from .swift_f0 import SwiftF0

__all__ = [
    "Network",
    "Spectrogram",
    "Stream",
    "SwiftF0",
    "SwiftF0Config",
    "decode",
    "to_grid",
]

# Imported on first use: whoever lists the methods need not wait for MLX.
_HOME = {
    "Network": "network",
    "Spectrogram": "spectrogram",
    "Stream": "stream",
    "SwiftF0": "swift_f0",
    "SwiftF0Config": "config",
    "decode": "decoding",
    "to_grid": "grid",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOME[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
