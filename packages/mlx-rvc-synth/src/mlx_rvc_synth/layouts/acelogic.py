"""Acelogic/Retrieval-based-Voice-Conversion-MLX: `.npz` or safetensors with a JSON beside it.

Lists of layers become names with a number, and of the flow only the coupling layers are counted::

    dec.ups.0  dec.noise_convs.0  dec.resblocks.0.convs1.2    dec.up_0  dec.noise_conv_0
                                                              dec.resblock_0.c1_2
    enc_p.encoder.attn_layers.0  norm_layers_1.0  ffn_layers.0   attn_0  norm1_0  ffn_0
    flow.flows.2.enc.in_layers.0  res_skip_layers.0           flow.flow_1.enc.in_layer_0 ...

Its older converter keeps RVC's names; files that went through its loader's renaming keep RVC's
numbers of the flow (0, 2, 4, 6) under the new names. Weight norm is folded, axes are MLX's.
Source: tools/convert_rvc_model.py, tools/convert_models_for_ios.py and infer_mlx.py there.
"""

from __future__ import annotations

import re
from pathlib import Path

from .reading import Tensors

_NAMES = (
    (re.compile(r"dec\.resblock_(\d+)\.c([12])_(\d+)\."), r"dec.resblocks.\1.convs\2.\3."),
    (re.compile(r"dec\.up_(\d+)\."), r"dec.ups.\1."),
    (re.compile(r"dec\.noise_conv_(\d+)\."), r"dec.noise_convs.\1."),
    (re.compile(r"enc_p\.encoder\.(attn|ffn)_(\d+)\."), r"enc_p.encoder.\1_layers.\2."),
    (re.compile(r"enc_p\.encoder\.norm([12])_(\d+)\."), r"enc_p.encoder.norm_layers_\1.\2."),
)
_WAVENET = re.compile(r"\.enc\.(in|res_skip)_layer_(\d+)\.")
_FLOW = re.compile(r"flow\.flow_(\d{1,4})\.")
_NORM = re.compile(r"(enc_p\.encoder\.norm_layers_[12]\.\d+)\.(weight|bias)")
_SHARED = {
    "unet.": "RMVPE pitch model: give --rmvpe the rmvpe.pt that it was converted from",
    "feature_extractor.": "content encoder: give --contentvec the file that it was converted from",
}
_NORM_ROLES = {"weight": "gamma", "bias": "beta"}


def refuse_shared(path: Path, tensors: Tensors) -> None:
    """ValueError for the `.npz` of the models that all voices share."""
    for beginning, what in _SHARED.items():
        if any(name.startswith(beginning) for name in tensors):
            raise ValueError(f"{path} is no voice but Acelogic's {what}")


def made(tensors: Tensors) -> bool:
    """Whether the names are this program's."""
    return any(
        _FLOW.match(name) or any(pattern.match(name) for pattern, _ in _NAMES) for name in tensors
    )


def renamed(tensors: Tensors) -> Tensors:
    """The same tensors under RVC's names; ValueError where two get the same one."""
    numbers = {int(match[1]) for name in tensors if (match := _FLOW.match(name))}
    step = 2 if any(number % 2 for number in numbers) else 1
    result: Tensors = {}
    for name, value in tensors.items():
        new = _rename(name, step)
        if new in result:
            raise ValueError(f"{name} and another tensor are both {new}: convert the voice again")
        result[new] = value
    return result


def _rename(name: str, step: int) -> str:
    for pattern, replacement in _NAMES:
        name = pattern.sub(replacement, name)
    name = _WAVENET.sub(r".enc.\1_layers.\2.", name)
    name = _FLOW.sub(lambda match: f"flow.flows.{int(match[1]) * step}.", name)
    norm = _NORM.fullmatch(name)
    return f"{norm[1]}.{_NORM_ROLES[norm[2]]}" if norm else name
