"""`mlx-rvc features`, run as a user runs it."""

import json
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from mlx_rvc_cli import main, resample

RATE = 44100


@pytest.fixture
def recording(tmp_path):
    """One second of stereo at 44.1 kHz."""
    time = np.arange(RATE) / RATE
    stereo = 0.3 * np.stack([np.sin(2800 * time), np.sin(1700 * time)], axis=1)
    soundfile.write(tmp_path / "in.wav", stereo, RATE)
    return tmp_path / "in.wav"


@pytest.fixture
def encoder(post_norm, tmp_path):
    return post_norm.folder(tmp_path / "encoder")


def expected(golden, recording, **options):
    samples, _ = soundfile.read(recording, dtype="float32")
    mono = resample(samples.mean(axis=1), RATE, 16000)
    return np.array(golden.model().extract(mono, **options))[0]


@pytest.mark.parametrize(
    ("flags", "options", "width"),
    [
        ([], {}, 24),
        (["--layer", "2"], {"layer": 2}, 24),
        (["--layer", "2", "--project"], {"layer": 2, "project": True}, 8),
    ],
)
def test_features(post_norm, recording, encoder, capsys, flags, options, width):
    out = recording.with_name("out.npy")
    command = ["features", str(recording), str(out), "--contentvec", str(encoder), "--json"]
    assert main([*command, *flags]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["frames"] == 49
    assert summary["width"] == width
    assert summary["layer"] == options.get("layer", 3)
    assert summary["projected"] == ("project" in options)
    assert summary["duration_s"] == 1.0
    values = np.load(out)
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, expected(post_norm, recording, **options), rtol=0, atol=1e-5)


def test_summary_for_people(recording, encoder, capsys):
    out = recording.with_name("out.npy")
    assert main(["features", str(recording), str(out), "--contentvec", str(encoder)]) == 0
    printed = capsys.readouterr()
    assert "49 frames × 24 from 1.00 s" in printed.out
    assert printed.err == ""


@pytest.mark.parametrize(
    ("arguments", "text", "status"),
    [
        (["in.wav", "out.txt"], "out.txt: features are written as .npy", 1),
        (["in.wav", "nowhere/out.npy"], "does not exist", 1),
        (["absent.wav", "out.npy"], "absent.wav", 1),
        (["in.wav", "out.npy", "--contentvec", "absent"], "absent", 1),
        (["in.wav", "out.npy", "--contentvec", "encoder", "--layer", "4"], "layers 1 to 3", 1),
        (["in.wav", "out.npy", "--layer", "0"], "--layer", 2),
    ],
)
def test_refusals_leave_nothing(recording, encoder, capsys, monkeypatch, arguments, text, status):
    monkeypatch.chdir(recording.parent)
    before = sorted(recording.parent.iterdir())
    assert main(["features", *arguments]) == status
    printed = capsys.readouterr()
    assert text in printed.err
    assert printed.err.count("\n") == 1
    assert sorted(recording.parent.iterdir()) == before


def test_help_needs_no_array_library():
    code = (
        "import sys, mlx_contentvec.command; "
        "sys.exit(any(m in sys.modules for m in ('mlx.core', 'numpy', 'soundfile')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
