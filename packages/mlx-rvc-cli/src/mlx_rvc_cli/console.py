"""What commands say: progress on stderr, results on stdout as text or JSON."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import sys
import time
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol, TextIO

from mlx_rvc_cli.errors import printable

_PLAIN_INTERVAL = 10.0  # s between lines of progress where stderr is not a terminal


class Progress(Protocol):
    """What `progress` yields."""

    def advance(self, amount: float = 1) -> None:
        """Add to what is done."""

    def update(self, done: float, total: float | None = None) -> None:
        """Set what is done, and the total when it has become known."""

    def describe(self, description: str) -> None:
        """Say what is being done now."""

    def note(self, text: str) -> None:
        """Print a line on stderr that stays, above the bar where there is one."""


_silent: ContextVar[bool] = ContextVar("silent", default=False)


@contextmanager
def silenced() -> Iterator[None]:
    """Let `progress`, `emit` and warnings say nothing in a `with` block; errors still speak."""
    token = _silent.set(True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        _silent.reset(token)


@contextmanager
def progress(description: str, total: float | None = None) -> Iterator[Progress]:
    """Show on stderr how far a long task is; `total` in any unit, None = not known.

    On a terminal a bar with the time left, removed at the end. Elsewhere (a log file) one line
    every ten seconds, so that short tasks print nothing. stdout is never touched.
    """
    if _silent.get():
        yield _Nothing()
    elif sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        with _bar(description, total) as shown:
            yield shown
    else:
        yield _Lines(description, total)


@contextmanager
def _bar(description: str, total: float | None) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with RichProgress(*columns, console=Console(stderr=True), transient=True) as rich:
        task = rich.add_task(printable(description), total=total)

        class Bar:
            def advance(self, amount: float = 1) -> None:
                rich.advance(task, amount)

            def update(self, done: float, total: float | None = None) -> None:
                rich.update(task, completed=done, total=total)

            def describe(self, description: str) -> None:
                rich.update(task, description=printable(description))

            def note(self, text: str) -> None:
                rich.console.print(printable(text), markup=False, highlight=False)

        yield Bar()


class _Nothing:
    def advance(self, amount: float = 1) -> None:
        pass

    def update(self, done: float, total: float | None = None) -> None:
        pass

    def describe(self, description: str) -> None:
        pass

    def note(self, text: str) -> None:
        pass


class _Lines:
    def __init__(self, description: str, total: float | None) -> None:
        self._description = printable(description)
        self._total = total
        self._done = 0.0
        self._start = self._shown = time.monotonic()

    def advance(self, amount: float = 1) -> None:
        self.update(self._done + amount)

    def update(self, done: float, total: float | None = None) -> None:
        self._done = done
        self._total = self._total if total is None else total
        now = time.monotonic()
        if now - self._shown < _PLAIN_INTERVAL:
            return
        self._shown = now
        share = f"{100 * min(done / self._total, 1):.0f} %" if self._total else f"{done:g}"
        self.note(f"{self._description}: {share} ({now - self._start:.0f} s)")

    def note(self, text: str) -> None:
        print(printable(text), file=sys.stderr)

    def describe(self, description: str) -> None:
        self._description = printable(description)


_stdout_is_data = False


def reserve_stdout(reserved: bool = True) -> None:
    """Say that stdout carries a recording: results and errors as JSON go to stderr from now on."""
    global _stdout_is_data  # noqa: PLW0603  # as sys.stdout itself, one for the process
    _stdout_is_data = reserved


def results() -> TextIO:
    """Where a command's result goes: stdout, or stderr when stdout carries a recording."""
    return sys.stderr if _stdout_is_data else sys.stdout


def emit(
    data: Mapping[str, Any],
    *,
    as_json: bool,
    text: str | Callable[[], str] | None = None,
) -> None:
    """Print the result of a command on stdout: one JSON object, or text for people.

    On stderr after `reserve_stdout`.

    `text` is what people read, or a function that makes it; without it, `data` as a table of
    names and values. In JSON, NumPy arrays and scalars, paths, dataclasses, sets and tuples
    become plain values, and NaN and infinities become null. Nothing is printed in `silenced`.
    """
    if _silent.get():
        return
    if as_json:
        # Readable where the stream can hold it, valid JSON everywhere.
        unicode = (getattr(results(), "encoding", None) or "").lower().startswith("utf")
        said = json.dumps(_plain(data), ensure_ascii=not unicode, indent=2, allow_nan=False)
    elif text is None:
        said = format_table(data.items())
    else:
        said = text() if callable(text) else text
    print(said, file=results())


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _plain(dataclasses.asdict(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    # NumPy and MLX arrays and scalars have tolist, without importing either library.
    plain = getattr(value, "tolist", None)
    return _plain(plain()) if plain is not None else str(value)


def table(
    rows: Iterable[Sequence[Any]], headers: Sequence[str] | None = None, *, to_stderr: bool = False
) -> None:
    """Print rows as aligned columns on stdout (or stderr); see format_table."""
    print(format_table(rows, headers), file=sys.stderr if to_stderr else sys.stdout)


def format_table(rows: Iterable[Sequence[Any]], headers: Sequence[str] | None = None) -> str:
    """Return rows as lines of aligned columns, numbers to the right, no trailing blanks.

    Nothing is cut to a terminal's width, so that the text can be piped and searched. Wide (East
    Asian) characters count as two columns.
    """
    cells = [list(row) for row in rows]
    if not cells and not headers:
        return ""
    width = max(len(row) for row in [*cells, list(headers or ())])
    lines = [[_cell(value) for value in row] + [""] * (width - len(row)) for row in cells]
    right = [
        bool(cells)
        and all(
            isinstance(row[i], int | float) and not isinstance(row[i], bool)
            for row in cells
            if i < len(row)
        )
        for i in range(width)
    ]
    if headers:
        head = [_cell(name) for name in headers] + [""] * (width - len(headers))
        lines.insert(0, head)
    widths = [max(_columns(line[i]) for line in lines) for i in range(width)]
    if headers:
        lines.insert(1, ["-" * size for size in widths])
    return "\n".join(
        "  ".join(
            " " * (size - _columns(cell)) + cell
            if to_right
            else cell + " " * (size - _columns(cell))
            for cell, size, to_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    )


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return ", ".join(_cell(item) for item in value)
    return printable(str(value))


def _columns(text: str) -> int:
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )
