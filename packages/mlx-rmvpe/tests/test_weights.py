import json
import re

import numpy as np
import pytest

import mlx_fastops as fastops
import mlx_weights
from mlx_rmvpe import RMVPE, RMVPEConfig, config_from_tensors, sanitize
from mlx_weights import WeightsError

TOY = RMVPEConfig(
    n_mels=16,
    en_de_layers=2,
    inter_layers=2,
    n_blocks=2,
    en_out_channels=4,
    gru_hidden=8,
    n_bins=72,
)


@pytest.fixture
def original(toy_path):
    """The state dict under the reference's names, in torch's layout, float16."""
    return dict(mlx_weights.read_tensors(toy_path))


@pytest.fixture
def audio():
    return (0.1 * np.random.default_rng(5).standard_normal(4321)).astype(np.float32)


def write(folder, tensors, name="rmvpe.safetensors"):
    from safetensors.numpy import save_file

    folder.mkdir(exist_ok=True)
    arrays = {key: np.ascontiguousarray(value) for key, value in tensors.items()}
    save_file(arrays, folder / name)
    return folder / name


def their_name(name):
    places = {"0": "conv1", "1": "bn1", "3": "conv2", "4": "bn2"}
    for pattern, replacement in (
        (r"^fc\.1\.", "linear."),
        (r"(decoder\.layers\.\d+)\.conv1\.0\.", r"\1.conv_transpose."),
        (r"(decoder\.layers\.\d+)\.conv1\.1\.", r"\1.bn."),
        (r"(decoder\.layers\.\d+)\.conv2\.", r"\1.conv_blocks."),
        (r"((?:encoder|intermediate)\.layers\.\d+)\.conv\.", r"\1.conv_blocks."),
        (r"(conv_blocks\.\d+)\.conv\.(\d)\.", lambda m: f"{m[1]}.{places[m[2]]}."),
    ):
        name = re.sub(pattern, replacement, name)
    return name


def lexandstuff(original):
    """The same weights as lexandstuff/mlx-rmvpe names and lays them out."""
    out = {}
    for name, raw in original.items():
        if name.endswith("num_batches_tracked") or ".gru." in name:
            continue
        value = raw.astype(np.float32)
        if value.ndim == 4:
            value = np.moveaxis(value, *((0, -1) if ".conv1.0." in name else (1, -1)))
            if ".conv1.0." in name:  # (in, out, 3, 3) -> (out, 3, 3, in)
                assert value.shape[0] * 2 == value.shape[-1]
        out[f"model.{their_name(name)}"] = value
    for suffix, direction in (("l0", "forward"), ("l0_reverse", "backward")):
        w_ih, w_hh, b_ih, b_hh = (
            original[f"fc.0.gru.{part}_{suffix}"].astype(np.float32)
            for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        prefix = f"model.bigru.gru_{direction}."
        out[prefix + "Wx"], out[prefix + "Wh"] = w_ih, w_hh
        b_hr, b_hz, b_hn = np.split(b_hh, 3)
        out[prefix + "b"] = b_ih + np.concatenate([b_hr, b_hz, 0 * b_hn])
        out[prefix + "bhn"] = b_hn
    return out


def test_sizes_are_recovered_from_shapes(original, toy):
    assert config_from_tensors(sanitize(original), source="toy") == TOY == toy.config


def test_counters_of_training_are_dropped(original):
    assert sum(name.endswith("num_batches_tracked") for name in original) > 10
    assert not any("num_batches" in name for name in sanitize(original))


def test_lexandstuffs_layout_loads_the_same_model(tmp_path, original, toy, audio):
    other = lexandstuff(original)
    assert "model.unet.decoder.layers.0.conv_blocks.0.bn2.running_var" in other
    model = RMVPE.from_pretrained(write(tmp_path, other))
    assert model.config == TOY
    np.testing.assert_allclose(model.salience(audio), toy.salience(audio), atol=1e-6)


def test_the_bias_only_lexandstuff_has_is_used(tmp_path, original, toy, audio):
    """Their transposed convolution has a bias, which the original lacks; it may be other than 0."""
    other = lexandstuff(original)
    name = "model.unet.decoder.layers.{}.conv_transpose.bias"
    other |= {name.format(0): np.zeros(8, np.float32), name.format(1): np.zeros(4, np.float32)}
    model = RMVPE.from_pretrained(write(tmp_path, other))
    np.testing.assert_allclose(model.salience(audio), toy.salience(audio), atol=1e-6)
    # y = norm(x + bias) is y = norm(x) with the running mean lowered by the bias.
    other[name.format(1)] += 0.25
    biased = RMVPE.from_pretrained(write(tmp_path, other)).salience(audio)
    mean = "unet.decoder.layers.1.conv1.1.running_mean"
    original[mean] = original[mean].astype(np.float32) - 0.25
    shifted = RMVPE.from_pretrained(write(tmp_path, original)).salience(audio)
    np.testing.assert_allclose(biased, shifted, atol=1e-6)
    assert np.abs(biased - toy.salience(audio)).max() > 1e-2


def test_a_wrapped_state_dict_is_found(original):
    assert sanitize({"model": original, "epoch": 3}).keys() == sanitize(original).keys()


def test_adding_torchs_gru_biases_would_be_wrong(original, golden):
    """The defect: one sum of both biases. The reset gate multiplies only the hidden one."""
    tensors = sanitize(original)
    stages = golden["network"]
    x = stages["stage/cnn"].transpose(0, 1, 3, 2).reshape(1, 24, -1)
    part = {name: original[f"fc.0.gru.bias_{name}_l0"].astype(np.float32) for name in ("ih", "hh")}
    weights = [tensors[f"fc.0.gru.forward.{name}"] for name in ("Wx", "Wh")]
    ours = [tensors[f"fc.0.gru.forward.{name}"] for name in ("b", "bhn")]
    naive = [part["ih"] + part["hh"], np.zeros(8, np.float32)]
    expected = stages["stage/fc.0"][..., :8]
    np.testing.assert_allclose(fastops.gru(x, *weights, *ours), expected, atol=1e-5)
    assert np.abs(fastops.gru(x, *weights, *naive) - expected).max() > 1e-2


@pytest.mark.parametrize(
    "name",
    [
        "unet.encoder.layers.1.conv.0.conv.4.running_var",
        "unet.encoder.bn.running_mean",
        "fc.0.gru.bias_hh_l0_reverse",
        "unet.decoder.layers.1.conv1.1.weight",
        "fc.1.bias",
        "cnn.weight",
        "fc.1.weight",
        "unet.decoder.layers.0.conv2.0.shortcut.bias",
    ],
)
def test_a_missing_tensor_is_named(tmp_path, original, name):
    del original[name]
    with pytest.raises(WeightsError, match=re.escape(name)):
        RMVPE.from_pretrained(write(tmp_path, original))


def test_a_missing_convolution_is_named(tmp_path, original):
    del original["unet.intermediate.layers.0.conv.1.conv.3.weight"]
    with pytest.raises(WeightsError, match=r"unet\.intermediate\.layers\.0\.conv\.1\.conv\.3"):
        RMVPE.from_pretrained(write(tmp_path, original))


def test_a_surplus_tensor_is_named(tmp_path, original):
    original["fc.0.gru.weight_ih_l1"] = np.zeros((24, 16), np.float32)
    with pytest.raises(WeightsError, match=r"fc\.0\.gru\.weight_ih_l1"):
        RMVPE.from_pretrained(write(tmp_path, original))


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("unet.encoder.layers.0.conv.0.conv.1.running_var", (5,)),
        ("unet.encoder.layers.1.conv.1.conv.0.weight", (8, 7, 3, 3)),
        ("fc.0.gru.bias_ih_l0", (9,)),
        ("fc.1.bias", (71,)),
        ("cnn.weight", ()),
    ],
)
def test_a_misshapen_tensor_is_an_error(tmp_path, original, name, shape):
    original[name] = np.zeros(shape, np.float32)
    with pytest.raises(WeightsError, match=r"shape|not an RMVPE model"):
        RMVPE.from_pretrained(write(tmp_path, original))


@pytest.mark.parametrize("content", [{}, {"encoder.weight": np.zeros(3, np.float32)}])
def test_another_model_is_refused(tmp_path, content):
    with pytest.raises(WeightsError, match=r"not an RMVPE model: found (nothing|encoder\.weight)"):
        RMVPE.from_pretrained(write(tmp_path, content))


def test_what_is_saved_loads_the_same(tmp_path, toy, audio):
    toy.save_pretrained(tmp_path / "saved")
    assert json.loads((tmp_path / "saved/config.json").read_text())["n_mels"] == 16
    for source in (tmp_path / "saved", str(tmp_path / "saved" / "model.safetensors")):
        again = RMVPE.from_pretrained(source)
        assert again.config == TOY
        np.testing.assert_array_equal(again.salience(audio), toy.salience(audio))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (None, "config.json, which is not beside it"),
        ({"model_type": "hubert"}, "model_type 'hubert', expected 'rmvpe'"),
        ({"n_melz": 128}, "unknown n_melz; known are"),
        ({"n_mels": 18}, "n_mels is 18, expected a multiple of 4"),
        ({"n_mels": "16"}, "n_mels is '16', expected a number"),
        ({"gru_hidden": 0}, "gru_hidden is 0, expected an integer >= 1"),
        ({"mel_fmax": 9000.0}, "do not fit into 0 to 8000"),
        ({"n_bins": 360}, "fc.1.weight"),
    ],
)
def test_a_config_that_does_not_fit_is_refused(tmp_path, toy, change, message):
    toy.save_pretrained(tmp_path)
    config = tmp_path / "config.json"
    if change is None:
        config.unlink()
    else:
        config.write_text(json.dumps(json.loads(config.read_text()) | change))
    with pytest.raises(ValueError, match=re.escape(message)):
        RMVPE.from_pretrained(tmp_path)


def test_config_survives_its_file():
    assert RMVPEConfig.from_dict(TOY.to_dict()) == TOY
    assert RMVPEConfig.from_dict({}) == RMVPEConfig()
