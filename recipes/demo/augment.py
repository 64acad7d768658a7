"""What a microphone, a room and a hurry do to speech; the words stay."""

import numpy as np

from corpus import LEVEL, RATE


def rms(audio: np.ndarray) -> float:
    return float(np.sqrt(np.mean(audio**2))) + 1e-6


def equalised(audio: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """A smooth random equaliser, now and then a low-pass as of a telephone."""
    spectrum = np.fft.rfft(audio)
    count = len(spectrum)
    if draw.random() < 0.7:
        gains = draw.uniform(-8, 8, 9)
        gains[0] -= draw.uniform(0, 10)
        if draw.random() < 0.5:
            gains[-1] -= draw.uniform(0, 15)
        spectrum *= 10 ** (np.interp(np.linspace(0, 8, count), np.arange(9), gains) / 20)
    if draw.random() < 0.15:
        corner = draw.uniform(3200, 7000) / (RATE / 2) * count
        spectrum /= 1 + (np.arange(count) / corner) ** 16
    return np.fft.irfft(spectrum, len(audio))


def reverberated(audio: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    length = int(RATE * draw.uniform(0.08, 0.35))
    tail = draw.standard_normal(length) * np.exp(-np.arange(length) / (length / draw.uniform(4, 9)))
    tail[0] = 0
    tail *= draw.uniform(0.05, 0.5) / np.sqrt((tail**2).sum() + 1e-9)
    size = len(audio) + length
    return (
        audio + np.fft.irfft(np.fft.rfft(audio, size) * np.fft.rfft(tail, size), size)[: len(audio)]
    )


def noise(count: int, draw: np.random.Generator) -> np.ndarray:
    white = draw.standard_normal(count)
    if draw.random() < 0.5:
        spectrum = np.fft.rfft(white)
        white = np.fft.irfft(spectrum / np.sqrt(1 + np.arange(len(spectrum)) / 200), count)
    return white / rms(white) * LEVEL


def recorded(audio: np.ndarray, other: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """(samples,) speech from another recorder and room, with `other` talking in the background."""
    audio = equalised(audio, draw)
    if draw.random() < 0.35:
        audio = reverberated(audio, draw)
    audio = audio / rms(audio) * LEVEL
    if draw.random() < 0.6:
        audio = audio + noise(len(audio), draw) * 10 ** (-draw.uniform(8, 40) / 20)
    if draw.random() < 0.2:
        count = min(len(audio), len(other))
        audio[:count] += other[:count] * 10 ** (-draw.uniform(14, 30) / 20)
    return np.clip(audio * 10 ** (draw.uniform(-14, 8) / 20), -1, 1).astype(np.float32)
