"""The examples do what they say."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

EXAMPLES = Path(__file__).parents[1] / "examples"
DURATION = 1.0


@pytest.fixture
def recording(tmp_path):
    audio, rate = soundfile.read(Path(__file__).parent / "audio" / "librivox_austen_0930.flac")
    path = tmp_path / "spoken.wav"
    soundfile.write(path, audio[rate : 2 * rate], rate)
    return path


@pytest.fixture
def example(monkeypatch, capsys):
    def run(name, *arguments):
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        runpy.run_path(str(EXAMPLES / name))
        return capsys.readouterr().out

    return run


def test_all_are_listed():
    listed = (EXAMPLES / "README.md").read_text()
    assert all(f"]({path.name})" in listed for path in EXAMPLES.glob("*.py"))


def test_only_pitch(example, recording):
    said = example("pitch.py", recording)
    median = float(said.split("median ")[1].split(" Hz")[0])
    assert 70 < median < 140


def test_only_features(example, recording, tmp_path):
    said = example("features.py", recording, tmp_path / "features.npy")
    assert np.load(tmp_path / "features.npy").shape == (49, 192) and "49 frames" in said


def test_an_array(example, recording, tmp_path):
    example("convert_array.py", recording, tmp_path / "out.wav")
    assert soundfile.info(tmp_path / "out.wav").duration == DURATION


def test_a_batch(example, recording, tmp_path):
    said = example("batch.py", tmp_path / "out", recording)
    assert soundfile.info(tmp_path / "out" / "spoken.wav").duration == DURATION
    assert "of real time" in said and "100%" in said


def test_ones_own_f0(example, recording, tmp_path):
    from mlx_f0 import load

    example("own_f0.py", recording, tmp_path / "out.wav")
    audio, rate = soundfile.read(tmp_path / "out.wav", dtype="float32")
    f0_hz = load("swift-f0").infer_from_audio(audio, rate)
    voiced = f0_hz[f0_hz > 0]
    wanted = load("swift-f0").infer_from_audio(*soundfile.read(recording, dtype="float32"))
    cents = 1200 * np.log2(voiced / np.median(wanted[wanted > 0]))
    assert len(voiced) > 30 and np.median(np.abs(cents)) < 30
