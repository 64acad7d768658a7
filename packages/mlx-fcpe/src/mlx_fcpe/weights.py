"""From torchfcpe's file, or this package's, to the network's names, layout and sizes.

torchfcpe's `fcpe_c_v001.pt` holds a state dict under "model" and its sizes under "config_dict".
Convolutions move from (out, in, taps) to (out, taps, in), those of one tap to (out, in); weight
norm, weight = g v / |v| with |v| of each row, is folded.
"""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mlx_weights import WeightsError

from .config import FCPEConfig
from .rows import unpacked

Tensors = dict[str, np.ndarray]

SHIPPED = Path(__file__).parent / "pretrained"
ENVIRONMENT_VARIABLE = "MLX_FCPE"
FILE_NAMES = ("model.safetensors", "fcpe_c_v001.pt")

# Weight norm's two tensors, under torch's old names and its new ones.
_NORMED = (
    ("output_proj.weight_g", "output_proj.weight_v"),
    (
        "output_proj.parametrizations.weight.original0",
        "output_proj.parametrizations.weight.original1",
    ),
)
_FOLDED = "output_proj.weight"

# For training only; a layer's own norm belongs to its attention, of which there is none.
_UNUSED = re.compile(r"gaussian_blurred_cent_mask|net\.encoder_layers\.\d+\.norm\.(weight|bias)")

# Dropout after the convolution module, in training, makes it the first of two.
_WITH_DROPOUT = re.compile(r"\.conformer\.0\.net\.")


def locate(source: str | os.PathLike[str] | None) -> Path:
    """The file that `source` means; see `FCPE.from_pretrained`.

    Raises:
        WeightsError: it cannot be found; the message says how to get it.
    """
    if source is None:
        source = os.environ.get(ENVIRONMENT_VARIABLE) or None
    if source is None:
        shipped = SHIPPED / FILE_NAMES[0]
        source = shipped if shipped.is_file() else _installed()
    if source is None:
        raise WeightsError(
            "no weights of FCPE were found, not even the shipped ones: run `pip download --no-deps"
            " torchfcpe==0.0.4`, unzip torchfcpe/assets/fcpe_c_v001.pt from the wheel and give its"
            f" path as source or in {ENVIRONMENT_VARIABLE}"
        )
    path = Path(source).expanduser()
    if path.is_dir():
        path = next((path / name for name in FILE_NAMES if (path / name).is_file()), path)
    if not path.is_file():
        raise WeightsError(
            f"{path} is no file with weights; expected one, or a folder with one of "
            f"{', '.join(FILE_NAMES)}"
        )
    return path


def _installed() -> Path | None:
    """The file of an installed torchfcpe, which is not imported."""
    spec = importlib.util.find_spec("torchfcpe")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / "assets" / FILE_NAMES[1]
        if path.is_file():
            return path
    return None


def is_folded(names: Iterable[str]) -> bool:
    """Whether these are the names of a model this package saved."""
    return _FOLDED in names


def sanitize(checkpoint: Mapping[str, Any], *, source: str = "checkpoint") -> Tensors:
    """Tensors of torchfcpe's layout or this package's, as float32 in this package's.

    Args:
        checkpoint: what the file holds; a state dict inside "model" is found.
        source: how errors name the file.

    Returns:
        float32 arrays; what is missing or superfluous is left for strict loading to name.

    Raises:
        WeightsError: not an FCPE file, one of a variant with attention or harmonic embedding, or a
            weight norm that cannot be folded.
    """
    if isinstance(checkpoint.get("model"), Mapping):
        checkpoint = checkpoint["model"]
    checkpoint = unpacked(checkpoint)
    for name, value in checkpoint.items():
        if isinstance(value, np.ndarray) and value.dtype == np.int16:
            raise WeightsError(
                f"{source}: {name} holds 16-bit steps {value.shape} without their size; expected"
                f" {name}.scale ({len(value)},) beside it: fetch the file again"
            )
    tensors = {
        _WITH_DROPOUT.sub(".conformer.net.", str(name)): np.asarray(value, np.float32)
        for name, value in checkpoint.items()
        if isinstance(value, np.ndarray) and not _UNUSED.fullmatch(str(name))
    }
    for name in tensors:
        if ".attn." in name or name.startswith("harmonic_emb."):
            raise WeightsError(
                f"{source} holds {name}: FCPE with attention or harmonic embedding is not"
                " supported, only the convolutional network that torchfcpe ships"
            )
    if is_folded(tensors):
        return tensors
    names = next((pair for pair in _NORMED if set(pair) <= set(tensors)), None)
    if names is None:
        shown = ", ".join(sorted(map(str, checkpoint))[:3]) or "nothing"
        raise WeightsError(
            f"{source} is not an FCPE model: found {shown}; expected input_stack.0.weight ..."
            " output_proj.weight_g, output_proj.weight_v, as in torchfcpe's fcpe_c_v001.pt"
        )
    scale, direction = (tensors.pop(name) for name in names)
    tensors[_FOLDED] = _folded(scale, direction, source)
    return {name: _channels_last(value) for name, value in tensors.items()}


def _folded(scale: np.ndarray, direction: np.ndarray, source: str) -> np.ndarray:
    """The weight (out, in) that weight norm made of a scale (out, 1) and a direction (out, in)."""
    if direction.ndim != 2 or scale.shape != (len(direction), 1):
        raise WeightsError(
            f"{source}: the weight norm of output_proj has shapes {scale.shape} and"
            f" {direction.shape}, expected (out, 1) and (out, in)"
        )
    wide = direction.astype(np.float64)
    return (scale * wide / np.linalg.norm(wide, axis=1, keepdims=True)).astype(np.float32)


def _channels_last(value: np.ndarray) -> np.ndarray:
    if value.ndim != 3:
        return value
    turned = value[:, :, 0] if value.shape[2] == 1 else value.transpose(0, 2, 1)
    return np.ascontiguousarray(turned)


def config_from_checkpoint(checkpoint: Mapping[str, Any], *, source: str) -> FCPEConfig:
    """Sizes from what torchfcpe keeps under "config_dict"; what it leaves open is the default.

    Raises:
        WeightsError: there is none, or it is of a network that this package does not have.
    """
    about = checkpoint.get("config_dict")
    if not isinstance(about, Mapping):
        raise WeightsError(f"{source} has no config_dict, which torchfcpe writes beside the model")
    mel, model = about.get("mel"), about.get("model")
    if not isinstance(mel, Mapping) or not isinstance(model, Mapping):
        raise WeightsError(f"{source}: its config_dict lacks mel or model; expected both")
    for found, expected, name in (
        (model.get("type"), "CFNaiveMelPE", "model.type"),
        (bool(model.get("conv_only")), True, "model.conv_only"),
        (bool(model.get("use_harmonic_emb")), False, "model.use_harmonic_emb"),
        (str(mel.get("type") or "default").lower() in ("default", "none"), True, "a mel.type"),
        (mel.get("win_size") or 1024, mel.get("n_fft") or 1024, "mel.win_size"),
    ):
        if found != expected:
            raise WeightsError(
                f"{source}: {name} is {found!r}; only {expected!r} is supported, as in the network"
                " that torchfcpe ships"
            )
    values = {
        name: part[name]
        for part, names in (
            (mel, ("sr", "hop_size", "n_fft", "num_mels", "fmin", "fmax")),
            (model, ("hidden_dims", "n_layers", "out_dims")),
        )
        for name in names
        if part.get(name) is not None
    }
    try:
        return FCPEConfig(**values)
    except ValueError as error:
        raise WeightsError(f"{source}: {error}") from None
