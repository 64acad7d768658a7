"""The log-mel spectrogram FCPE reads, for any stretch of frames of a recording.

Reference: `MelModule` and `Wav2MelModule` of torchfcpe's `mel_extractor.py`: periodic Hann window,
magnitude with 1e-9 under the root, Slaney's mel scale and area normalisation, natural logarithm
above a floor of 1e-5.

          audio         [ 0 1 2 ... n-1 ]
    432 before it    <- [ . . . . . . . ] -> 432 after it, or what the first window lacks
    frame f reads samples 160 f - 432 to 160 f + 592; there are n // 160 of them, at least one,
    and the last is repeated to make n // 160 + 1

So frame f is centred on sample 160 f + 80. The network, trained on labels at f * 10 ms, has learnt
the difference: rising and falling glides put its frames within 0.15 ms of f * 10 ms, and nothing
may be shifted.

Beyond the edges stand reflected samples, or zeros where a recording is too short to be reflected
(432 samples or less).
"""

from __future__ import annotations

from functools import lru_cache

import mlx.core as mx
import numpy as np

import mlx_fastops as fastops
from mlx_recording import Recording

from .config import FCPEConfig

MEL_FLOOR = 1e-5
POWER_FLOOR = 1e-9  # added to the squared magnitude

HZ_PER_MEL = 200.0 / 3.0  # below 1 kHz
LOG_FROM_HZ = 1000.0
LOG_FROM_MEL = LOG_FROM_HZ / HZ_PER_MEL  # 15
LOG_STEP = np.log(6.4) / 27.0  # from there on 27 mel for each factor of 6.4


def hz_to_mel(hz: float | np.ndarray) -> np.ndarray:
    """Slaney's mel scale: linear below 1 kHz, logarithmic above."""
    hz = np.asarray(hz, np.float64)
    above = LOG_FROM_MEL + np.log(np.maximum(hz, LOG_FROM_HZ) / LOG_FROM_HZ) / LOG_STEP
    return np.where(hz < LOG_FROM_HZ, hz / HZ_PER_MEL, above)


def mel_to_hz(mel: float | np.ndarray) -> np.ndarray:
    """The inverse of `hz_to_mel`."""
    mel = np.asarray(mel, np.float64)
    above = LOG_FROM_HZ * np.exp(LOG_STEP * (np.maximum(mel, LOG_FROM_MEL) - LOG_FROM_MEL))
    return np.where(mel < LOG_FROM_MEL, mel * HZ_PER_MEL, above)


def mel_filterbank(*, sr: int, n_fft: int, num_mels: int, fmin: float, fmax: float) -> np.ndarray:
    """Triangular filters from FFT bins to mel bands.

    Each filter rises from the centre of the band below to its own centre and falls to the centre
    of the band above; its area is that of a 1 Hz wide filter (Slaney's normalisation).

    Returns:
        float32 of shape (n_fft // 2 + 1, num_mels).
    """
    bins_hz = np.arange(n_fft // 2 + 1) * (sr / n_fft)
    edges_hz = mel_to_hz(np.linspace(hz_to_mel(fmin), hz_to_mel(fmax), num_mels + 2))
    lower, centre, upper = edges_hz[:-2], edges_hz[1:-1], edges_hz[2:]
    rising = (bins_hz[:, None] - lower) / (centre - lower)
    falling = (upper - bins_hz[:, None]) / (upper - centre)
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return (triangles * (2.0 / (upper - lower))).astype(np.float32)


@lru_cache(maxsize=8)
def _filterbank(config: FCPEConfig) -> np.ndarray:
    return mel_filterbank(
        sr=config.sr,
        n_fft=config.n_fft,
        num_mels=config.num_mels,
        fmin=config.fmin,
        fmax=config.fmax,
    )


@lru_cache(maxsize=8)
def _hann(length: int) -> np.ndarray:
    """Periodic Hann window: its period is `length`, not `length - 1`."""
    return (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(length) / length)).astype(np.float32)


def frame_count(samples: int, config: FCPEConfig) -> int:
    """Frames of a recording of that many samples."""
    return samples // config.hop_size + 1


def _windowed_frames(samples: int, config: FCPEConfig) -> int:
    """Frames that have a window of their own; the one after them repeats the last."""
    return max(samples // config.hop_size, 1)


def _stretch(recording: Recording, start: int, stop: int, config: FCPEConfig) -> np.ndarray:
    """Samples [start, stop), (B, stop - start), which may lie up to a pad beyond the edges.

    At least a window is asked for, so what is mirrored is always part of what is read.
    """
    low, high = max(start, 0), min(stop, recording.samples)
    heard = recording.read(low, high)
    if low == start and high == stop:
        return heard
    mode = "reflect" if recording.samples > config.pad else "constant"
    return np.pad(heard, ((0, 0), (low - start, stop - high)), mode=mode)


def log_mel(
    audio: np.ndarray | Recording, config: FCPEConfig, *, start: int = 0, stop: int | None = None
) -> mx.array:
    """Log-mel spectrogram of frames [start, stop) of a recording.

    Args:
        audio: float32 of shape (B, n), n >= 1, at the rate `config.sr`, or what reads such audio.
        config: sizes.
        start: first frame.
        stop: frame after the last; all of them by default.

    Returns:
        float32 of shape (B, stop - start, num_mels), natural logarithm of magnitudes.
    """
    recording = audio if isinstance(audio, Recording) else Recording.of(audio)
    hop, n_fft = config.hop_size, config.n_fft
    stop = frame_count(recording.samples, config) if stop is None else stop
    windowed = _windowed_frames(recording.samples, config)
    begin, end = min(start, windowed - 1), min(stop, windowed)
    frames, first = end - begin, begin * hop - config.pad
    stretch = mx.array(_stretch(recording, first, first + (frames - 1) * hop + n_fft, config))
    windows = mx.as_strided(stretch, (recording.batch, frames, n_fft), (stretch.shape[1], hop, 1))
    spectrum = mx.fft.rfft(windows * mx.array(_hann(n_fft)))  # (B, T, n_fft/2 + 1)
    power = mx.square(mx.real(spectrum)) + mx.square(mx.imag(spectrum))
    magnitude = mx.sqrt(power + POWER_FLOOR)
    mel = fastops.matmul(magnitude, mx.array(_filterbank(config)))  # (B, T, num_mels)
    mel = mx.log(mx.maximum(mel, MEL_FLOOR))
    if stop > windowed:
        mel = mx.concatenate([mel, mel[:, -1:]], axis=1)
    return mel[:, start - begin :]
