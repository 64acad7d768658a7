"""What stands between a voice and the tracker: noise of three kinds, and a room."""

from __future__ import annotations

import numpy as np

RATE, STEP = 16000, 160
NOISES = ("white", "pink", "music")
LEVELS_DB = (20, 10, 0)
CLEAN, ROOM = "clean", "reverberation"
CONDITIONS = (CLEAN, *(f"{noise} {level} dB" for noise in NOISES for level in LEVELS_DB), ROOM)
QUICK = (CLEAN, *(f"{noise} 10 dB" for noise in NOISES), ROOM)

REVERBERATION_S = 0.5  # until the tail has fallen by 60 dB
FIRST_ECHO_S = 0.005
DIRECT_TO_TAIL_DB = 3.0


def degraded(
    audio: np.ndarray, f0_hz: np.ndarray, condition: str, rng: np.random.Generator
) -> np.ndarray:
    """Audio, float32 (n,) at 16 kHz, in one of `CONDITIONS`; it stays where it is in time.

    f0_hz: its truth, (n // 160 + 1,): a noise of 10 dB is 10 dB below what is voiced.
    """
    if condition == CLEAN:
        return audio
    if condition == ROOM:
        return reverberant(audio, rng)
    noise, level, _ = condition.split()
    made = music(len(audio), rng) if noise == "music" else coloured(len(audio), noise, rng)
    voiced = np.repeat(f0_hz > 0, STEP)[: len(audio)]
    power = np.mean(audio[: len(voiced)][voiced].astype(np.float64) ** 2)
    gain = np.sqrt(power / np.mean(made**2) / 10 ** (float(level) / 10))
    return (audio + gain * made).astype(np.float32)


def coloured(samples: int, colour: str, rng: np.random.Generator) -> np.ndarray:
    """Noise of even power in every Hz (white), or in every octave from 20 Hz on (pink)."""
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    if colour == "pink":
        spectrum /= np.sqrt(np.maximum(np.fft.rfftfreq(samples, 1 / RATE), 20.0))
    return np.fft.irfft(spectrum, samples)


def music(samples: int, rng: np.random.Generator) -> np.ndarray:
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


def reverberant(audio: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """In a room: the voice itself, unshifted, and a tail of noise that dies away after it."""
    time = np.arange(round(REVERBERATION_S * RATE)) / RATE
    tail = rng.standard_normal(len(time)) * 10 ** (-3 * time / REVERBERATION_S)
    tail[: round(FIRST_ECHO_S * RATE)] = 0
    tail *= 10 ** (-DIRECT_TO_TAIL_DB / 20) / np.sqrt(np.sum(tail**2))
    tail[0] = 1
    size = len(audio) + len(tail)
    wet = np.fft.irfft(np.fft.rfft(audio, size) * np.fft.rfft(tail, size), size)[: len(audio)]
    return (0.3 * wet / np.abs(wet).max()).astype(np.float32)
