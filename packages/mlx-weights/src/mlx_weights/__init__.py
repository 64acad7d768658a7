"""Find, fetch, check, convert and strictly load the weights of an MLX model."""

from mlx_weights.cards import model_card, without_paths
from mlx_weights.conversion import converted
from mlx_weights.digest import cache_dir, sha256
from mlx_weights.errors import WeightsError
from mlx_weights.folder import load_model_folder, read_config, read_json, save_model, save_tensors
from mlx_weights.hub import HubFile, repository_files
from mlx_weights.inventory import Held, held
from mlx_weights.locating import locate
from mlx_weights.npz import is_npz, zip_names
from mlx_weights.packing import pack, unpack
from mlx_weights.publishing import Pushed, Target, check_target, push_folder
from mlx_weights.reading import read_checkpoint, read_metadata, read_tensors
from mlx_weights.strict import load_strict

__all__ = [
    "Held",
    "HubFile",
    "Pushed",
    "Target",
    "WeightsError",
    "cache_dir",
    "check_target",
    "converted",
    "held",
    "is_npz",
    "load_model_folder",
    "load_strict",
    "locate",
    "model_card",
    "pack",
    "push_folder",
    "read_checkpoint",
    "read_config",
    "read_json",
    "read_metadata",
    "read_tensors",
    "repository_files",
    "save_model",
    "save_tensors",
    "sha256",
    "unpack",
    "without_paths",
    "zip_names",
]
