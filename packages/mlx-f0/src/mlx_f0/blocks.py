"""A method that takes a clip whole, run over a recording of any length.

    block k      |--context--|........ 30 s ........|--context--|
    block k + 1                              |--context--|........ 30 s ........|--context--|
    joined       .....................................|............................
                                        where both say the same

Blocks overlap by two seconds on either side of their border. They are joined within half of that,
where both are unvoiced, or else where both agree on the pitch: a method that follows a voiced
stretch from its beginning then has the same beginning in both.

Blocks are not long, because harvest's memory and time grow with the square of what it is given.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from .grid import HOP, frame_count
from .methods import Progress

Tracker: TypeAlias = Callable[[np.ndarray, bool], np.ndarray]
"""Called with audio (n,) of a block and whether the recording ends with it, gives F0
(n // 160 + 1,)."""

BLOCK = 3000
"""Frames of a block, about: 30 s. What is shorter than one and a half is one block."""

CONTEXT = 200
"""Frames that a block sees on either side of its own."""

AGREEMENT = 1e-4
"""Relative difference up to which two pitches are the same."""


def borders(frames: int) -> list[int]:
    """Frames where blocks of about equal size meet, with 0 and `frames`."""
    count = max(round(frames / BLOCK), 1)
    return [frames * place // count for place in range(count + 1)]


def joined(
    curve: Tracker,
    read: Callable[[int, int], np.ndarray],
    samples: int,
    progress: Progress | None = None,
) -> np.ndarray:
    """F0 (frames,) of a recording at 16 kHz.

    Args:
        curve: the method.
        read: called with (start, stop), gives audio (stop - start,); never more than 50 s.
        samples: length of the recording, at least 1.
        progress: called with (frames done, frames in all) after each block.
    """
    frames = frame_count(samples)
    done: list[np.ndarray] = []
    taken = 0  # frames in `done`
    before, before_first = np.empty(0), 0
    for start, stop in pairwise(borders(frames)):
        first, last = max(start - CONTEXT, 0), min(stop + CONTEXT, frames)
        end = samples if last == frames else (last - 1) * HOP
        block = curve(read(first * HOP, end), last == frames)
        if start > 0:
            cut = _meeting(before[first - before_first :], block, start - first) + first
            done.append(before[taken - before_first : cut - before_first])
            taken = cut
        before, before_first = block, first
        if progress is not None:
            progress(stop, frames)
    done.append(before[taken - before_first :])
    return np.concatenate(done)


def _meeting(before: np.ndarray, after: np.ndarray, border: int) -> int:
    """The frame near `border` at which to change over between two curves that begin together."""
    low = max(border - CONTEXT // 2, 0)
    stop = min(border + CONTEXT // 2, len(before), len(after))
    one, other = before[low:stop], after[low:stop]
    silent = (one == 0) & (other == 0)
    same = (one > 0) & (other > 0) & (np.abs(one - other) <= AGREEMENT * one)
    for agreed in (silent, same):
        places = np.flatnonzero(agreed)
        if len(places):
            return low + int(places[np.argmin(np.abs(places + low - border))])
    return border
