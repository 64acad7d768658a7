"""What other packages know about voices, by entry points: nothing is imported before it is used.

The group `mlx_rvc_voices.hooks`:

    voice   path of a voice file -> anything; ValueError if it cannot be used
    index   path of an index file -> anything; ValueError if it cannot be used
    preset  (settings by name, where they are from) -> the settings; ValueError that names both

mlx-rvc brings all three.
"""

import importlib.metadata
from collections.abc import Callable
from typing import Any

GROUP = "mlx_rvc_voices.hooks"


def hook(name: str) -> Callable[..., Any] | None:
    """Give what an installed package brings under that name, or None."""
    for entry in importlib.metadata.entry_points(group=GROUP, name=name):
        return entry.load()
    return None
