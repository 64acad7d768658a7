"""Voices written in every form, and what a form cannot hold."""

from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from mlx_rvc_synth import Synthesizer, read_voice, weights, write_voice
from mlx_rvc_synth.sanitizing import sanitize
from mlx_rvc_synth.small_model import small_model
from mlx_rvc_synth.torch_layout import split_weight, to_torch


def test_every_form_is_read_back(case, golden, tmp_path):
    voice = read_voice(golden / f"{case.name}.pth")
    expected = np.asarray(case.voice.infer(case.phone, case.f0, noise=case.noise))
    forms = [write_voice(voice, tmp_path / name) for name in ("v", "v.pth", "v.safetensors")]
    assert forms == ["folder", "small model", "safetensors"]
    for name in ("v", "v.pth", "v.safetensors"):
        again = Synthesizer.from_pretrained(tmp_path / name)
        found = np.asarray(again.infer(case.phone, case.f0, noise=case.noise))
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_splitting_undoes_folding(case, golden):
    tensors = read_voice(golden / f"{case.name}.pth").tensors
    again = sanitize(to_torch(tensors, "mlx"), "torch")
    assert set(again) == set(tensors)
    for name, value in tensors.items():
        np.testing.assert_allclose(again[name], value, rtol=5e-7, atol=1e-12)


def test_directions_suit_float16_and_zeros_are_silent():
    rng = np.random.default_rng(0)
    weight = (rng.standard_normal((5, 3, 7)) * [[[1e-6]], [[1]], [[3000]], [[0]], [[0.02]]]).astype(
        np.float32
    )
    g, v = split_weight(weight)
    assert g.shape == (5, 1, 1)
    norm = np.sqrt((v.astype(np.float64) ** 2).sum(axis=(1, 2), keepdims=True))
    np.testing.assert_allclose(g * (v / norm), weight, rtol=3e-7)
    rms = norm[[0, 1, 2, 4]] / np.sqrt(21)
    assert ((rms > 0.7) & (rms < 1.5)).all()
    half = v.astype(np.float16).astype(np.float64)
    norm = np.sqrt((half**2).sum(axis=(1, 2), keepdims=True))
    np.testing.assert_allclose(g * half / norm, weight, rtol=2e-3)


def test_what_float16_or_rvcs_list_cannot_hold(golden, tmp_path):
    voice = read_voice(golden / "v1_f0.pth")
    voice.originals["emb_g.weight"] = np.full((3, 4), 1e6, np.float32)
    with pytest.raises(ValueError, match=r"emb_g\.weight holds 1e\+06.*--dtype float32"):
        weights.write_voice(voice, tmp_path / "v.pth", dtype="float16")
    voice.originals["emb_g.weight"] = np.full((3, 4), np.nan, np.float32)
    with pytest.raises(ValueError, match="damaged"):
        weights.write_voice(voice, tmp_path / "v.pth", dtype="float32")
    odd = replace(voice, config=replace(voice.config, window_size=4))
    with pytest.raises(ValueError, match="window_size 4, which RVC fixes at 10"):
        small_model(odd, dtype="float32")
    with pytest.raises(ValueError, match="float64"):
        weights.write_voice(voice, tmp_path / "v.safetensors", dtype="float64")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_header(golden, tmp_path):
    path = tmp_path / "v.safetensors"
    weights.write_voice(read_voice(golden / "v1_f0.pth"), path)
    tensors = load_file(path)
    for header, words in (
        ({"format": "mlx-rvc-synth", "config": "{"}, "cannot be read"),
        ({"format": "mlx-rvc-synth", "format_version": "9"}, "format_version 9"),
        ({"format": "mlx-rvc-synth", "format_version": "1"}, "no config"),
    ):
        save_file(tensors, path, metadata=header)
        with pytest.raises(ValueError, match=words) as error:
            read_voice(path)
        assert str(path) in str(error.value) and "\n" not in str(error.value)
