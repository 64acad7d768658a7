"""Utterances and their files: 16 kHz mono speech with text, speaker and, where known, phones."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr

RATE = 16000
LEVEL = 0.07  # RMS of the speech between pauses


@dataclass
class Utterance:
    audio: np.ndarray  # (samples,) int16
    text: str
    speaker: str
    phones: list[tuple[str, float]] | None = None  # name and end in seconds

    @property
    def samples(self) -> np.ndarray:
        return self.audio.astype(np.float32) / 32767


def energy(audio: np.ndarray) -> np.ndarray:
    return np.convolve(audio**2, np.ones(320) / 320, "same")


def prepare(audio: np.ndarray, rate: int, text: str, speaker: str, phones=None) -> Utterance | None:
    """Resampled, without the silence at both ends, at one level; None where too little is left."""
    audio = np.asarray(audio, np.float32)
    if rate != RATE:
        audio = soxr.resample(audio, rate, RATE, quality="VHQ").astype(np.float32)
    power = energy(audio)
    loud = np.flatnonzero(power > max(power.max() * 1e-4, 1e-8))
    if len(loud) == 0:
        return None
    start, stop = max(0, loud[0] - 1600), min(len(audio), loud[-1] + 1600)
    audio, power = audio[start:stop], power[start:stop]
    if len(audio) < 9600:
        return None
    speech = audio[power > power.max() * 1e-3]
    audio = audio * (LEVEL / max(1e-5, float(np.sqrt(np.mean(speech**2)))))
    if phones is not None:
        phones = [(name, end - float(start) / RATE) for name, end in phones]
    return Utterance((np.clip(audio, -1, 1) * 32767).astype(np.int16), text, speaker, phones)


def save(path: Path, utterances: list[Utterance]) -> None:
    """Whole or not at all: a file of that name is a finished step."""
    about = [{"text": u.text, "speaker": u.speaker, "phones": u.phones} for u in utterances]
    write_arrays(
        path,
        audio=np.concatenate([u.audio for u in utterances]),
        ends=np.cumsum([len(u.audio) for u in utterances]),
        about=np.array(json.dumps(about)),
    )


def load(path: Path) -> list[Utterance]:
    with np.load(path) as data:
        about, pieces = json.loads(str(data["about"])), split(data["audio"], data["ends"])
    return [Utterance(piece, **entry) for piece, entry in zip(pieces, about, strict=True)]


def split(joined: np.ndarray, ends: np.ndarray) -> list[np.ndarray]:
    return np.split(joined, ends[:-1])


def write_arrays(path: Path, **arrays: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.savez(file, **arrays)
    part.replace(path)


def minutes(utterances: list[Utterance]) -> float:
    return sum(len(u.audio) for u in utterances) / RATE / 60
