"""Voices written here, loaded by other programs' own code: same weights, same audio.

The networks are huggingface-hub-rvc's and rvc-next's, loaded strictly and with their own loaders.
"""

import golden_synth
import numpy as np
import pytest
import torch
from full_size_voices import calibrate, full_config

from mlx_rvc_synth import read_voice
from mlx_rvc_synth.blending import blend
from mlx_rvc_synth.extraction import extract
from mlx_rvc_synth.weights import write_voice
from mlx_rvc_verify.beside import module

FRAMES = 100
SPEAKER = 42
CASES = [(1, True, 40), (2, False, 32), (2, True, 48)]


def trained(version, f0, kilohertz, seed=0):
    """A full-size network with random weights, its config, and inputs for it."""
    width = 256 if version == 1 else 768
    config = full_config(version, kilohertz)
    model = golden_synth.build(width, f0, config)
    golden_synth.randomise(model, seed)
    inputs = golden_synth.example(config, width, f0, 1, FRAMES, seed)
    calibrate(model, f0, inputs, SPEAKER)
    return model, config, width, inputs


def audio(model, f0, inputs):
    return golden_synth.infer(model, f0, inputs, SPEAKER)[0][0, 0].numpy()


def strictly_loaded(path, config, width, f0):
    """A new network of the oracle, its weights from the file, as RVC's loaders do it."""
    found = torch.load(path, weights_only=True)
    assert found["config"] == config
    assert (found["version"], found["f0"]) == ("v1" if width == 256 else "v2", int(f0))
    model = golden_synth.build(width, f0, found["config"])
    del model.enc_q
    model.load_state_dict(found["weight"], strict=True)
    return model.eval()


@pytest.mark.parametrize(("version", "f0", "kilohertz"), CASES)
def test_a_pth_made_of_folded_weights(version, f0, kilohertz, tmp_path):
    model, config, width, inputs = trained(version, f0, kilohertz)
    expected = audio(model, f0, inputs)
    small = golden_synth.small_model(model, config, width, f0, f"{kilohertz}k")
    small["weight"] = {k: v for k, v in model.state_dict().items() if "enc_q" not in k}
    torch.save(small, tmp_path / "voice.pth")
    write_voice(read_voice(tmp_path / "voice.pth"), tmp_path / "v.safetensors")
    write_voice(read_voice(tmp_path / "v.safetensors"), tmp_path / "back.pth")
    back = strictly_loaded(tmp_path / "back.pth", config, width, f0)
    error = np.abs(audio(back, f0, inputs) - expected).max()
    print(f"level {expected.std():.3f}, max error {error:.1e}")
    assert expected.std() > 0.05
    assert error <= 1e-4


@pytest.mark.parametrize(("version", "f0", "kilohertz"), CASES)
def test_an_extracted_checkpoint(version, f0, kilohertz, tmp_path):
    from rvc_next.engine.models.loader import load_voice

    model, config, width, inputs = trained(version, f0, kilohertz, seed=3)
    checkpoint = {"model": model.state_dict(), "iteration": 9, "optimizer": {}}
    torch.save({**checkpoint, "learning_rate": 1e-4}, tmp_path / "G_9.pth")
    write_voice(extract(tmp_path / "G_9.pth"), tmp_path / "voice.pth", dtype="float16")
    found = torch.load(tmp_path / "voice.pth", weights_only=True)["weight"]
    for name, value in found.items():
        assert value.dtype == torch.float16
        assert torch.equal(value, model.state_dict()[name].half())
    loaded = strictly_loaded(tmp_path / "voice.pth", config, width, f0)
    theirs = load_voice(tmp_path / "voice.pth", "cpu", is_half=False)
    assert (theirs.tgt_sr, theirs.if_f0, theirs.n_spk) == (config[17], f0, 109)
    for name, value in theirs.net_g.state_dict().items():
        assert torch.equal(value, loaded.state_dict()[name]), name
    assert np.isfinite(audio(loaded, f0, inputs)).all()


def test_hugging_face_rvc_reads_a_pth(tmp_path):
    model, config, width, _ = trained(2, True, 40)
    torch.save(golden_synth.small_model(model, config, width, True, "40k"), tmp_path / "a.pth")
    write_voice(read_voice(tmp_path / "a.pth"), tmp_path / "b.pth")
    _runtime = module("huggingface_hub_rvc._runtime")
    payload = _runtime._load_model_payload(tmp_path / "b.pth")
    assert (payload["version"], payload["f0"], payload["sample_rate"]) == ("v2", True, 40000)


def test_a_blend_is_rvc_nexts(tmp_path):
    from rvc_next.engine.models.merge import merge_models

    for name, seed in (("a", 1), ("b", 2)):
        model, config, width, _ = trained(2, True, 40, seed)
        torch.save(golden_synth.small_model(model, config, width, True, "40k"), tmp_path / name)
    merge_models(tmp_path / "a", tmp_path / "b", tmp_path / "theirs.pth", alpha=0.7)
    mixed = blend([read_voice(tmp_path / name) for name in ("a", "b")], [7, 3])
    write_voice(mixed, tmp_path / "ours.pth", dtype="float16")
    ours, theirs = (
        torch.load(tmp_path / f"{name}.pth", weights_only=True)["weight"]
        for name in ("ours", "theirs")
    )
    assert set(ours) == set(theirs)
    for name, value in theirs.items():
        np.testing.assert_allclose(ours[name].float(), value.float(), rtol=1.1e-3, atol=1e-7)
    strictly_loaded(tmp_path / "ours.pth", config, width, True)
