"""Recordings whose F0 is known exactly: WORLD resyntheses of real voices from curves of our choice.

A clip's spectral envelope, aperiodicity and voicing stay; its F0 is replaced, so the curve is the
truth and no tracker had a say in it (only in where it is voiced: Harvest and D4C both). To each
resynthesis noise or reverberation is added.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

RATE = 16000  # Hz
STEP = 160  # samples between frames of the truth
PERIOD_MS = 5.0  # between frames of WORLD
SHORTEST_S = 0.05  # a shorter voiced stretch is made unvoiced
SPANS = {"low": (60.0, 150.0), "middle": (120.0, 400.0), "high": (350.0, 1000.0)}  # Hz
NOISES = ("white", "pink", "music")
LEVELS_DB = (20.0, 10.0, 0.0)
REVERBERATION_S = 0.5  # until the tail has fallen by 60 dB
DIRECT_TO_TAIL_DB = 3.0


@dataclass(frozen=True)
class Signal:
    """A recording and its F0.

    source, curve, span: what it was made of. condition: "clean", "white 20 dB", "reverberation"...
    audio: float32 (n,) at 16 kHz. f0_hz: float32 (n // 160 + 1,), 0 = unvoiced.
    """

    source: str
    curve: str
    span: str
    condition: str
    audio: np.ndarray
    f0_hz: np.ndarray


def signals(clips: dict[str, np.ndarray], *, quick: bool = False) -> Iterator[Signal]:
    """Every clip (float at 16 kHz, by name) with every curve, span and condition.

    quick: each clip with one curve of each span only, clean, in noise of 10 dB and reverberant.
    """
    seed = 0
    for source, clip in clips.items():
        envelope = _analysed(clip)
        for s, (span, (low, high)) in enumerate(SPANS.items()):
            for c, (curve, shape) in enumerate(CURVES.items()):
                if quick and c != s % len(CURVES):
                    continue
                seed += 1
                rng = np.random.default_rng(seed)
                f0 = np.where(envelope.voiced, shape(len(envelope.voiced), low, high, rng), 0.0)
                clean = Signal(source, curve, span, "clean", *_resynthesis(envelope, f0))
                yield clean
                yield replace(clean, condition="reverberation", audio=_reverberant(clean, rng))
                for noise in NOISES:
                    for level in (10.0,) if quick else LEVELS_DB:
                        audio = _noisy(clean, noise, level, rng)
                        yield replace(clean, condition=f"{noise} {level:.0f} dB", audio=audio)


def read_clips(paths: list[Path]) -> dict[str, np.ndarray]:
    """Files as mono float64 at 16 kHz, by name."""
    import soundfile
    import soxr

    clips = {}
    for path in paths:
        audio, rate = soundfile.read(path, always_2d=True)
        clips[path.stem] = soxr.resample(audio.mean(axis=1), rate, RATE, quality="HQ")
    return clips


@dataclass(frozen=True)
class _Envelope:
    spectrum: np.ndarray
    aperiodicity: np.ndarray
    voiced: np.ndarray


def _analysed(clip: np.ndarray) -> _Envelope:
    """What WORLD keeps of a voice, frame by frame, every 5 ms."""
    import pyworld

    clip = np.ascontiguousarray(clip, np.float64)
    f0, time = pyworld.harvest(clip, RATE, frame_period=PERIOD_MS)
    spectrum = pyworld.cheaptrick(clip, f0, time, RATE)
    aperiodicity = pyworld.d4c(clip, f0, time, RATE)
    # D4C says of a frame that it is noise by an aperiodicity of one in every band.
    voiced = (f0 > 0) & (aperiodicity.min(axis=1) < 0.999)
    return _Envelope(spectrum, aperiodicity, _without_short(voiced))


def _without_short(voiced: np.ndarray) -> np.ndarray:
    """Voiced stretches that last at least `SHORTEST_S`."""
    edges = np.flatnonzero(np.diff(np.pad(voiced.astype(int), 1)))
    out = np.zeros_like(voiced)
    for start, stop in edges.reshape(-1, 2):
        out[start:stop] = (stop - start) * PERIOD_MS >= 1000 * SHORTEST_S
    return out


def _resynthesis(envelope: _Envelope, f0: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Audio, and the truth every 10 ms: every second frame of WORLD's."""
    import pyworld

    audio = pyworld.synthesize(
        f0, envelope.spectrum, envelope.aperiodicity, RATE, frame_period=PERIOD_MS
    )
    audio = 0.3 * audio / np.abs(audio).max()
    truth = f0[:: round(1000 * STEP / RATE / PERIOD_MS)]
    frames = min(len(truth), len(audio) // STEP + 1)
    audio = audio[: (frames - 1) * STEP + STEP // 2]
    return audio.astype(np.float32), truth[:frames].astype(np.float32)


Shape = Callable[[int, float, float, np.random.Generator], np.ndarray]


def _glide(frames: int, low: float, high: float, _rng: np.random.Generator) -> np.ndarray:
    """Up and down between both ends, 2 s each way, evenly in the logarithm."""
    time = np.arange(frames) * PERIOD_MS / 1000
    return low * (high / low) ** np.abs((time / 2) % 2 - 1)


def _vibrato(frames: int, low: float, high: float, rng: np.random.Generator) -> np.ndarray:
    """A glide of 8 s with a vibrato of 80 cents to either side, 5.5 times a second."""
    time = np.arange(frames) * PERIOD_MS / 1000
    edge = 2 ** (80 / 1200)
    low, high = low * edge, high / edge
    swing = 80 / 1200 * np.sin(2 * np.pi * 5.5 * time + rng.uniform(0, 2 * np.pi))
    return low * (high / low) ** np.abs((time / 4) % 2 - 1) * 2**swing


def _leaps(frames: int, low: float, high: float, rng: np.random.Generator) -> np.ndarray:
    """Another note every 0.3 s."""
    held = round(300 / PERIOD_MS)
    notes = low * (high / low) ** rng.random(-(-frames // held))
    return np.repeat(notes, held)[:frames]


CURVES: dict[str, Shape] = {"glide": _glide, "vibrato": _vibrato, "leaps": _leaps}


def _noisy(clean: Signal, noise: str, level_db: float, rng: np.random.Generator) -> np.ndarray:
    """With noise that many dB below what is voiced."""
    samples = len(clean.audio)
    made = _music(samples, rng) if noise == "music" else _coloured(samples, noise == "pink", rng)
    voiced = np.repeat(clean.f0_hz > 0, STEP)[:samples]
    power = np.mean(clean.audio[: len(voiced)][voiced].astype(np.float64) ** 2)
    gain = np.sqrt(power / np.mean(made**2) / 10 ** (level_db / 10))
    return (clean.audio + gain * made).astype(np.float32)


def _coloured(samples: int, pink: bool, rng: np.random.Generator) -> np.ndarray:
    """Noise of even power in every Hz, or in every octave from 20 Hz on."""
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    if pink:
        spectrum /= np.sqrt(np.maximum(np.fft.rfftfreq(samples, 1 / RATE), 20.0))
    return np.fft.irfft(spectrum, samples)


def _music(samples: int, rng: np.random.Generator) -> np.ndarray:
    """Struck chords of three notes with overtones, and a bass, another every half second."""
    out = np.zeros(samples)
    length = RATE
    time = np.arange(length) / RATE
    for start in range(0, samples, RATE // 2):
        root = 110 * 2 ** (rng.integers(0, 24) / 12)
        for hz in (root / 2, root, root * 2 ** (rng.choice([3, 4]) / 12), root * 2 ** (7 / 12)):
            phase = rng.uniform(0, 2 * np.pi)
            note = sum(
                np.sin(2 * np.pi * k * hz * time + k * phase) / k
                for k in range(1, min(11, int(7500 / hz)))
            )
            stop = min(start + length, samples)
            out[start:stop] += (np.exp(-3 * time) * note)[: stop - start]
    return out


def _reverberant(clean: Signal, rng: np.random.Generator) -> np.ndarray:
    """In a room: the voice itself, unshifted, and a tail of noise that dies away after it."""
    time = np.arange(round(REVERBERATION_S * RATE)) / RATE
    tail = rng.standard_normal(len(time)) * 10 ** (-3 * time / REVERBERATION_S)
    tail[: round(0.005 * RATE)] = 0
    tail *= 10 ** (-DIRECT_TO_TAIL_DB / 20) / np.sqrt(np.sum(tail**2))
    tail[0] = 1
    size = len(clean.audio) + len(tail)
    spectrum = np.fft.rfft(clean.audio, size) * np.fft.rfft(tail, size)
    wet = np.fft.irfft(spectrum, size)[: len(clean.audio)]
    return (0.3 * wet / np.abs(wet).max()).astype(np.float32)
