"""Voices of Applio's other vocoders in torch, with random weights; for golden files and parity.

The networks are Applio's (MIT) as ultimate-rvc carries them. All noise is injected: what torch
draws is replaced by arrays that mlx-rvc-synth gets too.
"""

from collections import OrderedDict
from types import SimpleNamespace
from unittest import mock

import golden_synth
import numpy as np
import torch
from oracles import import_applio

from mlx_rvc_verify.torch_voice import coarse

synthesizers = import_applio()

from ultimate_rvc.rvc.lib.algorithm.generators import refinegan  # noqa: E402

NAMES = ("MRF HiFi-GAN", "RefineGAN")
HARMONICS = {"MRF HiFi-GAN": 9, "RefineGAN": 1}


def build(vocoder, width, config, kernels=None):
    """A network with the weight norm still on; `config` is RVC's list.

    Applio fixes the channels and kernels of RefineGAN: with `kernels` a toy is made of its layers.
    """
    model = synthesizers.Synthesizer(
        *config, use_f0=True, text_enc_hidden_dim=width, vocoder=vocoder
    )
    if kernels is not None:
        channels = config[13]
        model.dec = refinegan.RefineGANGenerator(
            sample_rate=config[17],
            upsample_rates=config[12],
            num_mels=config[2],
            upsample_initial_channel=channels,
        )
        for i in range(len(config[12])):
            wide = channels >> i
            model.dec.upsample_conv_blocks[i] = refinegan.ParallelResBlock(
                in_channels=wide + wide // 4, out_channels=wide // 2, kernel_sizes=kernels
            )
    return model.eval()


def randomise(model, seed, half=False):
    """Weights that keep signals of order one through the depth, so that errors show."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in model.named_parameters():
            drawn = torch.randn(value.shape, generator=generator)
            fan = max(1, value[0].numel()) if value.ndim > 1 else 1
            if name.endswith("original0"):
                new = 0.55 + 0.1 * drawn.clamp(-3, 3)
            elif name.endswith("gamma"):
                new = 1 + 0.1 * drawn
            elif "m_source" in name and value.ndim == 2:
                new = 3 + drawn
            elif value.ndim == 1:
                new = 0.1 * drawn
            elif "emb_" in name and "emb_phone" not in name:
                new = 0.5 * drawn
            else:
                new = drawn / fan**0.5
            value.copy_(new.half().float() if half else new)


def example(vocoder, model, config, width, batch, frames, seed):
    """Features, F0 with an unvoiced stretch and extremes, and every noise."""
    phone, f0, latent, _ = golden_synth.example(config, width, True, batch, frames, seed)
    rng = np.random.default_rng(seed + 1)

    def normal(*shape):
        return rng.standard_normal(shape).astype(np.float32)

    harmonics, hop = HARMONICS[vocoder], int(np.prod(config[12]))
    given = SimpleNamespace(phone=phone, f0=f0, latent=latent, offsets=None, layers=None)
    given.source = normal(batch, frames * hop, harmonics)
    if vocoder == "MRF HiFi-GAN":
        given.offsets = rng.random((batch, harmonics)).astype(np.float32)
        given.offsets[:, 0] = 0  # Applio's own first one
    else:
        given.layers, steps = [], frames
        for rate, block in zip(config[12], model.dec.upsample_conv_blocks, strict=True):
            steps *= rate
            count = 2 * len(block.blocks)
            given.layers += [normal(batch, steps, block.out_channels) for _ in range(count)]
    return given


def exact_places(model):
    """Let the network sum up the phase of its source, and interpolate, in float64.

    In float32 a running sum over samples is off by 1e-5 cycles after a second, and the places
    between steps by as much of a step.
    """
    model.f0_type = torch.float64
    source = model.dec.m_source
    forward, linear = source.forward, getattr(source, "l_linear", None) or source.merge

    def in_float64(f0):
        torch.set_default_dtype(torch.float64)
        linear.double()
        try:
            result = forward(f0.double())
        finally:
            torch.set_default_dtype(torch.float32)
            linear.float()
        return (result[0].float(), None, None) if isinstance(result, tuple) else result.float()

    source.forward = in_float64
    for layer in getattr(model.dec, "upsample_blocks", []):
        layer.forward = _in_float64(layer.forward)


def _in_float64(forward):
    return lambda x: forward(x.double()).float()


def infer(model, given, speaker):
    """Run the network with injected noise: audio (B, 1, N) and (z, z_p, m, logs)."""
    drawn = [torch.from_numpy(given.latent).transpose(1, 2), torch.from_numpy(given.source)]
    drawn += [torch.from_numpy(array).transpose(1, 2) for array in given.layers or []]

    def randn_like(x):
        noise = drawn.pop(0)
        assert noise.shape == x.shape, (noise.shape, x.shape)
        return noise

    def rand(*shape, **_):
        if given.offsets is None:
            return torch.zeros(*shape)
        assert given.offsets.shape == shape
        return torch.from_numpy(given.offsets.copy())

    batch, frames, _ = given.phone.shape
    with (
        torch.no_grad(),
        mock.patch.object(torch, "randn_like", randn_like),
        mock.patch.object(torch, "rand", rand),
    ):
        audio, _, latents = model.infer(
            torch.from_numpy(given.phone),
            torch.full((batch,), frames),
            torch.from_numpy(coarse(given.f0)),
            torch.from_numpy(given.f0).to(getattr(model, "f0_type", torch.float32)),
            torch.full((batch,), speaker),
        )
    assert not drawn
    return audio, latents


def traced(model, given, speaker):
    """The vocoder's intermediates of one run, channels last, by name."""
    seen, dec = {}, model.dec

    def keep(name):
        def hook(_module, _inputs, output):
            output = output[0] if isinstance(output, tuple) else output
            seen[name] = output.detach().clone()

        return hook

    layers = {"source": dec.m_source}
    mrf = hasattr(dec, "mrfs")
    if mrf:
        for i, blocks in enumerate(dec.mrfs):
            layers |= {f"block_{i}_{j}": block for j, block in enumerate(blocks)}
            layers |= {f"up_{i}": dec.upsamples[i], f"noise_{i}": dec.noise_convs[i]}
    else:
        layers |= {f"down_{i}": block for i, block in enumerate(dec.downsample_blocks)}
        layers |= {f"stage_{i}": block for i, block in enumerate(dec.upsample_conv_blocks)}
        layers |= {"pre_conv": dec.pre_conv, "mel_conv": dec.mel_conv}
    hooks = [layer.register_forward_hook(keep(name)) for name, layer in layers.items()]
    audio, (z, *_) = infer(model, given, speaker)
    for hook in hooks:
        hook.remove()
    if mrf:
        for i, blocks in enumerate(dec.mrfs):
            outputs = [seen.pop(f"block_{i}_{j}") for j in range(len(blocks))]
            seen[f"stage_{i}"] = sum(outputs) / len(blocks)
    seen |= {"z": z, "audio": audio}
    return {
        name: (value if name == "source" else value.transpose(1, 2)).numpy()
        for name, value in seen.items()
    }


def calibrate(model, given, speaker):
    """Scale the last layer so that the audio has the level of speech: errors then show."""
    seen = []
    last = model.dec.conv_post
    hook = last.register_forward_hook(lambda _m, _i, output: seen.append(output))
    infer(model, given, speaker)
    hook.remove()
    with torch.no_grad():
        magnitude = last.parametrizations.weight.original0
        magnitude.mul_(0.2 / max(seen[0].std(), seen[0].abs().mean()))
        if last.bias is not None:
            last.bias.mul_(0.01)


def small_model(vocoder, model, config, width):
    """The dict that Applio saves as a voice."""
    names = {"parametrizations.weight.original0": "weight_g"}
    names["parametrizations.weight.original1"] = "weight_v"
    tensors = OrderedDict()
    for stored, value in model.state_dict().items():
        name = stored
        for old, new in names.items():
            name = name.replace(old, new)
        if "enc_q" not in name:
            tensors[name] = value.half()
    return OrderedDict(
        weight=tensors,
        config=list(config),
        info="toy",
        sr=config[17],
        f0=True,
        version="v1" if width == 256 else "v2",
        vocoder=vocoder,
        embedder_model="contentvec",
    )
