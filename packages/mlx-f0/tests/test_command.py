import json
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from mlx_f0 import Dio, Harvest
from mlx_rvc_cli.host import main


@pytest.fixture
def recording(tmp_path, song):
    audio, _ = song(2)
    path = tmp_path / "voice.wav"
    soundfile.write(path, np.stack([audio, audio], axis=1), 16000, subtype="FLOAT")
    return path


@pytest.fixture
def run(capsys, plugins):
    def run(*arguments):
        status = main(["f0", *map(str, arguments)])
        out, err = capsys.readouterr()
        return status, out, err

    return run


@pytest.fixture
def plugins(monkeypatch):
    """The commands of the host stay as they are; methods are this package's own."""
    import importlib.metadata

    from mlx_f0 import methods

    own = {"dio": "world:Dio", "harvest": "world:Harvest", "pm": "praat:Praat"}
    entries = {
        name: importlib.metadata.EntryPoint(name, f"mlx_f0.{value}", "mlx_f0.methods")
        for name, value in own.items()
    }
    monkeypatch.setattr(methods, "_entries", lambda: entries)


def expected(recording, method=Harvest):
    audio, rate = soundfile.read(recording, dtype="float32")
    return method().infer_from_audio(audio[:, 0], rate)


def test_csv(run, recording, tmp_path):
    target = tmp_path / "curve.csv"
    status, out, err = run(recording, target, "--method", "harvest")
    assert status == 0, err
    lines = target.read_text().splitlines()
    assert lines[0] == "time,Hz"
    table = np.array([line.split(",") for line in lines[1:]], float)
    np.testing.assert_allclose(table[:, 0], np.arange(201) / 100)
    np.testing.assert_allclose(table[:, 1], expected(recording), atol=1e-3)
    assert "2.00 s" in out and "Hz" in out and str(target) in out


def test_npy_and_json(run, recording, tmp_path):
    target = tmp_path / "curve.npy"
    status, out, _ = run(recording, target, "--method", "dio", "--json")
    assert status == 0
    curve = np.load(target)
    np.testing.assert_array_equal(curve, expected(recording, Dio))
    data = json.loads(out)
    (found,) = data["methods"].values()
    assert list(data["methods"]) == ["dio"] and found["frames"] == 201 and data["duration_s"] == 2
    assert data["output"] == str(target) and found["frames_outside_voice_range"] == 0
    assert found["median_hz"] == pytest.approx(np.median(curve[curve > 0]), abs=0.01)
    assert found["lowest_hz"] <= found["median_hz"] <= found["highest_hz"]


def test_settings_reach_the_method(run, recording, tmp_path):
    target = tmp_path / "curve.npy"
    settings = ["--f0-min", 150, "--f0-max", 300, "--filter-radius", 0, "--unvoiced", "interp"]
    assert run(recording, target, "--method", "dio", *settings)[0] == 0
    curve = np.load(target)
    assert curve.min() > 140 and curve.max() < 320
    assert (expected(recording, Dio) == 0).any() and expected(recording, Dio).max() > 320


def test_methods_side_by_side(run, recording, tmp_path):
    status, out, err = run(
        recording, tmp_path / "c.csv", "--method", "harvest,dio,hybrid[dio+harvest]"
    )
    assert status == 0, err
    lines = (tmp_path / "c.csv").read_text().splitlines()
    assert lines[0] == "time,harvest,dio,hybrid[dio+harvest]" and len(lines) == 202
    found = np.array([line.split(",")[1] for line in lines[1:]], float)
    np.testing.assert_allclose(found, expected(recording), atol=1e-3)
    assert all(f"\n{name} " in out for name in ("harvest", "dio", "hybrid[dio+harvest]"))
    assert "median Hz" in out


@pytest.mark.parametrize("methods", ["dio", "dio,harvest"])
def test_png(run, recording, tmp_path, methods):
    target = tmp_path / "curve.png"
    status, _, err = run(recording, target, "--method", methods)
    assert status == 0, err
    assert target.read_bytes().startswith(b"\x89PNG")


def test_pitches_that_no_voice_tells_apart_are_counted(run, tmp_path):
    from mlx_f0.testing import voice

    path = tmp_path / "high.wav"
    soundfile.write(path, voice(np.full(16000, 1300.0)), 16000)
    arguments = [path, "--method", "dio", "--f0-min", 200, "--f0-max", 2000]
    status, out, _ = run(*arguments)
    assert status == 0 and "frames outside the 50 to 1100 Hz that RVC voices tell apart" in out
    _, out, _ = run(*arguments, "--json")
    assert json.loads(out)["methods"]["dio"]["frames_outside_voice_range"] > 90


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--method", "dio", "--threshold", "1.5"], 2, "threshold"),
        (["curve.txt", "--method", "dio"], 1, ".csv, .npy, .png"),
        (["missing/curve.csv", "--method", "dio"], 1, "does not exist"),
        (["--method", "yin"], 1, "'yin' is unknown; installed are dio, harvest, pm"),
        (["--method", "dio,dio"], 1, "named twice"),
        (["--method", "dio", "--threshold", "0.5"], 1, "dio has none"),
        (["--method", "dio", "--f0-min", "5"], 1, "f0_min is 5"),
        (["--method", "dio", "--unvoiced", "hold"], 1, "choose one of zero, interp"),
        (["--method", "dio", "--weights", "x.pt"], 1, "Dio has no weights"),
        (["--method", "dio,harvest", "--weights", "x.pt"], 1, "whose weights is x.pt?"),
    ],
)
def test_mistakes_are_one_line(run, recording, tmp_path, arguments, status, message, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found, _, err = run(recording, *arguments)
    assert found == status
    assert message in err and len(err.strip().splitlines()) == 1


def test_help_loads_no_array_library():
    code = (
        "import sys, mlx_f0.command; heavy = {'mlx', 'numpy', 'pyworld', 'parselmouth'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
