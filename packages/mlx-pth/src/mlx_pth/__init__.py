"""Read and write PyTorch .pth files without torch and without running anything in them."""

from mlx_pth.errors import (
    DamagedFileError,
    MissingFileError,
    NotATorchFileError,
    PthError,
    RefusedError,
    TooLargeError,
    UnwritableError,
)
from mlx_pth.loading import MAX_BYTES, load
from mlx_pth.saving import save
from mlx_pth.standins import Placeholder

__all__ = [
    "MAX_BYTES",
    "DamagedFileError",
    "MissingFileError",
    "NotATorchFileError",
    "Placeholder",
    "PthError",
    "RefusedError",
    "TooLargeError",
    "UnwritableError",
    "load",
    "save",
]
