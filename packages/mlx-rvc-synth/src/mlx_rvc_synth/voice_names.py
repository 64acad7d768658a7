"""Voices by name, through whichever package keeps a library of them.

Such a package offers a function from a name to the voice's path under the entry point group
`mlx_rvc.voice_names`; it gives back what it does not take for a name, and raises ValueError for a
name that it does not know.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

from .weights import locate_voice

GROUP = "mlx_rvc.voice_names"


def locate_named(source: str) -> Path:
    """The file or folder that a command's VOICE means; see `locate_voice` for what is no name."""
    found: str | Path = source
    if "/" not in source and not Path(source).expanduser().exists():
        for entry in entry_points(group=GROUP):
            found = entry.load()(source)
    return locate_voice(found)
