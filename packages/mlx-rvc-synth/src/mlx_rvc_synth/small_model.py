"""The small model: the dict in a `.pth` that RVC-WebUI, Applio and their kin load as a voice.

    weight    tensors without the posterior encoder, weight norm apart (`weight_g`, `weight_v`)
    config    RVC's list of 18 values; the last one is the sample rate in Hz
    info, sr ("40k"), f0 (1 or 0), version ("v1", "v2"), and what the voice says of itself

Source: RVC-WebUI, `infer/lib/train/process_ckpt.py`.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np

from .config import HIFIGAN
from .declared import plain
from .torch_layout import to_torch
from .voicefile import Tensors, VoiceFile

# What RVC's code fixes, so that its list has no place for it.
_FIXED = {"window_size": 10, "n_flows": 4, "flow_kernel_size": 5, "flow_n_layers": 3}

# Written from the configuration, of a training that goes on elsewhere, or of another container.
_NOT_CARRIED = frozenset(
    {
        *("weight", "config", "info", "sr", "sample_rate", "f0", "version"),
        *("embedder", "embedder_layer", "speaker_names"),
        *("iteration", "learning_rate", "format", "kind"),
        *("config_json", "speaker_info_json", "training_json", "model_hash", "hash", "id"),
    }
)


def small_model(voice: VoiceFile, *, dtype: str, info: str | None = None) -> dict[str, Any]:
    """The dict to be saved, tensors in `dtype` (float16 as RVC writes it, or float32).

    `info` is the line that programs show; None keeps the voice's own. Raises ValueError for sizes
    that RVC's list cannot say, and for weights that float16 cannot hold.
    """
    config = voice.config
    for name, value in _FIXED.items():
        if getattr(config, name) != value:
            raise ValueError(
                f"{voice.path} has {name} {getattr(config, name)}, which RVC fixes at {value}: "
                "its programs cannot load it as a .pth; export it as .safetensors"
            )
    weight = OrderedDict(stored(to_torch(voice.originals, voice.layout), dtype))
    said = {k: plain(v) for k, v in voice.metadata.items() if k not in _NOT_CARRIED}
    if voice.metadata.get("embedder") and "embedder_model" not in said:
        said["embedder_model"] = voice.metadata["embedder"]
    if "embedder_layer" in voice.metadata:
        said["embedder_output_layer"] = voice.metadata["embedder_layer"]
    names = voice.metadata.get("speaker_names")
    if names and "speaker_info" not in said:
        said["speaker_info"] = [
            {"id": int(key), "name": name} for key, name in names.items() if str(key).isdigit()
        ]
    if config.vocoder != HIFIGAN or "vocoder" in said:
        said["vocoder"] = config.vocoder
    return OrderedDict(
        weight=weight,
        config=[*config.to_list()],
        info=str(voice.metadata.get("info", "") if info is None else info),
        sr=f"{config.sample_rate / 1000:g}k",
        f0=int(config.f0),
        version=config.version,
        **said,
    )


def stored(tensors: Tensors, dtype: str) -> Tensors:
    """Tensors in `dtype`; ValueError that names a tensor with NaN or beyond what it can hold."""
    limit = np.finfo(dtype).max
    for name, value in tensors.items():
        largest = np.abs(value).max(initial=0)
        if not largest <= limit:
            raise ValueError(
                f"{name} holds {largest:g}, which {dtype} cannot hold (up to {limit:g}): "
                + ("use --dtype float32" if np.isfinite(largest) else "the voice is damaged")
            )
    return {name: np.asarray(value).astype(dtype, copy=False) for name, value in tensors.items()}
