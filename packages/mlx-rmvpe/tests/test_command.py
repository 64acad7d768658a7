import json
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from mlx_rvc_cli.host import main


@pytest.fixture
def recording(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "voice.wav"
    soundfile.write(path, 0.1 * rng.standard_normal((22050, 2)), 44100)
    return path


@pytest.fixture
def run(capsys, toy_path):
    def run(*arguments):
        status = main(["f0", *map(str, arguments), "--rmvpe", str(toy_path)])
        out, err = capsys.readouterr()
        return status, out, err

    return run


def expected(toy, recording):
    audio, rate = soundfile.read(recording, dtype="float32")
    return toy.infer_from_audio(audio.mean(axis=1, dtype=np.float32), rate)


def test_csv(run, recording, tmp_path, toy):
    target = tmp_path / "curve.csv"
    status, out, err = run(recording, target)
    assert status == 0, err
    lines = target.read_text().splitlines()
    assert lines[0] == "time,Hz"
    table = np.array([line.split(",") for line in lines[1:]], float)
    curve = expected(toy, recording)
    assert len(table) == len(curve) == 51
    np.testing.assert_allclose(table[:, 0], np.arange(51) / 100)
    np.testing.assert_allclose(table[:, 1], curve, atol=1e-3)
    assert "0.50 s" in out and "Hz" in out and str(target) in out


def test_npy_and_json(run, recording, tmp_path, toy):
    target = tmp_path / "curve.npy"
    status, out, _ = run(recording, target, "--json")
    assert status == 0
    curve = np.load(target)
    np.testing.assert_array_equal(curve, expected(toy, recording))
    data = json.loads(out)
    assert data["frames"] == 51 and data["duration_s"] == 0.5
    assert data["output"] == str(target)
    assert data["median_hz"] == pytest.approx(np.median(curve[curve > 0]), abs=0.01)
    assert data["lowest_hz"] <= data["median_hz"] <= data["highest_hz"]


def test_png(run, recording, tmp_path):
    target = tmp_path / "curve.png"
    status, _, err = run(recording, target)
    assert status == 0, err
    assert target.read_bytes().startswith(b"\x89PNG")


def test_summary_alone_and_nothing_voiced(run, recording, tmp_path):
    before = set(tmp_path.iterdir())
    status, out, _ = run(recording, "--threshold", 1, "--json")
    assert status == 0 and set(tmp_path.iterdir()) == before
    data = json.loads(out)
    assert data["voiced_share"] == 0 and data["median_hz"] is None and data["output"] is None


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["curve.txt"], 1, ".csv, .npy, .png"),
        (["missing/curve.csv"], 1, "does not exist"),
        (["--threshold", "1.5"], 2, "threshold"),
    ],
)
def test_mistakes_are_one_line(run, recording, tmp_path, arguments, status, message, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found, _, err = run(recording, *arguments)
    assert found == status
    assert message in err and len(err.strip().splitlines()) == 1


def test_help_loads_no_array_library():
    code = (
        "import sys, mlx_rmvpe.command; heavy = {'mlx', 'mlx.core', 'numpy', 'soundfile'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
