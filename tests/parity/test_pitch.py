"""The pitch benchmark's measures by mir_eval, and a run of it, ours beside the originals."""

import json

import numpy as np
import pytest
from tracking.agreement import judged
from tracking.groups import grouped
from tracking.scores import scores
from tracking.signals import Signal

import pitch


def test_the_measures():
    #                 right  off   octave missed unvoiced, heard  unvoiced
    truth = np.array([100.0, 100, 100, 100, 0, 0, 0, 100], np.float32)
    found = np.array([102.0, 104, 201, 0, 80, 0, 0, 100], np.float32)
    assert scores(truth, found) == pytest.approx(
        {
            "pitch": 100 * 2 / 5, "chroma": 100 * 3 / 5, "octave": 100 * 1 / 4,
            "recall": 100 * 4 / 5, "false_alarm": 100 / 3, "overall": 100 * 4 / 8,
        }
    )  # fmt: skip


def test_where_all_is_voiced_there_are_no_false_alarms():
    found = scores(np.full(4, 100.0), np.array([100.0, 0, 100, 100]))
    assert found == {"pitch": 75, "chroma": 75, "octave": 0, "recall": 75}
    with pytest.raises(ValueError, match="unvoiced everywhere"):
        scores(np.zeros(4), np.ones(4))
    with pytest.raises(ValueError, match="expected"):
        scores(np.ones(4), np.ones(5))


def test_groups_of_frames():
    truth = np.array([0, 100, 300, 600], np.float32)
    audio = np.zeros(480, np.float32)
    signals = [
        Signal("s", curve, condition, audio, truth)
        for curve, condition in (("glide", "clean"), ("leaps", "clean"), ("leaps", "white 0 dB"))
    ]
    right, low, silent = truth, truth / 2, np.zeros_like(truth)
    found = grouped(signals, [right, low, silent])
    pitch_of = {name: each["pitch"] for name, each in found.items()}
    assert pitch_of == pytest.approx(
        {
            "all": 100 / 3, "clean": 50, "glide": 100, "leaps": 0, "white 0 dB": 0,
            "60-120 Hz": 50, "250-500 Hz": 50, "500-1000 Hz": 50,
        }
    )  # fmt: skip
    assert "overall" not in found["60-120 Hz"] and found["leaps"]["octave"] == 100


def test_a_method_is_judged_by_the_others():
    right, wrong = np.array([200.0, 200, 0, 0]), np.array([400.0, 200, 0, 90])
    others = {f"{name} (original)": [right] for name in ("harvest", "pm", "crepe-tiny", "swift-f0")}
    found = judged("fcpe", {**others, "fcpe (original)": [right], "fcpe": [wrong]})
    assert (found["pitch"], found["false_alarm"], found["counted"]) == (50, 50, 100)
    disputed = {**others, "pm (original)": [right * 1.1], "harvest (original)": [right * 1.2]}
    assert judged("fcpe", {**disputed, "fcpe": [wrong]}) is None
    lonely = {**others, "pm (original)": [right * 1.1]}  # the other three still agree
    assert judged("fcpe", {**lonely, "fcpe": [right]})["pitch"] == 100


def test_a_sample_of_it(tmp_path, capsys):
    """Ours and the originals that need no network, and a run that is resumed."""
    command = ["--quick", "--methods", "pm", "dio", "swift-f0", "--out", str(tmp_path)]
    assert pitch.main(command) == 0, capsys.readouterr().out
    told = capsys.readouterr().out
    assert all(f"{name}: equal to its original" in told for name in ("pm", "dio", "swift-f0"))
    first = json.loads((tmp_path / "pitch.json").read_text())
    assert first["methods"]["swift-f0"]["scores"]["clean"]["pitch"] > 80
    assert first["methods"]["dio"]["time"]["median"] < 1
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "curves").iterdir()}
    assert len(kept) == 7
    assert pitch.main([*command, "--resume"]) == 0
    assert kept == {path: path.stat().st_mtime_ns for path in (tmp_path / "curves").iterdir()}
    second = json.loads((tmp_path / "pitch.json").read_text())
    assert second["methods"] == first["methods"]
