"""The benchmark's count of arithmetic against the weights of built models, at toy size.

A convolution or a matrix multiplies each of its weights once at every place where it is applied
(a transposed convolution at every input). So the count follows from the weights' sizes and the
lengths that the models themselves produce; only attention has products without weights.
"""

import arithmetic
import numpy as np
import pytest
from mlx.utils import tree_flatten

from mlx_contentvec import ContentvecConfig, ContentvecModel
from mlx_rmvpe import RMVPEConfig
from mlx_rmvpe.network import E2E
from mlx_rvc_synth import Noise, SynthConfig, Synthesizer

NOT_PRODUCTS = ("norm", "bias", ".bn.", "emb_pitch", "emb_g", "emb_rel", "bhn", "final_proj")


def products(model):
    """Name and size of every weight that is multiplied with."""
    return {
        name: value.size
        for name, value in tree_flatten(model.parameters())
        if not (name.endswith(".b") or any(part in name for part in NOT_PRODUCTS))
    }


def total(weights, places):
    """Sum of size x places, where the first matching prefix says how often a weight is applied."""
    count = 0
    for name, size in weights.items():
        count += size * next(times for prefix, times in places.items() if name.startswith(prefix))
    return count


def voice(rate="48k", f0=True, resblock="1", size=1):
    rates = {"48k": ((12, 10, 2, 2), (24, 20, 4, 4)), "40k": ((10, 10, 2, 2), (16, 16, 4, 4))}[rate]
    return SynthConfig(
        inter_channels=size * 12,
        hidden_channels=size * 12,
        filter_channels=size * 48,
        n_heads=2,
        n_layers=6,
        kernel_size=3,
        resblock=resblock,
        resblock_kernel_sizes=(3, 7, 11),
        resblock_dilation_sizes=((1, 3, 5),) * 3,
        upsample_rates=rates[0],
        upsample_initial_channel=size * 32,
        upsample_kernel_sizes=rates[1],
        spk_embed_dim=4,
        gin_channels=size * 16,
        sample_rate=int(rate[:-1]) * 1000,
        feature_channels=size * 48,
        f0=f0,
        version="v2",
    )


FULL_48K = voice(size=16)


@pytest.mark.parametrize("samples", [16000, 5333])
def test_contentvec(samples):
    config = ContentvecConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48,
        conv_dim=(16,) * 7, num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=4,
    )  # fmt: skip
    model = ContentvecModel(config)
    frames = model.extract(np.zeros(samples, np.float32)).shape[1]
    places, length = {}, samples
    for i, layer in enumerate(model.feature_extractor.conv_layers):
        length = len(range(0, length - layer.conv.weight.shape[1] + 1, config.conv_stride[i]))
        places[f"feature_extractor.conv_layers.{i}."] = length
    assert length == frames
    places["encoder.pos_conv_embed"] = frames + 1
    places[""] = frames
    attention = 2 * 2 * frames * frames * 32  # two products in each of two layers
    assert arithmetic.contentvec(config, samples) == total(products(model), places) + attention


@pytest.mark.parametrize("frames", [64, 70])
def test_rmvpe(frames):
    config = RMVPEConfig(
        n_mels=64, en_de_layers=3, inter_layers=2, n_blocks=2, en_out_channels=4, gru_hidden=8,
        n_bins=20, n_fft=256,
    )  # fmt: skip
    network = E2E(config)
    padded = frames + -frames % 8
    area = padded * 64
    places = {}
    for level in range(3):
        places[f"unet.encoder.layers.{level}."] = area // 4**level
        above = area // 4 ** (2 - level)
        places[f"unet.decoder.layers.{level}.conv1"] = above // 4  # transposed: at every input
        places[f"unet.decoder.layers.{level}.conv2"] = above
    places |= {"unet.intermediate": area // 64, "cnn": area, "fc": padded}
    mel = frames * 129 * 64
    assert arithmetic.rmvpe(config, frames) == total(products(network), places) + mel


@pytest.mark.parametrize("resblock", ["1", "2"])
@pytest.mark.parametrize("f0", [True, False], ids=["f0", "no_f0"])
@pytest.mark.parametrize("rate", ["48k", "40k"])
def test_synthesizer(rate, f0, resblock):
    config, frames = voice(rate, f0, resblock), 7
    model = Synthesizer(config)
    features = np.zeros((1, frames, config.feature_channels), np.float32)
    curve = np.full((1, frames), 200, np.float32) if f0 else None
    audio = model.infer(features, curve, noise=Noise.zeros(config, frames))
    places, length = {}, frames
    for i, up in enumerate(model.dec.ups):
        places[f"dec.ups.{i}."] = length
        length *= up.stride
        places[f"dec.noise_convs.{i}."] = length
        for block in range(3 * i, 3 * i + 3):
            places[f"dec.resblocks.{block}."] = length
    assert length == audio.shape[1]
    places |= {"dec.conv_post": length, "dec.m_source": length, "dec.cond": 1}
    places |= {f"flow.flows.{i}.enc.cond_layer": 1 for i in range(0, 8, 2)}
    places[""] = frames
    width = config.hidden_channels
    attention = 6 * 2 * frames * (frames + 21) * width
    expected = total(products(model), places) + attention
    assert arithmetic.synthesizer(config, frames) == expected
    assert arithmetic.vocoder(config, frames) < arithmetic.synthesizer(config, frames)


def test_the_vocoder_of_48_khz_costs_about_55_billion_a_second_of_audio():
    assert FULL_48K.inter_channels == 192 and FULL_48K.upsample_initial_channel == 512
    assert arithmetic.vocoder(FULL_48K, 100) == pytest.approx(55e9, rel=0.03)


def test_a_conversion_is_the_sum_of_its_stages_and_grows_with_its_length():
    content, f0, size = ContentvecConfig(), RMVPEConfig(), arithmetic.IndexSize()
    parts = (
        arithmetic.contentvec(content, 12 * 16000)
        + arithmetic.rmvpe(f0, 1201)
        + arithmetic.synthesizer(FULL_48K, 2 * 599)
        + arithmetic.index(size, 599)
    )
    assert arithmetic.conversion(content, f0, FULL_48K, size, 10) == parts
    hour, half = (arithmetic.conversion(content, f0, FULL_48K, None, s) for s in (3600, 1800))
    assert hour == pytest.approx(2 * half, rel=0.01)  # pieces, so attention does not grow
