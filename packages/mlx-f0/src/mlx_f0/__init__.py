"""Pitch (F0) of a voice by any method behind one protocol: WORLD, Praat, plug-ins, hybrids."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .clip_method import ClipMethod
    from .curve import check_range, fill_unvoiced, median, outside_voice_range
    from .hybrid import Hybrid, combine
    from .methods import F0Method, available, load, offline, parts
    from .praat import Praat
    from .settings import F0Settings
    from .table import override, read_table, write_table
    from .world import Dio, Harvest

__all__ = [
    "ClipMethod",
    "Dio",
    "F0Method",
    "F0Settings",
    "Harvest",
    "Hybrid",
    "Praat",
    "available",
    "check_range",
    "combine",
    "fill_unvoiced",
    "load",
    "median",
    "offline",
    "outside_voice_range",
    "override",
    "parts",
    "read_table",
    "write_table",
]

# Imported on first use: the command line imports this package only to show its help.
_HOME = {
    "ClipMethod": "clip_method",
    "Dio": "world",
    "F0Method": "methods",
    "F0Settings": "settings",
    "Harvest": "world",
    "Hybrid": "hybrid",
    "Praat": "praat",
    "available": "methods",
    "check_range": "curve",
    "combine": "hybrid",
    "fill_unvoiced": "curve",
    "load": "methods",
    "median": "curve",
    "offline": "methods",
    "outside_voice_range": "curve",
    "override": "table",
    "parts": "methods",
    "read_table": "table",
    "write_table": "table",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOME[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
