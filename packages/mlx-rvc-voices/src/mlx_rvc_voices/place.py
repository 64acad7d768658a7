"""Where the library is."""

import os
import sys
from pathlib import Path

LIBRARY_VARIABLE = "MLX_RVC_VOICES"


def library_folder() -> Path:
    """Give the folder of the user's voices; it need not exist yet.

    MLX_RVC_VOICES, else `voices` in `data_folder()`.
    """
    if chosen := os.environ.get(LIBRARY_VARIABLE):
        return Path(chosen).expanduser()
    return data_folder() / "voices"


def data_folder() -> Path:
    """Give the folder of the user's data: $XDG_DATA_HOME/mlx-rvc, else ~/.local/share/mlx-rvc.

    On macOS ~/Library/Application Support/mlx-rvc, unless XDG_DATA_HOME is set.
    """
    if xdg := os.environ.get("XDG_DATA_HOME"):
        return Path(xdg).expanduser() / "mlx-rvc"
    base = "~/Library/Application Support" if sys.platform == "darwin" else "~/.local/share"
    return Path(base).expanduser() / "mlx-rvc"
