"""Defects other ports have, each put in here to see that the golden audio would show it."""

import json
import math

import mlx.core as mx
import numpy as np
import pytest

from mlx_rvc_synth import SynthConfig, Synthesizer, coarse_pitch, generator, read_voice, synthesizer
from mlx_rvc_synth.sanitizing import fold_weight_norm, sanitize
from mlx_rvc_synth.shapes import RATE_SETS, observe, recover_rates


def error(case):
    audio = case.voice.infer(case.phone, case.f0, speaker=case.speaker, noise=case.noise)
    expected = case.arrays["audio"][..., 0]
    return np.abs(np.asarray(audio) - expected).max() / expected.std()


def test_last_leaky_relu_has_slope_0_01(v1_f0, monkeypatch):
    assert error(v1_f0) < 1e-4
    monkeypatch.setattr(generator.Generator, "last_slope", 0.1)
    assert error(v1_f0) > 1e-2


def test_prior_is_sampled_at_two_thirds(v1_f0, monkeypatch):
    for scale in (0.0, 1.0):
        monkeypatch.setattr(synthesizer, "NOISE_SCALE", scale)
        assert error(v1_f0) > 1e-2


def test_unvoiced_is_bin_1_and_bins_are_clamped():
    found = coarse_pitch(np.array([0, 1, 49, 50, 200, 1100, 5000.0]))
    assert found.tolist() == [1, 1, 1, 1, 54, 255, 255]
    assert coarse_pitch(np.arange(0, 1200.0)).min() == 1


def test_bin_0_would_be_heard(v1_f0, monkeypatch):
    monkeypatch.setattr(
        synthesizer, "coarse_pitch", lambda f0: np.where(f0 > 0, coarse_pitch(f0), 0)
    )
    assert error(v1_f0) > 1e-3


def test_flow_layers_keep_their_even_numbers(v1_f0):
    """flows.2 is the second coupling: taking it for the third loses or misplaces tensors."""
    voice = v1_f0.voice
    couplings = [layer for layer in voice.flow.flows if "enc" in layer]
    assert [i for i, layer in enumerate(voice.flow.flows) if "enc" in layer] == [0, 2, 4, 6]
    assert len({layer.pre.weight.tolist()[0][0][0] for layer in couplings}) == 4
    voice.flow.flows[2], voice.flow.flows[4] = voice.flow.flows[4], voice.flow.flows[2]
    assert error(v1_f0) > 1e-2


def test_voices_without_f0_have_the_plain_generator(v2_nof0):
    names = {name for name, _ in _flat(v2_nof0.voice)}
    assert not any("noise_convs" in n or "m_source" in n or "emb_pitch" in n for n in names)
    assert error(v2_nof0) < 1e-4


def test_40k_kernels_come_from_the_tensors(golden, tmp_path):
    """The table shared by lexandstuff's files says [20, 20, 4, 4]; real voices have [16, 16, 4, 4]."""
    from safetensors.numpy import save_file

    voice = read_voice(golden / "G_7.pth")
    tensors = lexandstuff_layout(voice.tensors)
    save_file(tensors, tmp_path / "f0G40k.safetensors")
    config = voice.config.to_dict()
    names = {k: config[k] for k in ("upsample_rates", "sample_rate", "resblock_dilation_sizes")}
    shared = {
        "32k": {**names, "sample_rate": 32000},
        "40k": {**names, "upsample_kernel_sizes": [20, 20, 4, 4]},
    }
    (tmp_path / "config.json").write_text(json.dumps(shared))
    read = read_voice(tmp_path / "f0G40k.safetensors")
    assert read.config.upsample_kernel_sizes == (16, 16, 4, 4)
    assert "20" in read.origins["upsample_kernel_sizes"]
    assert read.config.sample_rate == 40000


def lexandstuff_layout(folded):
    """Weight norm unfolded again, (out, kernel, in); transposed convolutions (in, kernel, out)."""
    tensors = {}
    for name, value in folded.items():
        normed = name.startswith("dec.ups.") or ".convs" in name or ".enc." in name
        if not (normed and name.endswith(".weight")):
            tensors[name] = np.ascontiguousarray(value)
            continue
        v = value.transpose(2, 1, 0) if name.startswith("dec.ups.") else value
        norm = np.sqrt((v * v).sum(axis=(1, 2), keepdims=True))
        base = name.removesuffix(".weight")
        tensors[f"{base}.weight_v"] = np.ascontiguousarray(3 * v)
        tensors[f"{base}.weight_g"] = norm
    return tensors


def test_lexandstuff_layout_sounds_the_same(v1_f0, tmp_path):
    from safetensors.numpy import save_file

    voice = {name: np.asarray(value) for name, value in _flat(v1_f0.voice)}
    save_file(lexandstuff_layout(voice), tmp_path / "voice.safetensors")
    fields = v1_f0.config.to_dict()
    # Their own file beside the weights has the constructor's names.
    wanted = {k: fields[k] for k in ("upsample_rates", "resblock_dilation_sizes", "sample_rate")}
    (tmp_path / "voice.json").write_text(json.dumps(wanted))
    v1_f0.voice = Synthesizer.from_pretrained(tmp_path / "voice.safetensors")
    assert error(v1_f0) < 1e-4


def test_weight_norm_of_transposed_convolutions_runs_over_the_inputs():
    rng = np.random.default_rng(0)
    v = rng.standard_normal((6, 3, 4)).astype(np.float32)  # torch: (in, out, kernel)
    g = rng.uniform(0.5, 2, (6, 1, 1)).astype(np.float32)
    pair = {"dec.ups.0.weight_g": g, "dec.ups.0.weight_v": v}
    weight = sanitize(pair, "torch")["dec.ups.0.weight"]  # (out, kernel, in)
    assert weight.shape == (3, 4, 6)
    assert np.allclose(np.sqrt((weight**2).sum(axis=(0, 1))), g[:, 0, 0], rtol=1e-6)


def test_both_spellings_of_weight_norm_fold_alike():
    rng = np.random.default_rng(0)
    g, v = rng.uniform(1, 2, (4, 1, 1)), rng.standard_normal((4, 2, 3))
    old = fold_weight_norm({"a.weight_g": g, "a.weight_v": v})
    new = fold_weight_norm(
        {"a.parametrizations.weight.original0": g, "a.parametrizations.weight.original1": v}
    )
    assert np.array_equal(old["a.weight"], new["a.weight"])
    assert old["a.weight"].dtype == np.float32


def test_half_a_weight_norm_is_an_error():
    with pytest.raises(ValueError, match="weight_g"):
        fold_weight_norm({"a.weight_v": np.ones((2, 2, 2), np.float32)})


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("flow.flows.2.post.bias", None),
        ("dec.noise_convs.0.weight", None),
        ("dec.surplus.weight", np.zeros(3, np.float32)),
        ("dec.conv_post.weight", np.zeros((1, 7, 5), np.float32)),
    ],
    ids=["missing", "missing source", "surplus", "misshapen"],
)
def test_loading_is_strict(v1_f0, name, change):
    from mlx_weights import load_strict

    tensors = {key: np.asarray(value) for key, value in _flat(v1_f0.voice)}
    if change is None:
        del tensors[name]
    else:
        tensors[name] = change
    with pytest.raises(ValueError, match=name.replace(".", r"\.")):
        load_strict(Synthesizer(v1_f0.config), tensors, source="test")


@pytest.mark.parametrize("known", RATE_SETS, ids=lambda s: f"{s.sample_rate}-{s.kernels[0]}")
@pytest.mark.parametrize("f0", [True, False])
def test_training_checkpoints_of_every_published_rate(known, f0):
    config = SynthConfig(
        inter_channels=2,
        hidden_channels=2,
        filter_channels=2,
        n_heads=1,
        n_layers=1,
        kernel_size=3,
        resblock="1",
        resblock_kernel_sizes=(3,),
        resblock_dilation_sizes=((1, 3, 5),),
        upsample_rates=known.rates,
        upsample_initial_channel=32,
        upsample_kernel_sizes=known.kernels,
        spk_embed_dim=1,
        gin_channels=1,
        sample_rate=known.sample_rate,
        feature_channels=4,
        f0=f0,
        version="v2",
    )
    tensors = {name: np.asarray(value) for name, value in _flat(Synthesizer(config))}
    observed = observe(tensors)
    assert recover_rates(observed, tensors, known.spec_channels) == known
    if f0:  # the source convolutions tell rates apart even without the posterior encoder
        assert recover_rates(observed, tensors, None) == known
    assert math.prod(known.rates) * 100 == known.sample_rate


def _flat(module):
    from mlx.utils import tree_flatten

    mx.eval(module.parameters())
    return tree_flatten(module.parameters())
