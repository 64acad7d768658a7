"""What is saved, loaded and refused."""

import json
import re
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from mlx_swift_f0 import SwiftF0, SwiftF0Config
from mlx_swift_f0.weights_file import SHIPPED
from mlx_weights import WeightsError


@pytest.fixture
def folder(tmp_path):
    """A copy of the shipped folder."""
    for name in ("config.json", "model.safetensors"):
        shutil.copyfile(SHIPPED / name, tmp_path / name)
    return tmp_path


def test_what_is_saved_loads_the_same(model, glide, tmp_path):
    model.save_pretrained(tmp_path / "saved")
    assert json.loads((tmp_path / "saved/config.json").read_text())["model_type"] == "swift_f0"
    audio = glide(8000)
    for source in (tmp_path / "saved", str(tmp_path / "saved" / "model.safetensors")):
        again = SwiftF0.from_pretrained(source)
        assert again.config == model.config
        np.testing.assert_array_equal(again.native(audio), model.native(audio))


def test_the_shipped_config_is_the_default():
    values = json.loads((SHIPPED / "config.json").read_text())
    assert values.pop("model_type") == "swift_f0"
    assert set(values) == set(SwiftF0Config().to_dict())
    assert SwiftF0Config.from_dict(values) == SwiftF0Config() == SwiftF0Config.from_dict({})


def test_the_licence_of_the_weights_lies_beside_them():
    text = (SHIPPED / "LICENSE").read_text()
    assert text.startswith("MIT License") and "Lars Nieradzik" in text


def test_the_environment_variable_names_a_folder(folder, monkeypatch):
    monkeypatch.setenv("MLX_SWIFT_F0", str(folder))
    assert SwiftF0.from_pretrained().config == SwiftF0Config()
    (folder / "model.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"model\.safetensors is no file with weights"):
        SwiftF0.from_pretrained()


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(WeightsError, match=r"nowhere\.safetensors is no file.*expected"):
        SwiftF0.from_pretrained(tmp_path / "nowhere.safetensors")


@pytest.mark.parametrize(
    "name", ["stem.weight", "blocks.3.conv2.bias", "voicing2.bias", "banks.1.places"]
)
def test_a_missing_tensor_is_named(folder, name):
    tensors = load_file(folder / "model.safetensors")
    del tensors[name]
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(WeightsError, match=re.escape(name)):
        SwiftF0.from_pretrained(folder)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("extra", np.zeros(3, np.float32), "extra"),
        ("head.bias", np.zeros(3, np.float32), "head.bias"),
        ("banks.0.places", np.array([1 << 20]), "filterbank 0"),
        ("banks.2.values", np.zeros(3, np.float32), "filterbank 2"),
    ],
)
def test_a_tensor_that_does_not_fit_is_named(folder, name, value, message):
    tensors = load_file(folder / "model.safetensors")
    tensors[name] = value
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(WeightsError, match=message):
        SwiftF0.from_pretrained(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (None, "config.json, which is not beside it"),
        ({"model_type": "rmvpe"}, "model_type 'rmvpe', expected 'swift_f0'"),
        ({"n_bandz": 128}, "unknown n_bandz; known are"),
        ({"channels": "12"}, "channels is '12', expected an integer >= 1"),
        ({"hop_length": 0}, "hop_length is 0, expected an integer >= 1"),
        ({"log_floor": 0.0}, "log_floor is 0.0, expected a positive number"),
        ({"windows": [1024, 2047, 512]}, "windows is (1024, 2047, 512), expected even"),
        ({"windows": 1024}, "windows is 1024, expected a list"),
        ({"blocks": [[2, 7, 1]]}, "blocks is (2, 7, 1), expected an odd number of frames"),
        ({"head_bands": 200}, "head_bands is 200, expected 3 to n_bands, 128"),
        ({"class_max": 40.0}, "class_max is 40.0, expected more than class_min"),
        ({"channels": 16}, "stem.weight"),
    ],
)
def test_a_config_that_does_not_fit_is_refused(folder, change, message):
    config = folder / "config.json"
    if change is None:
        config.unlink()
    else:
        config.write_text(json.dumps(json.loads(config.read_text()) | change))
    with pytest.raises(ValueError, match=re.escape(message)):
        SwiftF0.from_pretrained(folder)
