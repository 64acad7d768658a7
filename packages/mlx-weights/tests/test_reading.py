"""Reading by contents, and strict loading."""

import io
import json
import pickle
import struct
import zipfile

import mlx.core as mx
import numpy as np
import pytest
from mlx import nn
from mlx.utils import tree_flatten
from safetensors.numpy import save_file

from mlx_weights import (
    WeightsError,
    load_model_folder,
    load_strict,
    read_checkpoint,
    read_config,
    read_metadata,
    read_tensors,
    save_model,
    save_tensors,
)


def torch_file(path, value):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x/data.pkl", pickle.dumps(value, 2))
    return path


def safetensors(path, header, data=b""):
    text = json.dumps(header).encode() if isinstance(header, dict) else header
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def test_safetensors_under_any_name(tmp_path):
    tensors = {
        "half": np.arange(6, dtype=np.float16).reshape(2, 3),
        "single": np.float32([[1.5]]),
        "count": np.array(7),
        "empty": np.zeros((0, 4), np.float32),
    }
    save_file(tensors, tmp_path / "model.pth", metadata={"who": "me"})
    found = read_tensors(tmp_path / "model.pth")
    assert found.keys() == tensors.keys()
    for name, value in tensors.items():
        assert found[name].dtype == value.dtype
        np.testing.assert_array_equal(found[name], value)
    assert not found["half"].flags.writeable
    assert read_metadata(tmp_path / "model.pth") == {"who": "me"}


def test_bfloat16_is_widened_exactly(tmp_path):
    values = mx.array([1.0, -2.5, 3e38, 1e-40, float("inf")]).astype(mx.bfloat16)
    mx.save_safetensors(str(tmp_path / "b.safetensors"), {"w": values})
    found = read_tensors(tmp_path / "b.safetensors")["w"]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.array(values.astype(mx.float32)))


@pytest.mark.parametrize(
    "header",
    [
        b"{not json",
        {"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 8]}},
        {"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}},
        {"w": {"dtype": "F32", "shape": [2**62, 4], "data_offsets": [0, 8]}},
        {"w": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 8]}},
        {"w": {"dtype": "F99", "shape": [2], "data_offsets": [0, 8]}},
        {"w": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}},
        {"w": 5},
    ],
)
def test_lying_safetensors(tmp_path, header):
    path = safetensors(tmp_path / "m.safetensors", header, bytes(8))
    with pytest.raises(WeightsError, match="damaged safetensors") as caught:
        read_tensors(path)
    assert "\n" not in str(caught.value)


def test_a_name_in_the_librarys_own_error_breaks_no_line(tmp_path):
    """Found by fuzzing: safetensors quotes it as it is."""
    header = {"w\x7f\x1b[2J\n": {"dtype": "F32", "shape": [4], "data_offsets": [2, 16]}}
    path = safetensors(tmp_path / "m.safetensors", header, bytes(16))
    with pytest.raises(WeightsError, match=r"damaged safetensors.*w\\x7f\\x1b\[2J") as caught:
        read_tensors(path)
    assert str(caught.value).isprintable()


def test_truncated_safetensors(tmp_path):
    save_file({"w": np.zeros(100, np.float32)}, tmp_path / "m.safetensors")
    data = (tmp_path / "m.safetensors").read_bytes()
    for length in (4, 40, len(data) - 1):
        (tmp_path / "cut").write_bytes(data[:length])
        with pytest.raises(WeightsError):
            read_tensors(tmp_path / "cut")


def test_types_without_a_numpy_equal_are_named(tmp_path):
    entry = {"dtype": "F8_E4M3", "shape": [2], "data_offsets": [0, 2]}
    with pytest.raises(WeightsError, match="F8_E4M3"):
        read_tensors(safetensors(tmp_path / "m", {"w": entry}, bytes(2)))


def test_nested_checkpoints_are_left_to_the_caller(tmp_path):
    path = torch_file(tmp_path / "g.safetensors", {"model": {"w": 1}, "iteration": 5})
    assert read_checkpoint(path) == {"model": {"w": 1}, "iteration": 5}
    with pytest.raises(WeightsError, match="'model'"):
        read_tensors(path)
    with pytest.raises(WeightsError, match="list"):
        read_tensors(torch_file(path, [1]))


def test_errors_of_the_torch_reader(tmp_path):
    path = torch_file(tmp_path / "m.pth", io.StringIO)
    with pytest.raises(WeightsError, match=r"_io\.StringIO"):
        read_checkpoint(path)
    assert read_checkpoint(path, foreign=["_io.StringIO"]).name == "_io.StringIO"
    with pytest.raises(WeightsError, match="does not exist"):
        read_tensors(tmp_path / "none")
    path.write_bytes(b"<html>")
    with pytest.raises(WeightsError, match="web page"):
        read_tensors(path)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(2, 3, 5)
        self.norm = nn.BatchNorm(3)
        self.blocks = [nn.Linear(3, 3) for _ in range(4)]


def weights(model, dtype=np.float32):
    random = np.random.default_rng(0)
    flat = tree_flatten(model.parameters())
    return {name: random.normal(size=value.shape).astype(dtype) for name, value in flat}


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_strict_loading_makes_float32(dtype):
    model = Model()
    tensors = weights(model, dtype)
    load_strict(model, tensors, source="x")
    loaded = dict(tree_flatten(model.parameters()))
    assert "norm.running_mean" in loaded
    for name, value in tensors.items():
        assert loaded[name].dtype == mx.float32
        np.testing.assert_array_equal(np.array(loaded[name]), value.astype(np.float32))


def test_strict_loading_takes_mlx_arrays_and_read_only_views(tmp_path):
    model = Model()
    tensors = weights(model)
    halves = {name: mx.array(value).astype(mx.bfloat16) for name, value in tensors.items()}
    load_strict(model, halves, source="x")
    assert model.conv.weight.dtype == mx.float32
    save_file(tensors, tmp_path / "m")
    load_strict(model, read_tensors(tmp_path / "m"), source="x")
    np.testing.assert_array_equal(np.array(model.conv.weight), tensors["conv.weight"])


def test_strict_loading_can_empty_the_dict_but_only_when_all_fits():
    model = Model()
    tensors = weights(model)
    kept = dict(tensors)
    tensors["surplus"] = np.zeros(1)
    with pytest.raises(WeightsError):
        load_strict(model, tensors, source="x", consume=True)
    assert len(tensors) == len(kept) + 1
    del tensors["surplus"]
    load_strict(model, tensors, source="x", consume=True)
    assert tensors == {}
    for name, value in tree_flatten(model.parameters()):
        np.testing.assert_array_equal(np.array(value), kept[name])


def test_strict_loading_says_odd_names_in_one_line():
    model = Model()
    tensors = weights(model) | {"a\n\x1b[2J" + "b" * 100_000: np.zeros(1)}
    with pytest.raises(WeightsError, match=r"1 tensors not expected \(a\\n\\x1b") as caught:
        load_strict(model, tensors, source="x")
    assert str(caught.value).isprintable() and len(str(caught.value)) < 300


def test_strict_loading_lists_everything_wrong_and_changes_nothing():
    model = Model()
    before = np.array(model.conv.weight)
    tensors = weights(model)
    for name in [name for name in tensors if name.startswith("blocks.")]:
        del tensors[name]
    tensors["enc_q.pre.weight"] = np.zeros(1)
    tensors["conv.weight"] = np.zeros((3, 2, 5), np.float32)
    with pytest.raises(WeightsError) as caught:
        load_strict(model, tensors, source="voice.pth")
    text = str(caught.value)
    assert "voice.pth" in text
    assert "8 tensors missing (blocks.0.weight" in text
    assert "and 3 more" in text
    assert "1 tensors not expected (enc_q.pre.weight)" in text
    assert "conv.weight (3, 2, 5) instead of (3, 5, 2)" in text
    np.testing.assert_array_equal(np.array(model.conv.weight), before)


def test_running_statistics_count():
    tensors = weights(Model())
    del tensors["norm.running_var"]
    with pytest.raises(WeightsError, match=r"norm\.running_var"):
        load_strict(Model(), tensors, source="x")


def test_model_folder_round_trip(tmp_path):
    tensors = {
        "np": np.arange(6, dtype=np.float16).reshape(2, 3).T,  # not contiguous
        "big": np.arange(3, dtype=">f4"),
        "mx": mx.array([1.0, 2.0]),
        "bf": mx.array([1.5]).astype(mx.bfloat16),
        "scalar": np.float32(3.0) * np.ones(()),
    }
    save_model(tmp_path / "new/m", tensors, {"rate": 40000, "name": "ü"}, metadata={"f0": True})
    modes = {file.stat().st_mode for file in (tmp_path / "new/m").iterdir()}
    assert len(modes) == 1  # the weights are as readable as the configuration
    found, config = load_model_folder(tmp_path / "new/m")
    assert config == {"rate": 40000, "name": "ü"}
    np.testing.assert_array_equal(found["np"], np.arange(6).reshape(2, 3).T)
    np.testing.assert_array_equal(found["big"], [0, 1, 2])
    assert (found["mx"].tolist(), found["bf"].tolist()) == ([1.0, 2.0], [1.5])
    assert found["scalar"].shape == ()
    assert read_metadata(tmp_path / "new/m/model.safetensors") == {"format": "mlx", "f0": "true"}
    save_model(tmp_path / "new/m", {"a": np.zeros(1)}, {})  # over an existing one
    assert [p.name for p in sorted((tmp_path / "new/m").iterdir())] == [
        "config.json",
        "model.safetensors",
    ]
    assert list(load_model_folder(tmp_path / "new/m")[0]) == ["a"]


def test_incomplete_folders_and_bad_configurations(tmp_path):
    with pytest.raises(WeightsError, match=r"no config\.json"):
        load_model_folder(tmp_path)
    (tmp_path / "config.json").write_text("[1]")
    with pytest.raises(WeightsError, match=r"no model\.safetensors"):
        load_model_folder(tmp_path)
    with pytest.raises(WeightsError, match="JSON object"):
        read_config(tmp_path / "config.json")
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(WeightsError, match="JSON"):
        read_config(tmp_path / "config.json")


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(WeightsError, match="cannot be written"):
        save_model(tmp_path / "file/m", {}, {})


def test_one_file_of_tensors(tmp_path):
    path = tmp_path / "v.safetensors"
    save_tensors(path, {"a": np.arange(6.0).reshape(2, 3).T}, metadata={"format": "x", "n": [1]})
    np.testing.assert_array_equal(read_tensors(path)["a"], np.arange(6).reshape(2, 3).T)
    assert read_metadata(path) == {"format": "x", "n": "[1]"}
    path.chmod(0o640)
    save_tensors(path, {"b": np.zeros(1)})
    assert list(read_tensors(path)) == ["b"]
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_written(tmp_path, monkeypatch):
    with pytest.raises(WeightsError, match="no folder"):
        save_tensors(tmp_path / "none/v.safetensors", {})
    with pytest.raises(WeightsError, match="is a folder"):
        save_tensors(tmp_path, {})

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("safetensors.numpy.save_file", full)
    with pytest.raises(WeightsError, match="No space left"):
        save_tensors(tmp_path / "v.safetensors", {})
    assert list(tmp_path.iterdir()) == []
