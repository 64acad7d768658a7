"""What the benchmark makes of its measurements; measuring itself needs PyTorch."""

import json

import clip
import numpy as np
import pytest
import record
import report
import stages
from summary import Summary, gemm_peak

import run

MACHINE = {
    "processor": "a processor", "architecture": "x86_64", "cores": 2, "memory_gb": 8, "system": "S",
    "python": "3", "device": "cpu", "versions": {"mlx": "1"}, "blas": {}, "environment": {},
    "commit": "abc",
}  # fmt: skip
ABOUT = {"machine": MACHINE, "threads": 2, "quick": False, "lengths": [5.0], "rates": ["48k"]}


def row(ours, other, **changes):
    times = {"ours": ours, "other": other}
    load = {"before": 0.1, "after": 0.5, "steal": 0.02}
    return {
        "against": "pytorch", "stage": "synthesizer", "rate": "48k", "seconds": 5.0, "times": times,
        "macs": 300 * 10**9, "repeats": len(ours), "load": load, "difference": 2e-7, **changes,
    }  # fmt: skip


def test_the_ratio_is_that_of_runs_side_by_side():
    """A moment that slows both sides down leaves the ratio alone."""
    found = Summary.of(row([2.0, 4.0, 2.0], [3.0, 6.0, 3.2]))
    assert (found.ratio.low, found.ratio.median, found.ratio.high) == (1.5, 1.5, 1.6)
    assert (found.ours.median, found.other.median) == (2.0, 3.2)
    assert (found.ours_gflops, found.real_time_factor) == (300, 0.4)
    assert found.wide
    assert not Summary.of(row([2.0, 2.1], [3.0, 3.1])).wide


def test_the_table_names_what_was_measured(tmp_path):
    book = record.Book.open(tmp_path, ABOUT, resume=False)
    book.add("gemm", {"when": "start", "gflops": {"numpy_2": 500.0, "torch_2": 600.0},
                      "load": {"before": 0, "after": 0, "steal": None}})  # fmt: skip
    book.add("rows", row([2.0, 2.0], [3.0, 3.0]))
    book.add("rows", row([0.5], [20.0], against="mlx", seconds=0.2))
    for side, peak in (("ours", 1000.0), ("pytorch", 2000.0)):
        book.add("memory", {"side": side, "rate": "48k", "seconds": 5.0, "loaded_mb": 500.0,
                            "peak_mb": peak, "seconds_taken": 1})  # fmt: skip
    for seconds, factor in ((30.0, 0.5), (300.0, 0.52)):
        stage_seconds = {"all": seconds * factor, "voice": seconds * factor}
        book.add("scale", {"rate": "48k", "seconds": seconds, "stages": stage_seconds})
    book.set("startup", {"import mlx_rvc": [0.2, 0.3, 0.4]})
    data = record.read(tmp_path)
    assert gemm_peak(data) == 600
    table = report.markdown(data)
    for text in (
        "a processor", "NOT FINISHED", "| synthesizer, 48k | 5 | 2.00 (2.00-2.00) | 3.00 (3.00-3.00) "
        "| **1.50** (1.50-1.50) | 0.4 | 300 / 200 | 50% | 2e-07 | 2 | 0.1 → 0.5, 2.0% |",
        "| 0.50 | 20.00 | **40** | 1 |",
        "| 48k | 5 | 500 → 1000 | 500 → 2000 | 0.50 |",
        "| voice | 0.5000 | 0.5200 | +4.0% |", "| `import mlx_rvc` | 0.30 (0.20-0.40) |",
    ):  # fmt: skip
        assert text in table
    assert "‡" not in table


def test_a_stopped_run_is_gone_on_with_only_where_it_was_begun(tmp_path):
    book = record.Book.open(tmp_path, ABOUT, resume=False)
    book.add("rows", row([1.0], [1.0]))
    with pytest.raises(record.RecordError, match="--resume"):
        record.Book.open(tmp_path, ABOUT, resume=False)
    longer = {**ABOUT, "lengths": [5.0, 60.0], "rates": ["40k"]}
    again = record.Book.open(tmp_path, longer, resume=True)
    assert (again.data["lengths"], again.data["rates"]) == ([5.0, 60.0], ["48k", "40k"])
    assert again.has("pytorch", "synthesizer", "48k", 5.0)
    assert not again.has("pytorch", "synthesizer", "40k", 5.0)
    other = {**ABOUT, "machine": {**MACHINE, "commit": "def"}}
    with pytest.raises(record.RecordError, match="commit abc, this is def"):
        record.Book.open(tmp_path, other, resume=True)
    assert len(json.loads((tmp_path / "result.json").read_text())["rows"]) == 1


def test_what_a_run_has_is_not_measured_again(tmp_path, monkeypatch):
    """Fewer runs than the record has never replace them, nor does another look at the start-up."""
    monkeypatch.setattr("scale.measure", lambda *_: pytest.fail("measured the scale again"))
    monkeypatch.setattr("startup.measure", lambda: pytest.fail("measured the start-up again"))
    book = record.Book.open(tmp_path, ABOUT, resume=False)
    before = [{"rate": "48k", "seconds": s, "stages": {"all": s}} for s in (30.0, 300.0) * 2]
    book.set("scale", before)
    book.set("startup", {"import mlx_rvc": [0.2]})
    options = run.parse(["--resume", "--repeats", "1"])
    again = run.Benchmark(options, None, book, 2)
    again.scale()
    again.startup()
    data = record.read(tmp_path)
    assert (data["scale"], data["startup"]) == (before, {"import mlx_rvc": [0.2]})


def test_the_scale_and_the_memory_belong_to_the_chain():
    def asked(*arguments):
        return run.extras(run.parse([*arguments]))

    assert asked("--stages", "chain", "--lengths", "300") == ["startup", "memory", "scale"]
    assert asked("--stages", "chain", "--lengths", "60") == ["startup", "memory"]
    assert asked("--stages", "index", "--lengths", "300") == ["startup"]


def test_pieces_are_counted_and_cut_alike():
    features = np.zeros((10, 768), np.float32)
    given = clip.cut(150.0, features)
    lengths = [piece.seconds for piece in given.pieces(60)]
    assert lengths == [60, 60, 30]
    assert sum(len(piece.audio) for piece in given.pieces(60)) == len(given.audio) == 150 * 16000
    stage = stages.STAGES["synthesizer"]
    whole = stages.macs(stage, "48k", 150.0)
    assert whole == 2 * stages.macs(stage, "48k", 60.0) + stages.macs(stage, "48k", 30.0)
