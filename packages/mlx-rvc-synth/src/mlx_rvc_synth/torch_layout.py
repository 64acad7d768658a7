"""From any layout back to the tensors that RVC's own code loads.

Names and axes are torch's again, and the layers that RVC trains with weight norm get their
magnitude g and direction v back (`weight_g`, `weight_v`). A folded weight w no longer knows its v;
any v along w gives the same w = g·v / ‖v‖, so g = ‖w‖ and v = w, scaled by a power of two per row
so that its values are of order one: exact in float32, and float16 keeps all its digits.
"""

from __future__ import annotations

import re

import numpy as np

from .config import HIFIGAN, MRF, REFINE
from .sanitizing import Layout, Tensors, split_name
from .vocoders import vocoder_of

# Weight norm in RVC's and Applio's code: upsampling, residual blocks, and the WaveNets of the flow;
# the first and the last convolution only in the two vocoders that Applio added.
_FLOW = r"flow\.flows\.\d+\.enc\.(in_layers\.\d+|res_skip_layers\.\d+|cond_layer)"
_NORMED = {
    HIFIGAN: r"dec\.ups\.\d+|dec\.resblocks\.\d+\.convs[12]?\.\d+",
    MRF: r"dec\.upsamples\.\d+|dec\.mrfs\.\d+\.\d+\.layers\.\d+\.conv[12]"
    r"|dec\.conv_pre|dec\.conv_post",
    REFINE: r"dec\.upsample_conv_blocks\.\d+\.blocks\.\d+\.1\.convs[12]\.\d+"
    r"|dec\.downsample_blocks\.\d+|dec\.(pre_conv|mel_conv|conv_post)",
}


def keeps_weight_norm(tensors: Tensors) -> bool:
    """Whether magnitudes and directions are still apart."""
    return any(split_name(name)[1] for name in tensors if not name.startswith("enc_q."))


def to_torch(tensors: Tensors, layout: Layout) -> Tensors:
    """Tensors of `layout` under RVC's names in torch's layout, without the posterior encoder.

    dtypes stay; split weights are float32. Convolutions (out, in, kernel), transposed ones
    (in, out, kernel), g (rows, 1, 1), v as the weight.
    """
    result: Tensors = {}
    vocoder = vocoder_of(tensors) or HIFIGAN
    normed = re.compile(rf"({_NORMED[vocoder]}|{_FLOW})\.weight")
    for name, value in tensors.items():
        if name.startswith("enc_q."):
            continue
        base, role = split_name(name)
        array = _arrange(name, value, layout)
        if role:
            result[f"{base}.weight_{role}"] = array
        elif normed.fullmatch(name):
            result[f"{name}_g"], result[f"{name}_v"] = split_weight(array)
        else:
            result[name] = array
    return result


def split_weight(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Magnitude g (rows, 1, 1) and a direction v (rows, ...) of a folded weight, float32.

    A row of zeros gets g = 0 and v = 1: torch makes NaN of a direction without length.
    """
    weight = np.asarray(weight, np.float32)
    axes = tuple(range(1, weight.ndim))
    norm = np.sqrt(np.sum(weight.astype(np.float64) ** 2, axis=axes, keepdims=True))
    count = max(1, weight[0].size)
    typical = np.where(norm > 0, norm / np.sqrt(count), 1)
    direction = np.ldexp(weight, -np.rint(np.log2(typical)).astype(np.int32))
    return norm.astype(np.float32), np.where(norm > 0, direction, 1).astype(np.float32)


def _arrange(name: str, value: np.ndarray, layout: Layout) -> np.ndarray:
    if layout == "torch" or value.ndim != 3 or "emb_rel_" in name:
        return value
    ups = layout == "mlx" and name.startswith(("dec.ups.", "dec.upsamples."))
    return np.ascontiguousarray(value.transpose((2, 0, 1) if ups else (0, 2, 1)))
