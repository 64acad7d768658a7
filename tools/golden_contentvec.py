"""Golden files of mlx-contentvec, made by transformers' HubertModel at toy size.

    python tools/golden_contentvec.py

needs torch and transformers. Written to packages/mlx-contentvec/tests/golden:

- `post_norm.npz`, `pre_norm.npz`: weights under Hugging Face's names, the configuration as JSON,
  audio (two items), and what every step made of it. `post_norm` is shaped as HuBERT base (group
  norm, no biases in the convolutions), `pre_norm` as HuBERT large.
- `pytorch_model.bin`: the weights of `post_norm` as transformers 4.27 saved them (`weight_g`,
  `weight_v`), in torch's zip format.
- `fairseq.pt`, `fairseq_legacy.pt`: the weights of `post_norm` as fairseq names and pickles them,
  in half precision, with an object of a fairseq class inside (made here under fairseq's name, since
  fairseq itself no longer installs), in torch's zip format and in the one before it.
- `lexandstuff.safetensors`: the same weights with that file's names and axes, without final_proj.
"""

import argparse
import io
import json
import sys
import types
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file
from transformers import HubertConfig, HubertModel

GOLDEN = Path(__file__).parents[1] / "packages/mlx-contentvec/tests/golden"
PROJECTION = 8
TOY = {
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 3,
    "intermediate_size": 40,
    "conv_dim": [8, 8, 12, 12, 16, 16, 16],
    "conv_kernel": [10, 3, 3, 3, 3, 2, 2],
    "conv_stride": [5, 2, 2, 2, 2, 2, 2],
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
    "classifier_proj_size": PROJECTION,
    "layer_norm_eps": 1e-5,
}
SAMPLES = 6000  # 18 frames: more than the positional convolution's 16 taps


class HubertModelWithFinalProj(HubertModel):
    """HuBERT as RVC's encoders have it: with the projection that v1 voices read."""

    def __init__(self, config):
        super().__init__(config)
        self.final_proj = torch.nn.Linear(config.hidden_size, config.classifier_proj_size)


def toy(seed: int, **choices) -> HubertModelWithFinalProj:
    """A model whose every tensor matters: random norms and biases, weights of useful size."""
    torch.manual_seed(seed)
    model = HubertModelWithFinalProj(HubertConfig(**TOY, **choices)).eval()
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            if name.endswith("original0") or ("norm" in name and name.endswith("weight")):
                tensor.copy_(1 + 0.3 * torch.randn_like(tensor))
            elif tensor.ndim == 1:
                tensor.copy_(0.2 * torch.randn_like(tensor))
            else:
                tensor.copy_(torch.randn_like(tensor) * (1.5 / tensor[0].numel()) ** 0.5)
    return model


def audio() -> torch.Tensor:
    """Two items of different loudness, so that a norm over the batch would show."""
    time = torch.arange(SAMPLES) / 16000
    chirp = 0.4 * torch.sin(2 * torch.pi * (150 + 900 * time) * time)
    noise = 0.02 * torch.randn(SAMPLES, generator=torch.Generator().manual_seed(5))
    return torch.stack([chirp + noise, noise])


def steps(model: HubertModelWithFinalProj, samples: torch.Tensor) -> dict[str, np.ndarray]:
    """What each part of the model returns, channels last."""
    caught: dict[str, torch.Tensor] = {}

    def keep(name):
        def hook(_module, _inputs, output):
            caught[name] = output[0] if isinstance(output, tuple) else output

        return hook

    model.feature_extractor.register_forward_hook(keep("conv_features"))
    model.feature_projection.register_forward_hook(keep("projection"))
    model.encoder.pos_conv_embed.register_forward_hook(keep("pos_conv"))
    for i, layer in enumerate(model.encoder.layers, 1):
        layer.register_forward_hook(keep(f"block_{i}"))
    with torch.no_grad():
        result = model(samples, output_hidden_states=True)
        for i, hidden in enumerate(result.hidden_states[1:], 1):
            caught[f"hidden_{i}"] = hidden
            caught[f"projected_{i}"] = model.final_proj(hidden)
        caught["last"] = result.last_hidden_state
    caught["conv_features"] = caught["conv_features"].transpose(1, 2)
    return {name: tensor.numpy() for name, tensor in caught.items()}


def save_steps(name: str, model: HubertModelWithFinalProj) -> None:
    """Weights, configuration, audio and steps in one file."""
    samples = audio()
    out = steps(model, samples)
    weights = {f"weight:{key}": value.numpy() for key, value in model.state_dict().items()}
    config = json.dumps(model.config.to_dict(), default=str)
    path = GOLDEN / name
    np.savez_compressed(path, config=np.array(config), audio=samples.numpy(), **out, **weights)
    print(path.name, path.stat().st_size, {key: value.std().round(3) for key, value in out.items()})


def save_pytorch_model(model: HubertModelWithFinalProj) -> None:
    """The file that encoders are published as, with weight norm in its older spelling."""
    place = "encoder.pos_conv_embed.conv."
    state = {
        key.replace("parametrizations.weight.original0", "weight_g").replace(
            "parametrizations.weight.original1", "weight_v"
        ): tensor
        for key, tensor in model.state_dict().items()
    }
    assert {place + "weight_g", place + "weight_v"} <= state.keys()
    torch.save(state, GOLDEN / "pytorch_model.bin")
    print("pytorch_model.bin", (GOLDEN / "pytorch_model.bin").stat().st_size)


def fairseq_names(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """As the module tree of fairseq's HubertModel spells them."""
    out: dict[str, torch.Tensor] = {}
    for key, tensor in state.items():
        parts = key.split(".")
        if key == "masked_spec_embed":
            new = "mask_emb"
        elif parts[0] == "feature_extractor":
            position = "0" if parts[3] == "conv" else "2"
            new = ".".join([*parts[:3], position, parts[4]])
        elif parts[0] == "feature_projection":
            new = ".".join(
                ["layer_norm" if parts[1] == "layer_norm" else "post_extract_proj", parts[2]]
            )
        elif key.startswith("encoder.pos_conv_embed"):
            ends = {"original0": "weight_g", "original1": "weight_v", "bias": "bias"}
            new = f"encoder.pos_conv.0.{ends[parts[-1]]}"
        elif key.startswith("encoder.layers"):
            inner = {
                "attention": ["self_attn"],
                "layer_norm": ["self_attn_layer_norm"],
                "final_layer_norm": ["final_layer_norm"],
                "feed_forward": [],
            }[parts[3]]
            rest = [
                {"intermediate_dense": "fc1", "output_dense": "fc2"}.get(p, p) for p in parts[4:]
            ]
            new = ".".join([*parts[:3], *inner, *rest])
        else:
            new = key
        out[new] = tensor
    out["label_embs_concat"] = torch.zeros(5, PROJECTION)
    return out


def save_fairseq(model: HubertModelWithFinalProj) -> None:
    """A checkpoint as fairseq's trainer writes it, with its dictionary of labels inside."""
    names = ["fairseq", "fairseq.data", "fairseq.data.dictionary"]
    for name in names:
        sys.modules[name] = types.ModuleType(name)
    dictionary = type("Dictionary", (), {"__module__": names[-1], "__qualname__": "Dictionary"})
    sys.modules[names[-1]].Dictionary = dictionary
    labels = dictionary()
    labels.symbols, labels.indices = ["<s>", "<pad>", "0"], {"<s>": 0, "<pad>": 1, "0": 2}
    state = {key: tensor.half() for key, tensor in fairseq_names(model.state_dict()).items()}
    checkpoint = {
        "args": None,
        "cfg": {"model": {"_name": "hubert", "encoder_attention_heads": 3}, "common": {"seed": 1}},
        "model": state,
        "criterion": None,
        "optimizer_history": [{"num_updates": 3, "criterion_name": "HubertCriterion"}],
        "task_state": {"dictionaries": [labels]},
        "extra_state": {"epoch": 1},
        "last_optimizer_state": None,
    }
    for name, new_format in (("fairseq.pt", True), ("fairseq_legacy.pt", False)):
        buffer = io.BytesIO()
        torch.save(checkpoint, buffer, _use_new_zipfile_serialization=new_format)
        (GOLDEN / name).write_bytes(buffer.getvalue())
        print(name, (GOLDEN / name).stat().st_size)
    for name in names:
        del sys.modules[name]


def save_lexandstuff(model: HubertModelWithFinalProj) -> None:
    """The names and axes of lexandstuff/mlx-contentvec, its folded left-over included."""
    out: dict[str, np.ndarray] = {}
    for key, tensor in fairseq_names(model.state_dict()).items():
        if key in ("mask_emb", "label_embs_concat") or key.startswith("final_proj"):
            continue
        value = tensor.numpy()
        value = value.transpose(0, 2, 1) if value.ndim == 3 else value
        parts = key.split(".")
        if parts[0] == "feature_extractor":
            parts[3] = {"0": "conv", "2": "norm"}[parts[3]]
        new = ".".join(parts)
        new = new.replace("encoder.pos_conv.0.weight_g", "encoder.pos_conv.layers.0.g")
        new = new.replace("encoder.pos_conv.0.weight_v", "encoder.pos_conv.layers.0.v")
        new = new.replace("encoder.pos_conv.0.bias", "encoder.pos_conv.layers.0.module.bias")
        out[new] = np.ascontiguousarray(value)
    out["encoder.pos_conv.layers.0.module.weight"] = np.zeros_like(
        out["encoder.pos_conv.layers.0.v"]
    )
    save_file(out, str(GOLDEN / "lexandstuff.safetensors"))
    print("lexandstuff.safetensors", (GOLDEN / "lexandstuff.safetensors").stat().st_size)


def main() -> None:
    """Write all of them."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    GOLDEN.mkdir(parents=True, exist_ok=True)
    post_norm = toy(11)
    save_steps("post_norm.npz", post_norm)
    save_pytorch_model(post_norm)
    save_fairseq(post_norm)
    save_lexandstuff(post_norm)
    large = {"feat_extract_norm": "layer", "conv_bias": True, "do_stable_layer_norm": True}
    save_steps("pre_norm.npz", toy(12, **large))


if __name__ == "__main__":
    main()
