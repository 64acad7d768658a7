"""A voice of the library converts by its name, with its index and its preset."""

import json
from pathlib import Path

import faiss
import numpy as np
import pytest
import soundfile

import mlx_pth
import mlx_rvc_demo
from mlx_rvc import RVCPipeline
from mlx_rvc_cli.host import main
from mlx_rvc_voices import Library

SPEECH = Path(__file__).parent / "audio" / "librivox_austen_0930.flac"


@pytest.fixture
def run(capsys):
    def run(*arguments, status=0):
        assert main(list(map(str, arguments))) == status, capsys.readouterr().err
        said = capsys.readouterr()
        if status:
            assert said.err.count("\n") == 1
            return said.err
        return json.loads(said.out) if "--json" in arguments else said.out

    return run


@pytest.fixture
def sam(tmp_path, monkeypatch, run):
    """The demo's voice in a library, with an index of its width."""
    monkeypatch.setenv("MLX_RVC_VOICES", str(tmp_path / "voices"))
    monkeypatch.setenv("MLX_RVC_PRESETS", str(tmp_path / "presets"))
    monkeypatch.chdir(tmp_path)
    index = faiss.index_factory(192, "IVF4,Flat")
    vectors = np.random.default_rng(0).standard_normal((400, 192)).astype(np.float32)
    index.train(vectors)
    index.add(vectors)
    faiss.write_index(index, "added_sam.index")
    soundfile.write("me.wav", soundfile.read(SPEECH)[0][:16000], 16000)
    voice = mlx_rvc_demo.bundle().voice
    added = run("voices", "add", voice, "--name", "sam", "--index", "added_sam.index", "--json")
    assert added["kind"] == "small model" and added["width"] == 192
    return added


def converted(run, *more):
    return run("convert", "me.wav", "out.wav", "--model", "sam", "--json", *more)


def test_a_name_brings_its_index_and_its_preset(sam, run, tmp_path):
    run(
        "voices",
        "preset",
        "sam",
        "--set",
        "pitch=3",
        "--set",
        "f0_method=dio",
        "--set",
        "speaker=1",
    )
    origin = "preset of the voice sam"
    summary = converted(run, "--pitch", "-2", "--seed", "1")
    assert summary["voice"] == "sam" and summary["index"] == sam["index"]
    assert summary["stages_s"]["index"] >= 0
    assert summary["settings"] == {
        "pitch": {"value": -2.0, "from": "command line"},
        "f0_method": {"value": "dio", "from": origin},
        "speaker": {"value": 1, "from": origin},
        "seed": {"value": 1, "from": "command line"},
    }
    named = soundfile.read("out.wav")[0]
    plain = ["convert", "me.wav", "plain.wav", "--model", sam["model"], "--index", sam["index"]]
    run(*plain, "--pitch", "-2", "--seed", "1", "--f0-method", "dio", "--speaker", "1")
    np.testing.assert_array_equal(named, soundfile.read("plain.wav")[0])
    text = run("convert", "me.wav", "out.wav", "-m", "sam")
    assert f"; with index added_sam.index, pitch 3 ({origin}), f0_method dio ({origin})" in text


def test_command_line_over_config_over_preset_over_voice(sam, run, tmp_path):
    run("voices", "preset", "sam", "--set", "pitch=1", "--set", "protect=0.1", "--set", "seed=1")
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "song.toml").write_text("protect = 0.2\npitch = 2\nindex_rate = 0.2\n")
    Path("mine.toml").write_text('pitch = 3\nindex_rate = 0.3\nf0_method = "dio"\n')
    more = ["--index-rate", "0.4", "--config", "mine.toml", "--preset", "song"]
    settings = converted(run, *more)["settings"]
    assert {key: (entry["value"], entry["from"]) for key, entry in settings.items()} == {
        "index_rate": (0.4, "command line"),
        "pitch": (3.0, "mine.toml"),
        "f0_method": ("dio", "mine.toml"),
        "protect": (0.2, "preset song"),
        "seed": (1, "preset of the voice sam"),
    }


def test_names_are_voices_for_every_command(sam, run):
    assert run("info", "sam", "--json")["input"] == sam["model"]
    assert run("info", "demo", "--json")["speakers"] == 2
    run("export", "sam", "again.safetensors")
    assert Path("again.safetensors").is_file()
    assert "there is no voice 'samm'" in run("info", "samm", status=1)
    assert "missing.pth" in run("info", "missing.pth", status=1)


def test_a_batch_takes_names_and_settings_too(sam, run):
    run("voices", "preset", "sam", "--set", "f0_method=dio", "--set", "sample_rate=8000")
    batch = ["batch", "me.wav", "--out", "done", "--model", "sam"]
    assert "f0_method dio (preset of the voice sam), sample_rate 8000" in run(*batch)
    data = run(*batch, "--sample-rate", "11025", "--overwrite", "--json")
    assert data["settings"]["sample_rate"] == {"value": 11025, "from": "command line"}
    assert data["voice"] == "sam" and soundfile.info("done/me.wav").samplerate == 11025


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--model", "samm"], "there is no voice 'samm'"),
        (["--config", "none.toml"], "none.toml cannot be read"),
        (["--config", "bad.toml"], "bad.toml: the key 'pich' is unknown; is it pitch?"),
        (["--preset", "none"], "there is no preset 'none'"),
    ],
)
def test_what_is_wrong_is_one_line_before_any_work(sam, run, more, words):
    Path("bad.toml").write_text("pich = 3\n")
    assert words in run("convert", "me.wav", "out.wav", "--model", "sam", *more, status=1)
    assert not Path("out.wav").exists()


def test_a_preset_that_convert_would_refuse_is_refused_at_once(sam, run):
    said = run("voices", "preset", "sam", "--set", "pitch=99", status=1)
    assert "the preset of sam, pitch: pitch is 99; it must lie in -48 to 48 semitones" in said
    Library().set_preset("sam", {"loud": 1})  # as a later version might
    said = run("convert", "me.wav", "out.wav", "--model", "sam", status=1)
    assert "the preset of the voice sam: the key 'loud' is unknown" in said


def test_files_that_only_look_like_voices_are_not_added(sam, run):
    """The stages themselves read what is added, in full."""
    golden = Path(__file__).parents[1] / "packages/mlx-rvc-synth/tests/golden"
    assert "D_7.pth" in run("voices", "add", golden / "D_7.pth", status=1)
    data = bytearray(Path("added_sam.index").read_bytes())
    Path("cut.index").write_bytes(data[: len(data) // 2])
    more = ["--index", "cut.index", "--name", "two"]
    said = run("voices", "add", golden / "G_7.pth", *more, status=1)
    assert "cut.index" in said
    assert run("voices", "check", "--json") == {"well": True, "voices": {"sam": []}}


def test_a_voice_with_a_tensor_too_many_is_not_added(sam, run):
    content = mlx_pth.load(mlx_rvc_demo.bundle().voice)
    content["weight"]["dec.surplus.weight"] = np.zeros((2, 2), np.float16)
    mlx_pth.save("more.pth", content)
    said = run("voices", "add", "more.pth", status=1)
    assert "more.pth" in said and "dec.surplus.weight" in said
    assert Library().names() == ["sam"]


def test_the_pipeline_knows_names_too(sam):
    pipeline = RVCPipeline.from_pretrained("sam")
    assert pipeline.index.dim == 192
