"""Write the golden files of mlx-rvc-synth: toy voices saved by torch, and what torch makes of them.

The networks are huggingface-hub-rvc's (MIT), with random weights; nothing here is ours but the
choice of sizes. Noise is injected (`mlx_rvc_verify.torch_voice`), so that the audio is exact.

    python tools/golden_synth.py packages/mlx-rvc-synth/tests/golden
"""

import sys
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch

from mlx_rvc_verify.torch_voice import build, infer

FRAMES = 23
BATCHES = {256: 2, 768: 1}

# RVC's list: spectrum, segment, inter, hidden, filter, heads, layers, kernel, dropout, resblock,
# its kernels, its dilations, rates, initial channels, kernels, speakers, gin, sample rate.
TOY = [33, 4, 8, 8, 16, 2, 2, 3, 0, "1", [3, 7], [[1, 3, 5]] * 2, [4, 2], 16, [8, 4], 3, 4, 800]


def toy(**changes):
    """TOY with other values at the named places."""
    places = {"resblock": 9, "dilations": 11, "rates": 12, "kernels": 14, "rate": 17, "filter": 4}
    config = list(TOY)
    for name, value in changes.items():
        config[places[name]] = value
    return config


CASES = {
    "v1_f0": (256, True, TOY),
    "v1_nof0": (256, False, TOY),
    "v2_f0": (768, True, toy(rates=[5, 2, 2], kernels=[11, 4, 4], rate=2000)),
    "v2_nof0": (768, False, TOY),
    "resblock2": (
        256,
        True,
        toy(resblock="2", dilations=[[1, 3]] * 2, rates=[4, 2], kernels=[16, 4]),
    ),
    # 44.1 kHz voices have odd rates: Applio's padding, kernels of twice the rate.
    "odd_rates": (256, True, toy(rates=[3, 7], kernels=[6, 14], rate=2100)),
}


def randomise(model, seed, half=False):
    """Weights that keep signals of order one through the depth, so that errors show."""
    generator = torch.Generator().manual_seed(seed)

    def normal(shape):
        return torch.randn(shape, generator=generator)

    with torch.no_grad():
        for name, value in model.named_parameters():
            fan = max(1, value[0].numel()) if value.ndim > 1 else 1
            if name.endswith("weight_g"):
                new = 0.4 + 0.3 * torch.rand(value.shape, generator=generator)
            elif name.endswith("gamma"):
                new = 1 + 0.1 * normal(value.shape)
            elif value.ndim == 1:
                new = 0.1 * normal(value.shape)
            elif "m_source" in name:
                new = 5 * torch.ones(value.shape)
            elif "emb_" in name and "emb_phone" not in name:
                new = 0.5 * normal(value.shape)
            elif name == "dec.conv_post.weight":
                new = 0.3 * normal(value.shape) / fan**0.5
            else:
                new = normal(value.shape) / fan**0.5
            value.copy_(new.half().float() if half else new)


def example(config, width, f0, batch, frames, seed):
    """Features, F0 with unvoiced stretches and extremes, and both noises."""
    rng = np.random.default_rng(seed)
    phone = rng.standard_normal((batch, frames, width)).astype(np.float32)
    sweep = np.geomspace(45, 1150, frames)[None] * rng.uniform(0.97, 1.03, (batch, 1))
    sweep[:, frames // 3 : frames // 3 + 3] = 0
    latent = rng.standard_normal((batch, frames, config[2])).astype(np.float32)
    hop = int(np.prod(config[12]))
    source = rng.standard_normal((batch, frames * hop, 1)).astype(np.float32)
    return phone, sweep.astype(np.float32), latent, source


def traced(model, f0, inputs, speaker, config):
    """All intermediates of one run, channels last, by name."""
    seen = {}

    def keep(name):
        def hook(_module, _inputs, output):
            output = output[0] if isinstance(output, tuple) else output
            seen[name] = output.detach().clone()

        return hook

    layers = {"conv_pre": model.dec.conv_pre, "conv_post": model.dec.conv_post}
    for i, layer in enumerate(model.enc_p.encoder.attn_layers):
        layers[f"attn_{i}"] = layer
    layers["encoder"] = model.enc_p.encoder
    for i, flow in enumerate(model.flow.flows):
        layers[f"flow_{i}"] = flow
    for i, up in enumerate(model.dec.ups):
        layers[f"up_{i}"] = up
        if f0:
            layers[f"noise_{i}"] = model.dec.noise_convs[i]
    for i, block in enumerate(model.dec.resblocks):
        layers[f"resblock_{i}"] = block
    hooks = [layer.register_forward_hook(keep(name)) for name, layer in layers.items()]
    # The flow calls .forward of its layers in reverse, past the hooks: patched by name instead.
    for i, flow in enumerate(model.flow.flows):
        flow.forward = _recording(flow.forward, seen, f"flow_{i}")
    if f0:
        hooks.append(model.dec.m_source.register_forward_hook(keep("source")))
    audio, (z, z_p, m, logs) = infer(model, f0, inputs, speaker)
    for hook in hooks:
        hook.remove()
    seen |= {"z": z, "z_p": z_p, "m": m, "logs": logs, "audio": audio}

    blocks = len(config[10])
    for stage in range(len(config[12])):
        outputs = [seen.pop(f"resblock_{stage * blocks + j}") for j in range(blocks)]
        seen[f"stage_{stage}"] = sum(outputs) / blocks
    arrays = {}
    for name, value in seen.items():
        last = value if name == "source" else value.transpose(1, 2)
        arrays[name] = last.numpy().astype(np.float32)
    return arrays


def _recording(forward, seen, name):
    def record(*args, **kwargs):
        output = forward(*args, **kwargs)
        seen[name] = output[0].detach().clone()
        return output

    return record


def small_model(model, config, width, f0, rate):
    """The dict that RVC saves as a voice."""
    tensors = OrderedDict(
        (name, value.half()) for name, value in model.state_dict().items() if "enc_q" not in name
    )
    return OrderedDict(
        weight=tensors,
        config=[*config[:15], 109, *config[16:]],  # RVC writes 109 whatever the table has
        info="toy",
        sr=rate,
        f0=int(f0),
        version="v1" if width == 256 else "v2",
    )


def parametrised(tensors):
    """The names that torch's newer weight norm gives."""
    names = {".weight_g": "original0", ".weight_v": "original1"}
    renamed = OrderedDict()
    for name, value in tensors.items():
        layer, _, ending = name.rpartition(".")
        new = names.get(f".{ending}")
        renamed[name if new is None else f"{layer}.parametrizations.weight.{new}"] = value
    return renamed


def main(folder):
    """Write everything into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed, (name, (width, f0, config)) in enumerate(CASES.items()):
        model = build(width, f0, config)
        randomise(model, seed, half=True)
        inputs = example(config, width, f0, BATCHES[width], FRAMES, seed)
        arrays = traced(model, f0, inputs, 1, config)
        phone, pitchf, latent, source = inputs
        given = {"in_phone": phone, "in_latent": latent}
        if f0:
            given |= {"in_f0": pitchf, "in_source": source}
        np.savez_compressed(folder / f"{name}.npz", **given, **arrays)
        saved = small_model(model, config, width, f0, f"{config[17] / 1000:g}k")
        if name == "v2_nof0":
            saved["weight"] = parametrised(saved["weight"])
        if name == "v1_f0":
            del saved["version"]  # the earliest voices have none
            saved["sr"] = str(config[17])
        if name == "v2_f0":
            saved["sr"], saved["f0"] = config[17], True
            saved |= {"embedder_model": "spin", "author": "nobody", "vocoder": "HiFi-GAN"}
            saved["speaker_info"] = [{"id": 0, "name": "alto"}, {"id": 1, "name": "bass"}]
        torch.save(saved, folder / f"{name}.pth")
    training(folder)


def training(folder):
    """A generator as training leaves it: no config, enc_q, an optimizer, 40 kHz upsampling."""
    config = [1025, 32, 8, 8, 8, 2, 1, 3, 0, "1", [3], [[1, 3, 5]], [10, 10, 2, 2], 16]
    config += [[16, 16, 4, 4], 2, 4, 40000]
    torch.manual_seed(0)
    model = build(256, True, config)
    # The posterior encoder is dropped unread: a part of it keeps the file small.
    tensors = OrderedDict(
        (name, value)
        for name, value in model.state_dict().items()
        if "enc_q" not in name or name.startswith("enc_q.pre")
    )
    checkpoint = {"model": tensors, "iteration": 7, "optimizer": {"state": {}, "param_groups": []}}
    torch.save(checkpoint | {"learning_rate": 1e-4}, folder / "G_7.pth")
    discriminators = {f"discriminators.{i}.convs.0.bias": torch.zeros(1) for i in range(9)}
    torch.save({"model": discriminators, "iteration": 7}, folder / "D_7.pth")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
