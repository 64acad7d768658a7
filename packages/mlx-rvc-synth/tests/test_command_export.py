"""`export` and what it writes: one .safetensors, the .pth of RVC's programs, and back."""

import json

import numpy as np
import pytest
import typer
from safetensors.numpy import load_file
from typer.testing import CliRunner

import mlx_pth
from mlx_rvc_synth import Synthesizer, command, index_vectors, read_voice

app = typer.Typer()
app.command()(command.export)
app.command()(command.info)
runner = CliRunner()


def export(*arguments):
    result = runner.invoke(app, ["export", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def audio(case, voice):
    return np.asarray(voice.infer(case.phone, case.f0, noise=case.noise))


def test_every_voice_goes_to_a_pth_and_back(case, golden, tmp_path):
    """Through folded weights: g and v are made anew, and the audio is the same."""
    export(golden / f"{case.name}.pth", tmp_path / "one.safetensors")
    export(tmp_path / "one.safetensors", tmp_path / "back.pth")
    one = Synthesizer.from_pretrained(tmp_path / "one.safetensors")
    back = Synthesizer.from_pretrained(tmp_path / "back.pth")
    expected = audio(case, case.voice)
    np.testing.assert_array_equal(audio(case, one), expected)
    np.testing.assert_allclose(audio(case, back), expected, atol=2e-5)
    assert one.config == back.config == case.config
    assert one.metadata == case.voice.metadata
    assert sorted(path.name for path in tmp_path.iterdir()) == ["back.pth", "one.safetensors"]


def test_the_small_model_is_what_rvc_writes(golden, tmp_path):
    export(golden / "v2_f0.pth", tmp_path / "v.pth", "--dtype", "float16")
    found, original = mlx_pth.load(tmp_path / "v.pth"), mlx_pth.load(golden / "v2_f0.pth")
    assert list(found)[:6] == ["weight", "config", "info", "sr", "f0", "version"]
    assert found["config"][15] == 3  # the speakers there are, where RVC wrote 109
    assert [*found["config"][:15], 109, *found["config"][16:]] == list(original["config"])
    assert (found["sr"], found["f0"], found["version"]) == ("2k", 1, "v2")
    assert found["embedder_model"] == "spin" and found["speaker_info"] == original["speaker_info"]
    assert set(found["weight"]) == set(original["weight"])
    for name, value in original["weight"].items():
        assert found["weight"][name].dtype == np.float16
        np.testing.assert_array_equal(found["weight"][name], value)  # not folded on the way


def test_newer_names_of_weight_norm_become_rvcs(golden, tmp_path):
    export(golden / "v2_nof0.pth", tmp_path / "v.pth")
    names = mlx_pth.load(tmp_path / "v.pth")["weight"]
    assert "dec.ups.0.weight_g" in names and not any("parametrizations" in name for name in names)


def test_an_index_travels_in_the_safetensors(golden, tmp_path, monkeypatch):
    vectors = np.random.default_rng(0).standard_normal((40, 256)).astype(np.float32)
    np.save(tmp_path / "v.npy", vectors)
    reader = type("Reader", (), {"load": staticmethod(lambda: np.load)})
    monkeypatch.setattr(index_vectors, "entry_points", lambda group: [reader])
    out = tmp_path / "v.safetensors"
    said = export(golden / "v1_f0.pth", out, "--index", tmp_path / "v.npy", "--json")
    assert json.loads(said)["index_vectors"] == 40
    np.testing.assert_array_equal(load_file(out)["index.vectors"], vectors)
    voice = read_voice(out)
    assert voice.index_vectors.shape == (40, 256)
    assert Synthesizer.from_pretrained(out).config.speakers == 3
    shown = runner.invoke(app, ["info", str(out)], catch_exceptions=False).stdout
    assert "40 vectors inside" in shown
    assert "the index in" in export(out, tmp_path / "again.safetensors")  # said, not dropped
    assert "index.vectors" not in load_file(tmp_path / "again.safetensors")

    for taken, words in (([], "pip install mlx-rvc-index"), ([reader], "256 wide")):
        monkeypatch.setattr(index_vectors, "entry_points", lambda group, taken=taken: taken)
        np.save(tmp_path / "v.npy", vectors[:, :100])
        with pytest.raises(ValueError, match=words):
            export(golden / "v1_f0.pth", tmp_path / "no.safetensors", "--index", tmp_path / "v.npy")
    assert not (tmp_path / "no.safetensors").exists()


@pytest.mark.parametrize(
    ("output", "options", "words"),
    [
        ("voice.pt", [], "as .pth, .safetensors, or a folder, not as .pt"),
        ("nowhere/voice.pth", [], "does not exist"),
        ("copy.pth", [], "is an input"),
        ("voice.pth", ["--index", "x.index"], "--index is stored in a .safetensors"),
        ("taken", [], "is a file"),
    ],
)
def test_outputs_that_cannot_be(golden, tmp_path, monkeypatch, output, options, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "copy.pth").write_bytes((golden / "v1_f0.pth").read_bytes())
    (tmp_path / "taken").touch()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ValueError, match=r".") as error:
        export("copy.pth", output, *options)
    assert words in str(error.value)
    assert "\n" not in str(error.value)
    assert sorted(tmp_path.iterdir()) == before
