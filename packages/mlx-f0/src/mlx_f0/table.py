"""F0 files: a table `time,Hz` in seconds and Hz, 0 = unvoiced, as RVC programs exchange it."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np

FRAME_RATE = 100
"""Frames of F0 in a second."""

HEADER = "time,Hz"


def read_table(path: str | os.PathLike[str]) -> tuple[np.ndarray, np.ndarray]:
    """Read an F0 file.

    One point a line, `seconds,Hz`; times rise, Hz is 0 where unvoiced. A first line of words and
    empty lines are passed over.

    Returns:
        Times in seconds and F0 in Hz, float64 (points,) each.

    Raises:
        ValueError: the line that is no such point, with its number, or no points.
        OSError: the file cannot be read.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not text; expected a table of lines {HEADER}") from None
    times: list[float] = []
    f0: list[float] = []
    for number, line in enumerate(lines, start=1):
        fields = [field.strip() for field in line.split(",")]
        if not line.strip() or (number == 1 and _is_header(fields)):
            continue
        problem = _problem(fields, times[-1] if times else -1.0)
        if problem is not None:
            shown = line.strip() if len(line) < 60 else line.strip()[:57] + "..."
            raise ValueError(f"{path}, line {number}: {problem} in {shown!r}; expected {HEADER}")
        times.append(float(fields[0]))
        f0.append(float(fields[1]))
    if not times:
        raise ValueError(f"{path} holds no points; expected lines {HEADER}, as in 0.010,220.5")
    return np.array(times), np.array(f0)


def write_table(path: str | os.PathLike[str], f0: np.ndarray) -> None:
    """Write a curve (frames,), frame i at i * 10 ms, or several side by side; see `columns`."""
    write_columns(path, {"Hz": f0})


def write_columns(path: str | os.PathLike[str], curves: dict[str, np.ndarray]) -> None:
    """Write curves (frames,) of one length as columns beside `time`, named as they are given.

    Only a table of one column can be read by `read_table`.
    """
    stacked = np.stack(list(curves.values()), axis=1)
    rows = [
        ",".join([f"{frame / FRAME_RATE:.3f}", *(f"{hz:.3f}" for hz in row)])
        for frame, row in enumerate(stacked)
    ]
    text = "\n".join([",".join(["time", *curves]), *rows, ""])
    Path(path).write_text(text, encoding="utf-8")


def override(f0: np.ndarray, times: np.ndarray, hz: np.ndarray) -> np.ndarray:
    """Put an F0 file in place of a curve (frames,), from its first point to its last.

    Between points F0 is interpolated linearly, as in RVC, also between a pitch and 0: for a note
    that ends, write its last pitch and, 10 ms later, 0. RVC replaces as many frames as the file
    spans but from the very beginning; for files that start at 0 s that is the same.

    Raises:
        ValueError: the file begins after the curve ends.
    """
    first = round(times[0] * FRAME_RATE)
    if first >= len(f0):
        raise ValueError(
            f"the F0 file begins at {times[0]:.2f} s, the recording ends at "
            f"{(len(f0) - 1) / FRAME_RATE:.2f} s; give the file that belongs to it"
        )
    stop = min(round(times[-1] * FRAME_RATE) + 1, len(f0))
    result = np.array(f0, np.float32)
    result[first:stop] = np.interp(np.arange(first, stop), times * FRAME_RATE, hz)
    return result


def _is_header(fields: list[str]) -> bool:
    return len(fields) == 2 and all(field[:1].isalpha() for field in fields)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _problem(fields: list[str], before: float) -> str | None:
    """What is wrong with the fields of a line, whose time must lie after `before`."""
    if len(fields) != 2:
        return "not two numbers"
    time, hz = (_number(field) for field in fields)
    if time is None or hz is None:
        return "not two numbers"
    if not (math.isfinite(time) and math.isfinite(hz) and time >= 0 and hz >= 0):
        return "a number that is negative or not finite"
    if time <= before:
        return f"a time that does not come after {before:g} s"
    return None
