"""Recordings as they should not be, and as they may well be: what each must become.

A case builds one input in an empty folder. Either it converts, to exactly `frames / rate` seconds,
or it is refused in one line that holds `words`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from broken_containers import CUT, HEADERS, NOT_AUDIO
from broken_signals import ENCODINGS, NAMES, RATES_AND_CHANNELS, SIGNALS


@dataclass(frozen=True)
class Case:
    """One input.

    build: given a folder, writes the input there and returns its path. frames, rate: of the sound
    in it; 0 frames means that it is refused. words: of the refusal. demo: convert it with the demo
    voice, whose answer to the sound is the point, not with stages of a few lines.
    """

    group: str
    name: str
    build: Callable[[Path], Path]
    frames: int = 0
    rate: int = 16000
    words: str = ""
    demo: bool = False


def _good(group, table, demo=False):
    return [
        Case(group, name, build, frames, rate, demo=demo) for name, build, frames, rate in table
    ]


def _either(group, table):
    """Rows (name, build, words or (frames, rate))."""
    return [
        Case(group, name, build, words=end)
        if isinstance(end, str)
        else Case(group, name, build, *end)
        for name, build, end in table
    ]


CASES = (
    *(
        Case("signals", name, build, frames, words=words, demo=True)
        for name, build, frames, words in SIGNALS
    ),
    *_good("rates and channels", RATES_AND_CHANNELS),
    *_good("encodings and containers", ENCODINGS),
    *_either("cut short", CUT),
    *_either("lying headers", HEADERS),
    *_either("not audio, or another kind", NOT_AUDIO),
    *_good("file names", NAMES),
)

_EXAMPLES = {
    "signals": "1 to 401 samples, silence, DC, NaN, denormals, squares, impulses, 1e38",
    "rates and channels": "1 to 384 kHz, 22051 Hz, 1 to 32 channels, channels that cancel",
    "encodings and containers": "8-bit to float64, A-law, ADPCM, GSM, RF64, W64, CAF, ALAC, AVI",
    "cut short": "wav, flac, ogg, mp3, m4a, webm: in headers, in the middle, the last byte",
    "lying headers": "lengths of 0, 0xFFFFFFFF and odd; 0 channels, 0 Hz, 1 Hz",
    "not audio, or another kind": "HTML, zip, PDF named wav; mp3 named wav; ID3, junk, chains",
    "file names": "newlines, quotes, emoji, a leading dash, 255 bytes, no UTF-8",
}


def rows():
    """The table of docs/reliability.md: a line for each group, and one for all."""
    lines = [_row(group, group, example) for group, example in _EXAMPLES.items()]
    return [*lines, _row(None, "all", "")]


def _row(group, name, example):
    refused = [bool(case.words) for case in CASES if group in (None, case.group)]
    counts = f"{len(refused)} | {len(refused) - sum(refused)} | {sum(refused)}"
    return f"| {name} | {counts} | {example} |"
