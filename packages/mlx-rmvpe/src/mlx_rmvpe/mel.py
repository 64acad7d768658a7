"""The log-mel spectrogram RMVPE reads, for any stretch of frames of a recording.

Reference: `MelSpectrogram` of RVC's `rmvpe.py`: periodic Hann window, centred frames with
reflected edges, magnitude (not power), HTK mel scale with Slaney's area normalisation, natural
logarithm above a floor of 1e-5.

          audio      [ 0 1 2 ... n-1 ]
    512 reflected <- [ . . . . . . . ] -> 512 reflected
    frame f reads n_fft samples centred on sample f * hop; there are n // hop + 1 frames
"""

from __future__ import annotations

from functools import lru_cache

import mlx.core as mx
import numpy as np

import mlx_fastops as fastops

from .config import RMVPEConfig

MEL_FLOOR = 1e-5


def hz_to_mel(hz: float | np.ndarray) -> np.ndarray:
    """HTK's mel scale: 2595 log10(1 + f / 700)."""
    return 2595.0 * np.log10(1.0 + np.asarray(hz, np.float64) / 700.0)


def mel_to_hz(mel: float | np.ndarray) -> np.ndarray:
    """The inverse of `hz_to_mel`."""
    return 700.0 * (10.0 ** (np.asarray(mel, np.float64) / 2595.0) - 1.0)


def mel_filterbank(
    *, sample_rate: int, n_fft: int, n_mels: int, fmin: float, fmax: float
) -> np.ndarray:
    """Triangular filters from FFT bins to mel bands.

    Each filter rises from the centre of the band below to its own centre and falls to the centre
    of the band above; its area is that of a 1 Hz wide filter (Slaney's normalisation).

    Returns:
        float32 of shape (n_fft // 2 + 1, n_mels).
    """
    bins_hz = np.arange(n_fft // 2 + 1) * (sample_rate / n_fft)
    edges_hz = mel_to_hz(np.linspace(hz_to_mel(fmin), hz_to_mel(fmax), n_mels + 2))
    lower, centre, upper = edges_hz[:-2], edges_hz[1:-1], edges_hz[2:]
    rising = (bins_hz[:, None] - lower) / (centre - lower)
    falling = (upper - bins_hz[:, None]) / (upper - centre)
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return (triangles * (2.0 / (upper - lower))).astype(np.float32)


@lru_cache(maxsize=8)
def _filterbank(config: RMVPEConfig) -> np.ndarray:
    return mel_filterbank(
        sample_rate=config.sample_rate,
        n_fft=config.n_fft,
        n_mels=config.n_mels,
        fmin=config.mel_fmin,
        fmax=config.mel_fmax,
    )


@lru_cache(maxsize=8)
def _hann(length: int) -> np.ndarray:
    """Periodic Hann window: its period is `length`, not `length - 1`."""
    return (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(length) / length)).astype(np.float32)


def frame_count(samples: int, config: RMVPEConfig) -> int:
    """Frames of a recording of that many samples."""
    return samples // config.hop_length + 1


def _reflected(audio: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Samples [start, stop) of audio (B, n) continued by reflection, as often as it takes.

    The same numbers as `numpy.pad(audio, mode="reflect")`, without copying the recording.
    """
    samples = audio.shape[1]
    if start >= 0 and stop <= samples:
        return audio[:, start:stop]
    period = max(2 * (samples - 1), 1)
    position = np.arange(start, stop) % period
    return audio[:, np.minimum(position, period - position) if samples > 1 else position * 0]


def log_mel(
    audio: np.ndarray, config: RMVPEConfig, *, start: int = 0, stop: int | None = None
) -> mx.array:
    """Log-mel spectrogram of frames [start, stop) of a recording.

    Args:
        audio: float32 of shape (B, n), n >= 1, at `config.sample_rate`.
        config: sizes.
        start: first frame.
        stop: frame after the last; all of them by default.

    Returns:
        float32 of shape (B, stop - start, n_mels), natural logarithm of magnitudes.
    """
    hop, n_fft = config.hop_length, config.n_fft
    stop = frame_count(audio.shape[1], config) if stop is None else stop
    batch, frames = audio.shape[0], stop - start
    first = start * hop - n_fft // 2
    stretch = mx.array(_reflected(audio, first, first + (frames - 1) * hop + n_fft))
    windows = mx.as_strided(stretch, (batch, frames, n_fft), (stretch.shape[1], hop, 1))
    spectrum = mx.abs(mx.fft.rfft(windows * mx.array(_hann(n_fft))))  # (B, T, n_fft/2 + 1)
    mel = fastops.matmul(spectrum, mx.array(_filterbank(config)))  # (B, T, n_mels)
    return mx.log(mx.maximum(mel, MEL_FLOOR))
