"""torchfcpe's file, this package's own, and what is neither."""

import json
import shutil

import numpy as np
import pytest

import mlx_weights
from mlx_fcpe import FCPE, FCPEConfig, config_from_checkpoint, sanitize
from mlx_fcpe import weights as module
from mlx_weights import WeightsError

NORM = "output_proj.parametrizations.weight.original"


@pytest.fixture
def checkpoint(toy_path):
    found = mlx_weights.read_checkpoint(toy_path)
    return {
        "model": dict(found["model"]),
        "config_dict": {name: dict(part) for name, part in found["config_dict"].items()},
    }


def sound():
    return (0.1 * np.random.default_rng(0).standard_normal(4000)).astype(np.float32)


def test_sizes_come_from_the_file(toy):
    assert toy.config == FCPEConfig(num_mels=16, hidden_dims=16, n_layers=2, out_dims=72)


def test_what_training_alone_needs_is_dropped(checkpoint):
    found = sanitize(checkpoint)
    assert "gaussian_blurred_cent_mask" not in found and "cent_table" in found
    assert not any(".norm." in name and "encoder_layers" in name for name in found)
    assert found["input_stack.0.weight"].shape == (16, 3, 16)
    assert found["net.encoder_layers.1.conformer.net.2.weight"].shape == (64, 16)
    assert found["net.encoder_layers.1.conformer.net.4.conv.weight"].shape == (32, 31, 1)


def test_weight_norm_is_folded_whatever_its_names(checkpoint):
    """Each row has the length that the scale says."""
    model = checkpoint["model"]
    expected = sanitize(checkpoint)["output_proj.weight"]
    length = np.linalg.norm(expected, axis=1)
    np.testing.assert_allclose(length, model["output_proj.weight_g"][:, 0], rtol=1e-6)
    for i, letter in enumerate("gv"):
        model[f"{NORM}{i}"] = model.pop(f"output_proj.weight_{letter}")
    np.testing.assert_array_equal(sanitize(checkpoint)["output_proj.weight"], expected)


def test_a_model_trained_with_dropout_has_other_names(checkpoint):
    expected = sanitize(checkpoint)
    checkpoint["model"] = {
        name.replace(".conformer.net.", ".conformer.0.net."): value
        for name, value in checkpoint["model"].items()
    }
    assert sanitize(checkpoint).keys() == expected.keys()


def test_a_saved_model_is_the_same_model(toy, tmp_path):
    toy.save_pretrained(tmp_path / "saved")
    assert {file.name for file in (tmp_path / "saved").iterdir()} == {
        "config.json",
        "model.safetensors",
    }
    for source in (tmp_path / "saved", tmp_path / "saved" / "model.safetensors"):
        again = FCPE.from_pretrained(source)
        assert again.config == toy.config
        np.testing.assert_array_equal(again.salience(sound()), toy.salience(sound()))


def test_the_environment_variable_names_a_file(toy_path, monkeypatch):
    monkeypatch.setenv("MLX_FCPE", str(toy_path))
    assert FCPE.from_pretrained().config.num_mels == 16


def test_a_folder_is_searched(toy_path, tmp_path):
    (tmp_path / "fcpe_c_v001.pt").symlink_to(toy_path)
    assert FCPE.from_pretrained(tmp_path).config.num_mels == 16


def test_an_installed_torchfcpe_serves_without_being_imported(toy_path, tmp_path, monkeypatch):
    package = tmp_path / "torchfcpe"
    (package / "assets").mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('imported')")
    (package / "assets" / "fcpe_c_v001.pt").symlink_to(toy_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(module, "SHIPPED", tmp_path / "nowhere")
    assert FCPE.from_pretrained().config.num_mels == 16


def test_without_any_weights_the_error_says_where_they_are(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SHIPPED", tmp_path / "nowhere")
    monkeypatch.setattr(module, "_installed", lambda: None)
    with pytest.raises(WeightsError, match=r"torchfcpe==0\.0\.4.*fcpe_c_v001\.pt.*MLX_FCPE"):
        FCPE.from_pretrained()


@pytest.mark.parametrize("name", ["nowhere.pt", "."])
def test_a_path_without_weights_is_named(tmp_path, name):
    with pytest.raises(WeightsError, match=r"is no file with weights; expected"):
        FCPE.from_pretrained(tmp_path / name)


def test_a_missing_tensor_is_named(toy, tmp_path, checkpoint):
    tensors = sanitize(checkpoint)
    del tensors["norm.bias"]
    config = {"model_type": "fcpe", **toy.config.to_dict()}
    mlx_weights.save_model(tmp_path, tensors, config)
    with pytest.raises(WeightsError, match=r"1 tensors missing \(norm\.bias\)"):
        FCPE.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update({"net.encoder_layers.0.attn.to_q.weight": np.ones(1)}), "attention"),
        (lambda m: m.update({"harmonic_emb.weight": np.ones(1)}), "harmonic embedding"),
        (lambda m: m.pop("output_proj.weight_g"), "is not an FCPE model"),
        (lambda m: m.clear(), "is not an FCPE model: found nothing"),
        (lambda m: m.update({"output_proj.weight_g": np.ones(72)}), r"\(out, 1\)"),
    ],
)
def test_another_network_is_refused(checkpoint, change, message):
    change(checkpoint["model"])
    with pytest.raises(WeightsError, match=message):
        sanitize(checkpoint)


@pytest.mark.parametrize(
    ("part", "values", "message"),
    [
        ("model", {"type": "CFNaiveMelPEONNX"}, r"model\.type is 'CFNaiveMelPEONNX'"),
        ("model", {"conv_only": None}, r"model\.conv_only is False; only True"),
        ("model", {"use_harmonic_emb": True}, r"use_harmonic_emb is True"),
        ("mel", {"type": "stft"}, r"mel\.type"),
        ("mel", {"win_size": 512}, r"mel\.win_size is 512; only 1024"),
        ("mel", {"sr": -1}, "sr is -1"),
    ],
)
def test_another_configuration_is_refused(checkpoint, part, values, message):
    checkpoint["config_dict"][part].update(values)
    with pytest.raises(WeightsError, match=message):
        config_from_checkpoint(checkpoint, source="x.pt")


def test_what_the_configuration_leaves_open_is_the_published_size(checkpoint):
    checkpoint["config_dict"]["mel"].update(sr=None, fmax=None)
    found = config_from_checkpoint(checkpoint, source="x.pt")
    assert (found.sr, found.fmax, found.num_mels) == (16000, 8000.0, 16)


@pytest.mark.parametrize(
    ("about", "message"), [({}, "no config_dict"), ({"config_dict": {"mel": {}}}, "lacks mel or")]
)
def test_a_file_without_sizes_is_refused(about, message):
    with pytest.raises(WeightsError, match=message):
        config_from_checkpoint(about, source="x.pt")


def test_a_saved_model_needs_its_configuration(toy, tmp_path):
    toy.save_pretrained(tmp_path / "saved")
    shutil.copy(tmp_path / "saved" / "model.safetensors", tmp_path)
    with pytest.raises(WeightsError, match=r"config\.json, which is not beside it"):
        FCPE.from_pretrained(tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "rmvpe"}))
    with pytest.raises(WeightsError, match=r"not the config\.json of an FCPE model"):
        FCPE.from_pretrained(tmp_path)
