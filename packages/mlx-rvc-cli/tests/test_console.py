"""Progress, tables and results."""

import dataclasses
import io
import json
import pathlib
import sys
import warnings

import numpy as np
import pytest

from mlx_rvc_cli import console
from mlx_rvc_cli.console import emit, format_table, progress, silenced, table


def test_table_aligns_and_cleans():
    rows = [("声", 1, True), ("name\x1b[2J", 12.5, None), (["a", 2], 3, False)]
    lines = format_table(rows, ["voice", "n", "ok"]).splitlines()
    assert lines == [
        "voice        n  ok",
        "--------  ----  ---",
        "声           1  yes",
        "name [2J  12.5  -",
        "a, 2         3  no",
    ]


def test_table_of_nothing():
    assert format_table([]) == ""
    assert format_table([], ["a", "b"]).splitlines()[0] == "a  b"


def test_short_rows_are_filled(capsys):
    table([("a",), ("b", 2)])
    assert capsys.readouterr().out == "a\nb  2\n"
    table([("a",)], to_stderr=True)
    assert capsys.readouterr() == ("", "a\n")


@dataclasses.dataclass
class Config:
    rates: tuple
    path: pathlib.Path


def test_emit_json_makes_everything_plain(capsys):
    data = {
        "array": np.array([1.5, np.nan]),
        "scalar": np.float32(2),
        "flag": np.bool_(True),
        "nan": float("inf"),
        "config": Config((1, 2), pathlib.Path("x")),
        "name": "声",
        3: {"a"},
    }
    emit(data, as_json=True, text="not this")
    out = capsys.readouterr().out
    assert json.loads(out) == {
        "array": [1.5, None],
        "scalar": 2.0,
        "flag": True,
        "nan": None,
        "config": {"rates": [1, 2], "path": "x"},
        "name": "声",
        "3": ["a"],
    }
    assert "声" in out


def test_emit_json_is_valid_on_an_ascii_terminal(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="backslashreplace")
    monkeypatch.setattr(sys, "stdout", stream)
    emit({"name": "声é"}, as_json=True)
    stream.flush()
    assert json.loads(stream.buffer.getvalue()) == {"name": "声é"}


def test_emit_text(capsys):
    emit({"a": 1}, as_json=False, text="hello")
    emit({"a": 1}, as_json=False, text=lambda: "lazy")
    emit({"a": 1, "long": "x"}, as_json=False)
    assert capsys.readouterr().out == "hello\nlazy\na     1\nlong  x\n"


def test_progress_of_short_tasks_prints_nothing_in_a_log(capsys):
    with progress("working", 10) as shown:
        for _ in range(10):
            shown.advance()
    assert capsys.readouterr() == ("", "")


def test_progress_of_long_tasks_prints_a_line_now_and_then(capsys, monkeypatch):
    clock = iter(range(0, 1000, 4))
    monkeypatch.setattr(console.time, "monotonic", lambda: float(next(clock)))
    with progress("working", 10) as shown:
        for _ in range(10):
            shown.advance()
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "working: 30 % (12 s)",
        "working: 60 % (24 s)",
        "working: 90 % (36 s)",
    ]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_on_a_terminal_is_a_bar(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    with progress("wor[b]king", 4) as shown:
        shown.update(2)
        shown.advance()
        shown.update(4, total=8)
    assert "wor[b]king" in stream.getvalue()
    assert "50 %" in stream.getvalue()


def test_progress_says_lines_that_stay(monkeypatch, capsys):
    with progress("working", 10) as shown:
        shown.describe("the\x1b second")
        shown.note("first: [done]\x07")
    assert capsys.readouterr().err == "first: [done]\n"
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with progress("working", 10) as shown:
        shown.describe("the second")
        shown.note("first: [done]")
    assert "first: [done]" in terminal.getvalue() and "the second" in terminal.getvalue()


def test_errors_pass_through_progress():
    with pytest.raises(KeyError), progress("working"):
        raise KeyError


def test_silenced_says_nothing(capsys):
    with silenced():
        with progress("work", total=1) as shown:
            shown.advance()
            shown.update(1)
            shown.note("half")
        emit({"a": 1}, as_json=True)
        emit({"a": 1}, as_json=False)
        warnings.warn("careful", stacklevel=1)
    assert capsys.readouterr() == ("", "")
    emit({"a": 1}, as_json=False, text="one")
    assert capsys.readouterr() == ("one\n", "")


def test_a_note_is_a_line_on_stderr(capsys):
    with progress("work", total=1) as shown:
        shown.note("half\x1b[2J done")
    assert capsys.readouterr() == ("", "half [2J done\n")
