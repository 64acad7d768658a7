"""The weight file: the network's tensors and the filterbanks, with their sizes beside them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

import mlx_weights

from .config import SwiftF0Config
from .spectrogram import Filterbank

ENVIRONMENT_VARIABLE = "MLX_SWIFT_F0"
FILE_NAME = "model.safetensors"
MODEL_TYPE = "swift_f0"
SHIPPED = Path(__file__).parent / "weights"


def locate(source: str | os.PathLike[str] | None) -> Path:
    """The file that `source` means; see `SwiftF0.from_pretrained`.

    Raises:
        WeightsError: there is no such file.
    """
    if source is None:
        source = os.environ.get(ENVIRONMENT_VARIABLE) or SHIPPED
    path = Path(source).expanduser()
    if path.is_dir():
        path /= FILE_NAME
    if not path.is_file():
        raise mlx_weights.WeightsError(
            f"{path} is no file with weights; expected {FILE_NAME}, or a folder with it and"
            " config.json: give no source for the weights that are shipped"
        )
    return path


def read(path: Path) -> tuple[dict[str, np.ndarray], list[Filterbank], SwiftF0Config]:
    """Tensors of the network, the filterbanks, and the sizes of both.

    Raises:
        WeightsError: a file that cannot be read or is of another model; names what is missing.
    """
    beside = path.with_name("config.json")
    if not beside.is_file():
        raise mlx_weights.WeightsError(
            f"{path} was saved with a config.json, which is not beside it: copy both"
        )
    values = mlx_weights.read_config(beside)
    found = values.pop("model_type", None)
    if found != MODEL_TYPE:
        raise mlx_weights.WeightsError(
            f"{beside} has model_type {found!r}, expected {MODEL_TYPE!r}: it does not belong to"
            f" {path.name}"
        )
    config = SwiftF0Config.from_dict(values)
    tensors = mlx_weights.read_tensors(path)
    names = [(f"banks.{i}.places", f"banks.{i}.values") for i in range(len(config.windows))]
    missing = [name for pair in names for name in pair if name not in tensors]
    if missing:
        raise mlx_weights.WeightsError(
            f"{path} lacks {', '.join(missing)}, which a SwiftF0 model has: give another file"
        )
    banks = [Filterbank(tensors.pop(places), tensors.pop(values)) for places, values in names]
    return tensors, banks, config


def save(
    folder: Path,
    tensors: dict[str, np.ndarray],
    banks: tuple[Filterbank, ...],
    config: SwiftF0Config,
) -> None:
    """Write a folder that `read` reads."""
    everything = dict(tensors)
    for i, bank in enumerate(banks):
        everything[f"banks.{i}.places"] = bank.places
        everything[f"banks.{i}.values"] = bank.values
    values = {"model_type": MODEL_TYPE, **config.to_dict()}
    mlx_weights.save_model(folder, everything, values)
