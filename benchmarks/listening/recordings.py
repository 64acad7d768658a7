"""What is converted: recordings with their text, from the repository or a folder."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from . import RATE

AUDIO = Path(__file__).parents[2] / "tests/audio"
SPEECH, SINGING = "librivox_austen_*.flac", "vocadito_*.flac"
SAMPLE = ("librivox_austen_0870", "librivox_austen_0930", "vocadito_14")
TRANSCRIPTS = ("transcription", "transcript.txt")
SUFFIXES = {".wav", ".flac", ".ogg", ".mp3"}
_LINE = re.compile(
    r"(?:<s>\s*(?P<text>.*?)\s*</s>\s*\((?P<name>[^()]+)\)|(?P<first>\S+)\s+(?P<rest>.+))"
)


@dataclass(frozen=True)
class Recording:
    """One utterance or song.

    audio: float32 (samples,) at `rate` Hz. text: what is said, None for singing or unknown.
    reader: recordings of one reader share the source's embedding and the shift of pitch.
    """

    name: str
    audio: np.ndarray
    rate: int
    text: str | None
    reader: str
    singing: bool

    @cached_property
    def at_16k(self) -> np.ndarray:
        """The same for the judges."""
        return resampled(self.audio, self.rate)


def resampled(audio: np.ndarray, rate: int) -> np.ndarray:
    """(samples,) at `rate` Hz to the judges' 16 kHz."""
    from mlx_rvc_cli.audio import resample

    return audio if rate == RATE else resample(audio, rate, RATE).astype(np.float32)


def transcripts(lines: Iterable[str]) -> dict[str, str]:
    """Texts by recording, from lines `<s> text </s> (name)` or `name text`; # begins a comment."""
    texts = {}
    for line in lines:
        if not line.strip() or line.startswith("#"):
            continue
        found = _LINE.fullmatch(line.strip())
        if found is None:
            raise ValueError(f"transcript line {line.strip()!r}; expected 'name text'")
        name = found["name"] or found["first"]
        texts[Path(name).stem if Path(name).suffix in SUFFIXES else name] = (
            found["text"] or found["rest"]
        )
    return texts


def bundled(names: Iterable[str] | None = None) -> list[Recording]:
    """Five LibriVox utterances of one reader and two singing clips; names: only these."""
    texts = _texts(AUDIO)
    speech = [_read(path, texts, "LibriVox", False) for path in sorted(AUDIO.glob(SPEECH))]
    songs = [_read(path, {}, path.stem, True) for path in sorted(AUDIO.glob(SINGING))]
    return [r for r in speech + songs if names is None or r.name in set(names)]


def in_folder(folder: Path, *, singing: bool = False) -> list[Recording]:
    """All recordings of a folder; those of a subfolder are by another reader.

    The text stands in `transcription` or `transcript.txt` of each folder. Songs are each by
    someone else. ValueError where there is no audio.
    """
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES):
        reader = path.stem if singing else path.parent.name
        texts = {} if singing else _texts(path.parent)
        recording = _read(path, texts, reader, singing)
        name = "-".join(path.relative_to(folder).with_suffix("").parts)  # alone in all subfolders
        found.append(replace(recording, name=name))
    if not found:
        raise ValueError(f"{folder} has no recording; expected {', '.join(sorted(SUFFIXES))}")
    return found


def _texts(folder: Path) -> dict[str, str]:
    for name in TRANSCRIPTS:
        if (folder / name).exists():
            return transcripts((folder / name).read_text(encoding="utf-8").splitlines())
    return {}


def _read(path: Path, texts: dict[str, str], reader: str, singing: bool) -> Recording:
    from mlx_rvc_cli.audio import read_audio

    audio, rate = read_audio(path)
    mono = np.ascontiguousarray(audio.mean(axis=1), dtype=np.float32)
    return Recording(path.stem, mono, rate, texts.get(path.stem), reader, singing)
