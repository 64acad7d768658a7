"""How far two renderings of the same utterance lie apart: mel-cepstral and log-spectral distance.

Only for signals that are aligned sample by sample (one conversion by two programs, or with two
seeds): nothing is warped in time.
"""

import numpy as np

from . import RATE

WINDOW, HOP = 512, 80  # 32 and 5 ms
BANDS = 40
COEFFICIENTS = 24
FLOOR_DB = 80.0  # below the loudest bin of the reference: what is softer is not heard


def mel_cepstral_distortion(reference: np.ndarray, found: np.ndarray) -> float:
    """Mean mel-cepstral distortion in dB of two (samples,) at 16 kHz, coefficients 1 to 24.

    10 / ln 10 * sqrt(2 * sum of squares) for each frame (Kubichek 1993). The cepstrum c is that of
    40 mel bands, log amplitude = c0 + sum of cn cos: without the loudness c0 the distortion is the
    root of the mean square over bands, in dB. As long as the shorter one.
    """
    a, b = _power(reference, found)
    bands = _mel_bands()
    order = np.arange(1, COEFFICIENTS + 1)[:, None]
    cosines = np.cos(np.pi * order * (np.arange(BANDS) + 0.5) / BANDS) * 2 / BANDS  # (24, 40)
    floor = _floor(a @ bands.T)
    difference = 0.5 * (
        np.log(np.maximum(a @ bands.T, floor)) - np.log(np.maximum(b @ bands.T, floor))
    )  # of amplitudes, (frames, 40)
    cepstral = difference @ cosines.T  # (frames, 24)
    return float(10 / np.log(10) * np.sqrt(2 * (cepstral**2).sum(axis=1)).mean())


def log_spectral_distance(reference: np.ndarray, found: np.ndarray) -> float:
    """Mean log-spectral distance in dB of two (samples,) at 16 kHz.

    The root of the mean square over 257 bins, for each frame, both floored 80 dB below the
    reference's loudest bin. As long as the shorter one.
    """
    a, b = _power(reference, found)
    floor = _floor(a)
    difference = 10 * np.log10(np.maximum(a, floor) / np.maximum(b, floor))
    return float(np.sqrt((difference**2).mean(axis=1)).mean())


def _floor(power: np.ndarray) -> float:
    return max(float(power.max()) * 10 ** (-FLOOR_DB / 10), np.finfo(np.float64).tiny)


def _power(*signals: np.ndarray) -> list[np.ndarray]:
    """Power spectra (frames, 257) of the samples that all have."""
    n = min(len(signal) for signal in signals)
    if n < WINDOW:
        raise ValueError(f"{n} samples to compare; expected at least {WINDOW}")
    window = np.hanning(WINDOW)
    frames = [
        np.lib.stride_tricks.sliding_window_view(signal[:n].astype(np.float64), WINDOW)[::HOP]
        for signal in signals
    ]
    return [np.abs(np.fft.rfft(frame * window)) ** 2 for frame in frames]


def _mel_bands() -> np.ndarray:
    """Triangles on the mel scale of O'Shaughnessy, 0 to 8 kHz, (bands, bins)."""
    top = 2595 * np.log10(1 + RATE / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, BANDS + 2) / 2595) - 1)
    bins = np.fft.rfftfreq(WINDOW, 1 / RATE)
    low, middle, high = (edges[i : i + BANDS, None] for i in range(3))
    rising, falling = (bins - low) / (middle - low), (high - bins) / (high - middle)
    triangles = np.maximum(0, np.minimum(rising, falling))
    # The lowest bands are narrower than a bin: the nearest bin is theirs.
    empty = triangles.sum(axis=1) == 0
    triangles[empty, np.abs(bins - middle[empty]).argmin(axis=1)] = 1
    return triangles / triangles.sum(axis=1, keepdims=True)
