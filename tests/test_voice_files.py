"""Voice and index files through the whole chain: recordings to an index, an index into a voice."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

import mlx_rvc_demo
from mlx_rvc import content
from mlx_rvc.recording import prepare
from mlx_rvc_cli.host import main
from mlx_rvc_index import FeatureIndex
from mlx_rvc_synth import read_voice

AUDIO = Path(__file__).parent / "audio"
VOICE = mlx_rvc_demo.bundle().voice


def run(capsys, *arguments):
    assert main([*map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_an_index_of_recordings_travels_with_the_voice(tmp_path, capsys, demo, clip):
    """Recordings -> .index -> one .safetensors -> the index of a conversion, and back to a .pth."""
    speech = AUDIO / "librivox_austen_0870.flac"
    short = tmp_path / "short.wav"
    soundfile.write(short, clip("librivox_austen_0930", 2.0, 44100), 44100)
    index = tmp_path / "voice.index"
    data = run(capsys, "index", "build", speech, short, "-o", index, "--model", "demo")
    frames = [int(soundfile.info(speech).duration * 50), 100]
    assert (data["features"], data["width"]) == (sum(frames), 192)

    one = tmp_path / "voice.safetensors"
    data = run(capsys, "export", VOICE, one, "--index", index)
    assert data["index_vectors"] == sum(frames)
    assert "192 wide" not in str(data["notes"])
    vectors = FeatureIndex.load(one).vectors()
    np.testing.assert_array_equal(vectors, FeatureIndex.load(index).vectors())
    # What a conversion would search with lies in the index.
    audio = prepare(clip("librivox_austen_0870")[:, 0])
    features = content.recording_features(demo.encoder, audio, version="v2", width=192)
    distances, _ = FeatureIndex.load(one).search(features, 1)
    assert distances.max() < 1e-4 * np.sum(features**2, axis=1).min()

    out = tmp_path / "out.wav"
    arguments = [short, out, "-m", one, "--f0-method", "dio", "--seed", "1"]
    arguments += ["--contentvec", mlx_rvc_demo.bundle().encoder]
    assert "index" in run(capsys, "convert", *arguments)["stages_s"]
    by_itself = out.read_bytes()
    run(capsys, "convert", *arguments, "--index", one)
    assert out.read_bytes() == by_itself
    assert "index" not in run(capsys, "convert", *arguments, "--index-rate", "0")["stages_s"]
    assert out.read_bytes() != by_itself

    data = run(capsys, "export", one, tmp_path / "back.pth")
    assert any("left out" in note for note in data["notes"])
    assert any("192 wide" in note for note in data["notes"])
    back, first = read_voice(tmp_path / "back.pth"), read_voice(VOICE)
    assert back.config == first.config
    assert back.metadata["embedder"] == first.metadata["embedder"]
    for name, value in first.tensors.items():
        np.testing.assert_allclose(back.tensors[name], value, rtol=1e-6, atol=1e-9)


def test_features_of_a_long_recording_are_those_of_its_chunks(demo, clip, monkeypatch):
    """What lies beside a cut has the context that it has in the recording."""
    audio = prepare(clip("librivox_austen_0870")[:, 0])
    whole = content.recording_features(demo.encoder, audio, version="v2", width=192)
    assert len(whole) == len(audio) // 320
    monkeypatch.setattr(content.chunks, "quiet_points", lambda _, seconds: [32000, 64000])
    cut = content.recording_features(demo.encoder, audio, version="v2", width=192)
    assert cut.shape == whole.shape
    close = np.corrcoef(whole.ravel(), cut.ravel())[0, 1]
    shifted = np.corrcoef(whole[1:].ravel(), cut[:-1].ravel())[0, 1]
    assert close > 0.95 > shifted


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--model", "demo", "--version", "v1"], "leave out --model"),
        (["--model", "missing.pth"], "missing.pth"),
        (["--model", "demo", "--contentvec", "missing"], "missing"),
    ],
)
def test_encoders_that_cannot_be(tmp_path, capsys, monkeypatch, options, words):
    monkeypatch.chdir(tmp_path)
    soundfile.write("a.wav", np.zeros(16000), 16000)
    assert main(["index", "build", "a.wav", "-o", "v.index", *options]) == 1
    said = capsys.readouterr()
    assert words in said.err and said.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


def test_the_usual_index_reader_is_found():
    from importlib.metadata import entry_points

    from mlx_rvc_synth.index_vectors import GROUP

    assert [entry.name for entry in entry_points(group=GROUP)] == ["mlx-rvc-index"]
