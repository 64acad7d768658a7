"""Settings from files: the merging, and what is said about keys and values that are wrong."""

import inspect
from dataclasses import fields

import pytest

from mlx_rvc.commands.convert import convert
from mlx_rvc.options import ConversionOptions
from mlx_rvc.settings import (
    OF_ONE_RECORDING,
    OPTION_NAMES,
    Setting,
    checked,
    field_of,
    keys,
    merged,
    preset_file,
    presets_folder,
    read_settings,
)


def test_the_first_layer_that_has_a_key_counts():
    found = merged(
        ("file", {"pitch": 1}),
        ("preset", {"pitch": 2, "protect": 0.1}),
        ("voice", {"protect": 0.2, "seed": None}),
    )
    assert found == {
        "pitch": Setting(1, "file"),
        "protect": Setting(0.1, "preset"),
        "seed": Setting(None, "voice"),
    }
    assert merged() == {}


def test_every_option_is_a_key_or_names_a_file_of_one_recording():
    assert {field_of(key) for key in keys()} <= set(inspect.signature(convert).parameters)
    assert all(keys().values())
    names = {OPTION_NAMES.get(field.name, field.name) for field in fields(ConversionOptions)}
    assert names - set(keys()) == set(OF_ONE_RECORDING)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"pich": 3}, "x.toml: the key 'pich' is unknown; is it pitch?"),
        ({"zzz": 3}, "x.toml: the key 'zzz' is unknown; there are pitch, auto_pitch,"),
        ({"f0_file": "a.csv"}, "x.toml: the key 'f0_file' is unknown"),
        ({"output_rate": 8000}, "x.toml: the key 'output_rate' is unknown"),
        ({"pitch": "high"}, "x.toml: pitch is 'high'; a number is expected"),
        ({"pitch": True}, "x.toml: pitch is True; a number is expected"),
        ({"speaker": 1.5}, "x.toml: speaker is 1.5; a whole number or text is expected"),
        ({"auto_pitch": "low"}, "x.toml, auto_pitch: auto pitch is 'low'"),
        ({"f0_method": 3}, "x.toml: f0_method is 3; text is expected"),
        ({"convert": {"pitch": 1}}, "x.toml: the key 'convert' is unknown"),
        ({"index_rate": 2}, "x.toml, index_rate: index rate is 2; it must lie in 0 to 1"),
        ({"sample_rate": 1}, "x.toml, sample_rate: output sample rate is 1;"),
        ({"f0_method": "yin"}, "x.toml, f0_method: F0 method 'yin' is unknown"),
        ({"f0_min": 900, "f0_max": 60.0}, "x.toml: "),
    ],
)
def test_what_is_wrong_is_one_line_that_names_file_and_key(settings, words):
    with pytest.raises(ValueError) as caught:
        checked(settings, "x.toml")
    assert str(caught.value).startswith(words) and "\n" not in str(caught.value)


def test_a_file_is_read(tmp_path):
    path = tmp_path / "x.toml"
    path.write_text('pitch = 12\nf0_method = "dio"\nsample_rate = 44100\nindex_rate = 0.5\n')
    expected = {"pitch": 12, "f0_method": "dio", "sample_rate": 44100, "index_rate": 0.5}
    assert read_settings(path) == expected


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"pitch: 12\n", "x.toml is not TOML"),
        (b"\xff\xfe", "x.toml is not TOML"),
        (b"protect = 7\n", r"x.toml, protect: protect is 7; it must lie in 0 to 0.5"),
    ],
)
def test_a_file_that_is_wrong_is_named(tmp_path, data, words):
    (tmp_path / "x.toml").write_bytes(data)
    with pytest.raises(ValueError, match=words):
        read_settings(tmp_path / "x.toml")
    with pytest.raises(ValueError, match=r"none.toml cannot be read \(No such file"):
        read_settings(tmp_path / "none.toml")


def test_named_settings_are_files_of_a_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MLX_RVC_PRESETS", str(tmp_path))
    with pytest.raises(ValueError, match=r"no preset 'a': .*NAME.toml is expected, found none"):
        preset_file("a")
    (tmp_path / "a.toml").touch()
    assert preset_file("a") == tmp_path / "a.toml"
    with pytest.raises(ValueError, match=r"no preset '\.\./a': .*found a; give a file"):
        preset_file("../a")
    monkeypatch.delenv("MLX_RVC_PRESETS")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert presets_folder() == tmp_path / "mlx-rvc" / "presets"
