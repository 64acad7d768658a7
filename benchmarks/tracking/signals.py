"""Recordings whose F0 is known exactly: WORLD resyntheses of voices from curves of our choice.

A clip's spectral envelope, aperiodicity and voicing stay; its F0 is replaced, so the curve is the
truth and no tracker had a say in it (only in where it is voiced: Harvest and D4C both).

No voice is moved anywhere: each part of `PLAN` stays within an octave of what its speaker does by
himself. Lower, the envelope between the harmonics, and all of it below the first one, would be
WORLD's guess; higher, the fundamental would stand in the gap below a man's first formant, where no
singer's does. The one exception is the highest voice at hand, up to 1,000 Hz: there its fundamental
still is within 20 dB of the strongest harmonic in 99 of 100 frames, as it is at its own pitch (of
the male reader's frames at 1,000 Hz, 94 of 100).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .conditions import CONDITIONS, QUICK, RATE, STEP, degraded
from .curves import CURVES, PERIOD_MS

AUDIO = Path(__file__).parents[2] / "tests/audio"
STRETCH_S, QUICK_STRETCH_S = 4.0, 2.0
SHORTEST_S = 0.05  # a shorter voiced stretch is made unvoiced
PEAK = 0.3


@dataclass(frozen=True)
class Part:
    """A clip, what its voice does by itself (5th to 95th percentile of F0), what it is given."""

    source: str
    own_hz: tuple[float, float]
    spans_hz: tuple[tuple[float, float], ...]


PLAN = (
    Part("librivox_austen_0870", (76, 130), ((60, 120), (110, 240))),  # a man reading
    Part("librivox_austen_0930", (71, 107), ((60, 150),)),  # the same man
    Part("target_1", (155, 188), ((90, 360),)),  # a woman's voice, synthetic
    Part("vocadito_10", (103, 200), ((60, 150), (130, 400))),  # singing
    Part("vocadito_14", (181, 319), ((100, 300), (250, 630), (400, 1000), (500, 1000))),  # singing
)
RANGES_HZ = ((60, 120), (120, 250), (250, 500), (500, 1000))
"""Ranges of the true F0 by which frames are told apart in the tables."""


@dataclass(frozen=True)
class Signal:
    """A recording and its F0.

    audio: float32 (n,) at 16 kHz. f0_hz: float32 (n // 160 + 1,), 0 = unvoiced.
    """

    source: str
    curve: str
    condition: str
    audio: np.ndarray
    f0_hz: np.ndarray


def signals(*, quick: bool = False) -> Iterator[Signal]:
    """Every part and span: clean with each curve, in every other condition with one of them.

    Which one goes round, so that every condition hears all curves alike. quick: one curve a span,
    every second span, shorter, fewer conditions.
    """
    place = 0
    for part in PLAN:
        voice = _analysed(read_clip(part.source), part.own_hz)
        for span in part.spans_hz:
            if not quick or place % 2 == 0:
                yield from _of_span(part.source, voice, place, span, quick)
            place += 1


def digest(everything: list[Signal]) -> str:
    """What tells these signals from any others."""
    sha = hashlib.sha256()
    for signal in everything:
        sha.update(signal.audio.tobytes() + signal.f0_hz.tobytes())
    return sha.hexdigest()[:16]


def read_clip(name: str) -> np.ndarray:
    """A file of tests/audio as mono float64 at 16 kHz."""
    import soundfile
    import soxr

    audio, rate = soundfile.read(AUDIO / f"{name}.flac", always_2d=True)
    return soxr.resample(audio.mean(axis=1), rate, RATE, quality="HQ")


@dataclass(frozen=True)
class _Voice:
    """What WORLD keeps of a voice, frame by frame, every 5 ms."""

    spectrum: np.ndarray
    aperiodicity: np.ndarray
    voiced: np.ndarray

    def stretch(self, number: int, seconds: float) -> _Voice:
        """One of three stretches that lie evenly over the clip."""
        frames = min(round(1000 * seconds / PERIOD_MS), len(self.voiced))
        start = (len(self.voiced) - frames) * number // 2
        kept = slice(start, start + frames)
        return _Voice(self.spectrum[kept], self.aperiodicity[kept], self.voiced[kept])


def _of_span(
    source: str, voice: _Voice, place: int, span: tuple[float, float], quick: bool
) -> Iterator[Signal]:
    shapes = list(CURVES.items())
    made = {}
    for c, (_, shape) in enumerate(shapes):
        piece = voice.stretch(c, QUICK_STRETCH_S if quick else STRETCH_S)
        rng = np.random.default_rng([place, c])
        f0 = np.where(piece.voiced, shape(len(piece.voiced), *span, rng), 0.0)
        made[c] = resynthesis(piece.spectrum, piece.aperiodicity, f0)
    for k, condition in enumerate(QUICK if quick else CONDITIONS):
        wanted = range(len(shapes)) if k == 0 and not quick else [(place + k) % len(shapes)]
        for c in wanted:
            audio, truth = made[c]
            rng = np.random.default_rng([place, c, k])
            yield Signal(
                source, shapes[c][0], condition, degraded(audio, truth, condition, rng), truth
            )


def _analysed(clip: np.ndarray, own_hz: tuple[float, float]) -> _Voice:
    import pyworld

    clip = np.ascontiguousarray(clip, np.float64)
    # Its own range, with some room: Harvest takes a low, creaky voice for its octave.
    low, high = own_hz[0] / 1.4, own_hz[1] * 1.6
    f0, time = pyworld.harvest(clip, RATE, low, high, PERIOD_MS)
    spectrum = pyworld.cheaptrick(clip, f0, time, RATE)
    aperiodicity = pyworld.d4c(clip, f0, time, RATE)
    # D4C says of a frame that it is noise by an aperiodicity of one in every band.
    voiced = (f0 > 0) & (aperiodicity.min(axis=1) < 0.999)
    return _Voice(spectrum, aperiodicity, without_short(voiced))


def without_short(voiced: np.ndarray) -> np.ndarray:
    """Voiced stretches that last at least `SHORTEST_S`."""
    edges = np.flatnonzero(np.diff(np.pad(voiced.astype(int), 1)))
    out = np.zeros_like(voiced)
    for start, stop in edges.reshape(-1, 2):
        out[start:stop] = (stop - start) * PERIOD_MS >= 1000 * SHORTEST_S
    return out


def resynthesis(
    spectrum: np.ndarray, aperiodicity: np.ndarray, f0: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Audio, and the truth every 10 ms: every second frame of WORLD's."""
    import pyworld

    spectrum, aperiodicity = (np.ascontiguousarray(part) for part in (spectrum, aperiodicity))
    audio = pyworld.synthesize(f0, spectrum, aperiodicity, RATE, frame_period=PERIOD_MS)
    audio = PEAK * audio / np.abs(audio).max()
    truth = f0[:: round(1000 * STEP / RATE / PERIOD_MS)]
    frames = min(len(truth), len(audio) // STEP + 1)
    audio = audio[: (frames - 1) * STEP + STEP // 2]
    return audio.astype(np.float32), truth[:frames].astype(np.float32)
