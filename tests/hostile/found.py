"""What tools/fuzz.py found and was mended since: each file of the folder `fuzzed`."""

from collections.abc import Iterator
from pathlib import Path

from cases import Case

FUZZED = "found by fuzzing"


def build(_marker: str) -> Iterator[Case]:
    for path in sorted(Path(__file__).with_name("fuzzed").iterdir()):
        yield Case(FUZZED, path.stem.replace("-", " "), path.suffix, path.read_bytes())
