"""From the files RMVPE is distributed in to this package's names, layout and sizes.

Three layouts are read, told apart by their names:

- `rmvpe.pt` (lj1995/VoiceConversionWebUI): the reference's flat state dict, float16.
- `rmvpe.safetensors` (lexandstuff/mlx-rmvpe): other names, MLX's layout.
- this package's own: the reference's names, MLX's layout, batch normalisation folded.

Convolutions move from (out, in, height, width) to (out, height, width, in), transposed ones from
(in, out, height, width) to the same. Batch normalisation is y = weight (x - mean) / sqrt(var + eps)
+ bias and is folded into the convolution before it. torch's GRU has two bias vectors; as the reset
gate multiplies only the hidden one of the candidate, that one stays apart:
b = b_ih + [b_hr, b_hz, 0], bhn = b_hn.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from mlx_weights import WeightsError

from .config import RMVPEConfig

Tensors = dict[str, np.ndarray]

NORM_EPS = 1e-5
NORM_FIELDS = ("weight", "bias", "running_mean", "running_var")

# A convolution's name and that of the normalisation after it, in the reference's numbering.
_NORMED = (
    (re.compile(r"(.*\.conv)\.0\.weight"), r"\1.0", r"\1.1"),
    (re.compile(r"(.*\.conv)\.3\.weight"), r"\1.3", r"\1.4"),
    (re.compile(r"(.*\.conv1)\.0\.weight"), r"\1.0", r"\1.1"),
)

_RENAMES = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"^model\.", ""),
        (r"^bigru\.gru_(forward|backward)\.", r"fc.0.gru.\1."),
        (r"^linear\.", "fc.1."),
        (r"^(unet\.decoder\.layers\.\d+)\.conv_transpose\.", r"\1.conv1.0."),
        (r"^(unet\.decoder\.layers\.\d+)\.bn\.", r"\1.conv1.1."),
        (r"^(unet\.decoder\.layers\.\d+)\.conv_blocks\.", r"\1.conv2."),
        (r"\.conv_blocks\.", ".conv."),
        (r"\.conv1\.(weight|bias)$", ".conv.0.\\1"),
        (r"\.bn1\.", ".conv.1."),
        (r"\.conv2\.(weight|bias)$", ".conv.3.\\1"),
        (r"\.bn2\.", ".conv.4."),
    )
)


def sanitize(checkpoint: Mapping[str, Any], *, source: str = "checkpoint") -> Tensors:
    """Tensors of any known layout, as this package names and lays them out.

    Args:
        checkpoint: what the file holds; a state dict inside "model" or "state_dict" is found.
        source: how errors name the file.

    Returns:
        float32 arrays; what is missing or superfluous is left for strict loading to name.

    Raises:
        WeightsError: not an RMVPE file, or a normalisation or GRU bias that cannot be folded
            because a tensor is missing or has the wrong shape.
    """
    for wrapper in ("model", "state_dict"):
        if isinstance(checkpoint.get(wrapper), Mapping):
            checkpoint = checkpoint[wrapper]
    # Views of the file, in its own precision: a tensor is widened when it finds its place.
    tensors = {
        name: value
        for name, value in checkpoint.items()
        if isinstance(value, np.ndarray) and not name.endswith("num_batches_tracked")
    }
    if "fc.0.gru.weight_ih_l0" in tensors:
        tensors = _join_gru_biases(_channels_last(tensors), source)
        return _float32(_fold_norms(tensors, source))
    if any(".conv_blocks." in name for name in tensors):
        renamed = {_renamed(name): value for name, value in tensors.items()}
        return _float32(_fold_norms(renamed, source))
    if is_folded(tensors):
        return _float32(tensors)
    shown = ", ".join(sorted(map(str, checkpoint))[:3]) or "nothing"
    raise WeightsError(
        f"{source} is not an RMVPE model: found {shown}; expected the names of rmvpe.pt"
        " (unet.encoder.layers.0..., fc.0.gru...), of lexandstuff/mlx-rmvpe, or of this package"
    )


def _float32(tensors: Tensors) -> Tensors:
    return {name: np.asarray(value, np.float32) for name, value in tensors.items()}


def is_folded(names: Iterable[str]) -> bool:
    """Whether these are the names of a model this package saved."""
    return "fc.0.gru.forward.Wx" in names


def config_from_tensors(tensors: Mapping[str, np.ndarray], *, source: str) -> RMVPEConfig:
    """Sizes recovered from sanitized tensors.

    What leaves no trace in a shape (rate, hop, window, band edges) is the published model's.

    Raises:
        WeightsError: a tensor that shows a size is missing, or the sizes contradict each other.
    """
    try:
        bins, _ = tensors["fc.1.weight"].shape
        gates, gru_in = tensors["fc.0.gru.forward.Wx"].shape
        cnn_channels, *_ = tensors["cnn.weight"].shape
        width, *_ = tensors["unet.encoder.layers.0.conv.0.conv.0.weight"].shape
        return RMVPEConfig(
            n_mels=gru_in // cnn_channels,
            en_de_layers=_count(tensors, "unet.encoder.layers."),
            inter_layers=_count(tensors, "unet.intermediate.layers."),
            n_blocks=_count(tensors, "unet.encoder.layers.0.conv."),
            en_out_channels=width,
            cnn_channels=cnn_channels,
            gru_hidden=gates // 3,
            n_bins=bins,
        )
    except KeyError as error:
        raise WeightsError(f"{source} lacks {error.args[0]}, which an RMVPE model has") from None
    except ValueError as error:
        raise WeightsError(f"{source} is not an RMVPE model: {error}") from None


def _count(tensors: Mapping[str, np.ndarray], prefix: str) -> int:
    """Length of the list under that prefix."""
    places = {
        name.removeprefix(prefix).split(".")[0] for name in tensors if name.startswith(prefix)
    }
    return max((int(place) for place in places if place.isdigit()), default=-1) + 1


def _renamed(name: str) -> str:
    for pattern, replacement in _RENAMES:
        name = pattern.sub(replacement, name)
    return name


def _channels_last(tensors: Tensors) -> Tensors:
    """Convolutions from torch's layout to MLX's."""
    out = {}
    for name, value in tensors.items():
        if value.ndim == 4:
            transposed = name.endswith(".conv1.0.weight")
            value = value.transpose((1, 2, 3, 0) if transposed else (0, 2, 3, 1))  # noqa: PLW2901
        out[name] = value
    return out


def _take(tensors: Tensors, names: list[str], shapes: list[tuple[int, ...]], source: str):
    """Remove and return those tensors.

    Raises:
        WeightsError: names what is missing or has another shape.
    """
    missing = [name for name in names if name not in tensors]
    if missing:
        raise WeightsError(f"{source} lacks {', '.join(missing)}")
    for name, shape in zip(names, shapes, strict=True):
        if tensors[name].shape != shape:
            raise WeightsError(f"{source}: {name} has shape {tensors[name].shape}, not {shape}")
    return [tensors.pop(name).astype(np.float64) for name in names]


def _join_gru_biases(tensors: Tensors, source: str) -> Tensors:
    """torch's GRU tensors, under MLX's names."""
    out = dict(tensors)
    for suffix, direction in (("l0", "forward"), ("l0_reverse", "backward")):
        for torch_name, mlx_name in (("weight_ih", "Wx"), ("weight_hh", "Wh")):
            name = f"fc.0.gru.{torch_name}_{suffix}"
            if name in out:
                out[f"fc.0.gru.{direction}.{mlx_name}"] = out.pop(name)
        gates = out[f"fc.0.gru.{direction}.Wx"].shape[0] if f"fc.0.gru.{direction}.Wx" in out else 0
        names = [f"fc.0.gru.bias_{side}_{suffix}" for side in ("ih", "hh")]
        input_bias, hidden_bias = _take(out, names, [(gates,), (gates,)], source)
        reset_and_update = 2 * gates // 3
        input_bias[:reset_and_update] += hidden_bias[:reset_and_update]
        out[f"fc.0.gru.{direction}.b"] = input_bias.astype(np.float32)
        out[f"fc.0.gru.{direction}.bhn"] = hidden_bias[reset_and_update:].astype(np.float32)
    return out


def _fold_norms(tensors: Tensors, source: str) -> Tensors:
    """Batch normalisation into the convolutions before it, and the input's into scale and shift."""
    out = dict(tensors)
    for name in tensors:
        for pattern, conv_name, norm_name in _NORMED:
            if not pattern.fullmatch(name):
                continue
            conv, norm = (pattern.sub(place, name) for place in (conv_name, norm_name))
            scale, shift = _norm(out, norm, tensors[name].shape[0], source)
            # One layout carries a bias on the transposed convolution.
            shift = shift + scale * out.pop(f"{conv}.bias", 0.0)
            weight = tensors[name] * scale[:, None, None, None]
            out[f"{conv}.weight"] = weight.astype(np.float32)
            out[f"{conv}.bias"] = shift.astype(np.float32)
    scale, shift = _norm(out, "unet.encoder.bn", 1, source)
    out["unet.encoder.bn.weight"] = scale.astype(np.float32)
    out["unet.encoder.bn.bias"] = shift.astype(np.float32)
    return out


def _norm(tensors: Tensors, name: str, channels: int, source: str):
    """Scale and shift of a normalisation, whose tensors are removed."""
    names = [f"{name}.{field}" for field in NORM_FIELDS]
    weight, bias, mean, var = _take(tensors, names, [(channels,)] * 4, source)
    scale = weight / np.sqrt(var + NORM_EPS)
    return scale, bias - mean * scale
