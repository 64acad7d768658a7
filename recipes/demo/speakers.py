"""The two target voices as training sees them: audio and F0, at pitches they never speak at too."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import parselmouth
import torch
from parselmouth.praat import call

import corpus
from corpus import RATE, Utterance
from pitch import HOP, track

TARGETS = ("rms", "slt")  # speaker 0, speaker 1
RANGES = {"rms": (60.0, 300.0), "slt": (90.0, 450.0)}  # Hz, of their speech
SHIFTS = {"rms": (-3.0, 14.0), "slt": (-8.0, 10.0)}  # semitones: singing asks for more than speech
SUNG = (55.0, 700.0)
MOVED = 0.25  # share of the training at another pitch


def moved(utterance: Utterance, name: str, f0: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """The utterance at another pitch, formants as they were (Praat's overlap-add)."""
    median = float(np.median(f0[f0 > 0])) * 2 ** (draw.uniform(*SHIFTS[name]) / 12)
    sound = parselmouth.Sound(utterance.audio.astype(np.float64) / 32767, RATE)
    made = call(
        sound, "Change gender", *RANGES[name], 1.0, median, float(draw.uniform(0.8, 1.3)), 1.0
    ).values[0]
    made = np.pad(made, (0, max(0, len(utterance.audio) - len(made))))[: len(utterance.audio)]
    return (np.clip(made, -1, 1) * 32767).astype(np.int16)


def prepare(path: Path, name: str, utterances: list[Utterance], seed: int) -> None:
    draw = np.random.default_rng(seed)
    spoken = [track(utterance.samples, *RANGES[name]) for utterance in utterances]
    sung = [
        moved(utterance, name, f0, draw) for utterance, f0 in zip(utterances, spoken, strict=True)
    ]
    corpus.write_arrays(
        path,
        ends=np.cumsum([len(utterance.audio) for utterance in utterances]),
        audio=np.concatenate([utterance.audio for utterance in utterances]),
        f0=np.concatenate(spoken),
        moved=np.concatenate(sung),
        moved_f0=np.concatenate([track(audio.astype(np.float32) / 32767, *SUNG) for audio in sung]),
    )


@dataclass
class Recording:
    speaker: int
    versions: list[tuple[np.ndarray, np.ndarray]]  # audio (samples,) int16 and F0 (frames,) Hz
    features: list[
        np.ndarray
    ]  # of the utterance and its pseudo-speakers, (frames / 2, 192) float16


def load(folder: Path, held_out: int) -> list[Recording]:
    """Without content features; the first `held_out` utterances of each speaker stay outside."""
    out = []
    for speaker, name in enumerate(TARGETS):
        with np.load(folder / f"{name}.npz") as data:
            ends = data["ends"]
            frames = np.cumsum(np.diff(ends, prepend=0) // HOP + 1)
            versions = [
                zip(corpus.split(data[audio], ends), corpus.split(data[f0], frames), strict=True)
                for audio, f0 in (("audio", "f0"), ("moved", "moved_f0"))
            ]
        out += [Recording(speaker, list(pair), []) for pair in zip(*versions, strict=True)][
            held_out:
        ]
    return out


@dataclass
class Batch:
    features: torch.Tensor | None  # (batch, frames, 192)
    f0: torch.Tensor  # (batch, frames) Hz
    audio: torch.Tensor  # (batch, frames * 160)
    speaker: torch.Tensor  # (batch,)


class Batches:
    """Batch number `step` is always the same, so a broken run goes on as if nothing had been."""

    def __init__(self, recordings: list[Recording], size: int, seconds: float, seed: int) -> None:
        self.size, self.seed, self.frames = size, seed, int(seconds * RATE) // HOP
        self.recordings = [r for r in recordings if len(r.versions[0][0]) // HOP > self.frames + 4]

    def __getitem__(self, step: int) -> Batch:
        draw = np.random.default_rng((self.seed, step))
        features, f0, audio, speaker = [], [], [], []
        for _ in range(self.size):
            recording = self.recordings[draw.integers(len(self.recordings))]
            sound, pitch = recording.versions[int(draw.random() < MOVED)]
            heard = (
                recording.features[draw.integers(len(recording.features))]
                if recording.features
                else None
            )
            longest = len(sound) // HOP if heard is None else min(2 * len(heard), len(sound) // HOP)
            start = 2 * int(draw.integers(0, max(1, (longest - self.frames) // 2)))
            stop = start + self.frames
            if heard is not None:
                features.append(np.repeat(heard[start // 2 : stop // 2].astype(np.float32), 2, 0))
            f0.append(pitch[start:stop])
            audio.append(sound[start * HOP : stop * HOP].astype(np.float32) / 32767)
            speaker.append(recording.speaker)
        return Batch(
            torch.from_numpy(np.stack(features)) if features else None,
            *(torch.from_numpy(np.stack(values)) for values in (f0, audio)),
            torch.tensor(speaker),
        )
