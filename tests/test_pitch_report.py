"""What the pitch benchmark says of its measurements: tables, plot, and whether ours are equal."""

import json

import pytest
from tracking import report
from tracking.conditions import CONDITIONS
from tracking.curves import CURVES
from tracking.groups import ALL
from tracking.report import RANGES

import pitch

ABOUT = {
    "date": "2026-01-01", "processor": "a processor", "cores": 2, "load": 0.5,
    "system": "S", "python": "3", "device": "cpu", "versions": {"mlx": "1"}, "commit": "abc",
    "quick": False, "signals": 130, "seconds": 500.0, "sub_sample_signals": 11,
    "sub_sample_seconds": 44.0,
}  # fmt: skip


def row(pitch_percent, false_alarm=True):
    found = {"pitch": pitch_percent, "chroma": 95.0, "octave": 1.0, "recall": 97.0}
    return {**found, "false_alarm": 5.0, "overall": pitch_percent} if false_alarm else found


def result(percent, heavy=False, ratio=None, **changes):
    groups = {name: row(percent) for name in (ALL, *CONDITIONS, *CURVES)}
    groups |= {name: row(percent, false_alarm=False) for name in RANGES}
    return {
        "scores": None if heavy else {**groups, **changes},
        "sub_sample": {**groups, **(changes if heavy else {})},
        "agreement": {"singing": {**row(88.0), "counted": 91.0}, "speech": None},
        "time": {"median": 0.1, "low": 0.08, "high": 0.2, "processor": 0.09, "runs": 7},
        "ratio": ratio,
    }


def record(methods, **changes):
    return {
        "about": ABOUT, "methods": methods, "apart": report.apart(methods),
        "missing": {"rmvpe": "no weights"}, "failed": {}, **changes,
    }  # fmt: skip


def test_equal_within_a_fifth_of_a_point_in_every_group():
    same = record({"a": result(90.0), "a (original)": result(90.1), "b": result(50.0)})
    assert list(same["apart"]) == ["a"] and report.status(same) == 0
    assert same["apart"]["a"]["points_in_all"] == pytest.approx(0.1)
    one = {"a": result(90.0), "a (original)": result(90.0, **{"pink 0 dB": row(90.3)})}
    different = record(one)
    assert report.status(different) == 1
    assert different["apart"]["a"]["where"] == "raw pitch, pink 0 dB"
    assert different["apart"]["a"]["points_in_all"] == 0
    assert "a: NOT EQUAL" in report.verdict(different)
    assert "**no**" in report.markdown(different)


def test_of_a_heavy_method_single_conditions_are_not_compared():
    """Each is one signal of the sub-sample; what is over all of them is compared."""
    one = {"a": result(90.0, heavy=True), "a (original)": result(90.0, True, clean=row(10.0))}
    assert record(one)["apart"]["a"]["points"] == 0
    two = {"a": result(90.0, heavy=True), "a (original)": result(90.0, True, all=row(89.0))}
    assert record(two)["apart"]["a"]["points"] == 1


def test_failures_count_and_what_is_missing_does_not():
    methods = {"a": result(90.0)}
    assert report.status(record(methods)) == 0
    assert report.status(record(methods, failed={"b": "broke"})) == 1
    assert report.status(record({})) == 1
    told = report.verdict(record(methods, failed={"b": "broke"}))
    assert told == "rmvpe was not measured: no weights\nb FAILED: broke"


def test_the_tables():
    text = report.markdown(
        record(
            {
                "a": result(90.0, ratio=[0.5, 0.4, 0.6]),
                "a (original)": result(90.1),
                "b": result(95.0),
                "c": result(80.0, heavy=True),
            }
        )
    )
    everything, sub = (
        part.split("###")[0] for part in text.split("signals\n", 1)[1].split("hear\n")
    )
    assert "| a | 90.0 | 95.0 | 1.0 | 97.0 | 5.0 | 90.0 | 0.1 (0.08-0.2) | 0.09 |" in everything
    assert "| c |" not in everything and "| c | 80.0" in sub
    assert "| a | 0.10 | 0.10 | raw pitch, all | yes | 0.50 (0.40-0.60) |" in text
    by_condition = text.split("Overall accuracy by condition")[1].split("###")[0]
    assert "(original)" not in by_condition and by_condition.count("**95.0**") == len(CONDITIONS)
    assert "| b | singing | 88.0 | 1.0 | 97.0 | 5.0 | 88.0 | 91.0 |" in text
    assert text.endswith("### Not measured\n\n- rmvpe: no weights\n")


def test_rendered_into_a_document(tmp_path, capsys):
    folder, document = tmp_path / "run", tmp_path / "docs" / "pitch.md"
    folder.mkdir()
    document.parent.mkdir()
    document.write_text("before\n<!-- result -->\nold\n<!-- /result -->\nafter\n")
    (folder / "pitch.json").write_text(json.dumps(record({"a": result(90.0)})))
    assert pitch.main(["--render", str(folder), "--into", str(document)]) == 0
    text = document.read_text()
    assert text.startswith("before\n<!-- result -->\n2026-01-01") and "old" not in text
    assert text.endswith("<!-- /result -->\nafter\n")
    assert document.with_name("pitch.png").read_bytes()[:4] == b"\x89PNG"
    assert json.loads(document.with_name("pitch.json").read_text())["methods"]["a"]
    assert "rmvpe was not measured" in capsys.readouterr().out
    document.write_text("no place")
    with pytest.raises(ValueError, match="no place for the result"):
        report.fill_in(folder, document)
