"""transformers' HubertModel with the weights of a content encoder, from a file in any layout."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mlx_rvc_verify.beside import module

_CONV = "encoder.pos_conv_embed.conv."
_NORMED = {
    _CONV + "weight_g": _CONV + "parametrizations.weight.original0",
    _CONV + "weight_v": _CONV + "parametrizations.weight.original1",
}


class TorchEncoder:
    """A HubertModel and the projection that v1 voices take, `None` where the weights have none."""

    def __init__(self, model: Any, projection: Any = None, *, normalise: bool = False) -> None:
        self.model = model.eval()
        self.projection = projection
        self._normalise = normalise

    def extract(self, audio: np.ndarray, layer: int | None, project: bool) -> np.ndarray:
        """Audio (n,) at 16 kHz to features (1, frames, channels); layers as transformers counts."""
        torch = module("torch")
        samples = torch.from_numpy(np.asarray(audio, np.float32))[None]
        if self._normalise:  # what transformers' feature extractor does with do_normalize
            samples = (samples - samples.mean()) / torch.sqrt(samples.var(correction=0) + 1e-7)
        with torch.no_grad():
            if layer is None:
                features = self.model(samples).last_hidden_state
            else:
                features = self.model(samples, output_hidden_states=True).hidden_states[layer]
            if project:
                features = self.projection(features)
        return features.numpy()


def load(path: Path) -> TorchEncoder:
    """The encoder of a file, loaded strictly; the names are mapped, weight norm stays apart.

    Raises ValueError for a file that is no encoder, and for tensors that do not fit.
    """
    import mlx_weights
    from mlx_contentvec import loading

    torch, transformers = module("torch"), module("transformers")
    raw = loading.state_dict(mlx_weights.read_checkpoint(path, foreign=loading.FOREIGN))
    _, config = loading.read(path)
    known = transformers.HubertConfig().to_dict()
    sizes = {name: value for name, value in config.to_dict().items() if name in known}
    projected = config.classifier_proj_size
    sizes = {name: value for name, value in sizes.items() if value is not None}
    model = transformers.HubertModel(transformers.HubertConfig(**sizes))
    state = in_torch_layout(raw)
    if _CONV + "weight" in state:  # folded: the model is given a plain convolution
        torch.nn.utils.parametrize.remove_parametrizations(
            model.encoder.pos_conv_embed.conv, "weight"
        )
    tensors = {k: torch.from_numpy(np.array(v, np.float32)) for k, v in state.items()}
    last = {
        k.removeprefix("final_proj."): tensors.pop(k) for k in list(tensors) if "final_proj" in k
    }
    projection = torch.nn.Linear(config.hidden_size, projected) if last else None
    try:
        if projection is not None:
            projection.load_state_dict(last)
        if "masked_spec_embed" in model.state_dict():  # training only, and not in every file
            tensors["masked_spec_embed"] = model.masked_spec_embed
        model.load_state_dict(tensors, strict=True)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"transformers cannot load {path}: {reason:.200}") from None
    return TorchEncoder(model, projection, normalise=config.do_normalize)


def in_torch_layout(raw: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Tensors of any layout under transformers' names and axes, weight norm as it is stored."""
    from mlx_contentvec import layouts

    prefixes = [p for p in layouts.PREFIXES if any(k.startswith(p + "feature_ex") for k in raw)]
    prefix = prefixes[0] if prefixes else ""
    named = {layouts.rename(key.removeprefix(prefix)): value for key, value in raw.items()}
    named = {k: v for k, v in named.items() if k not in layouts.TRAINING_ONLY}
    first = named["feature_extractor.conv_layers.0.conv.weight"]
    if first.shape[1] != 1:  # channels last: (out, taps, in)
        named = {k: v.transpose(0, 2, 1) if v.ndim == 3 else v for k, v in named.items()}
    if _CONV + "weight_g" in named:
        named.pop(_CONV + "weight", None)
    return {_NORMED.get(k, k): v for k, v in named.items()}
