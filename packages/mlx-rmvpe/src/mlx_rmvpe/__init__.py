"""RMVPE pitch (F0) estimation in MLX."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .config import RMVPEConfig
    from .decoding import decode
    from .mel import log_mel, mel_filterbank
    from .network import E2E
    from .rmvpe import DEFAULT_WEIGHTS, RMVPE
    from .weights import config_from_tensors, sanitize

__all__ = [
    "DEFAULT_WEIGHTS",
    "E2E",
    "RMVPE",
    "RMVPEConfig",
    "config_from_tensors",
    "decode",
    "log_mel",
    "mel_filterbank",
    "sanitize",
]

# Imported on first use: who lists F0 methods imports this package only for its names.
_HOME = {
    "DEFAULT_WEIGHTS": "rmvpe",
    "E2E": "network",
    "RMVPE": "rmvpe",
    "RMVPEConfig": "config",
    "config_from_tensors": "weights",
    "decode": "decoding",
    "log_mel": "mel",
    "mel_filterbank": "mel",
    "sanitize": "weights",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOME[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
