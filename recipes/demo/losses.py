"""How far one audio is from another, in mel bands and in spectrograms of three sizes."""

import functools

import numpy as np
import torch

from synthesizer import HOP, RATE, SPECTRUM

MELS = 80
SIZES = (512, 1024, 2048)  # the longest one sees single harmonics, and so the pitch


@functools.cache
def window(size: int) -> torch.Tensor:
    return torch.hann_window(size)


@functools.cache
def mel_bands() -> torch.Tensor:
    """(MELS, SPECTRUM) triangles on the HTK mel scale, of unit height."""
    edges = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + RATE / 2 / 700), MELS + 2) / 2595) - 1)
    bins = np.linspace(0, RATE / 2, SPECTRUM)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    return torch.from_numpy(np.clip(np.minimum(rising, falling), 0, 1)).float()


def spectrogram(audio: torch.Tensor) -> torch.Tensor:
    """(batch, time * HOP) to magnitudes (batch, SPECTRUM, time), as RVC computes them."""
    size = 2 * (SPECTRUM - 1)
    padded = torch.nn.functional.pad(audio, ((size - HOP) // 2,) * 2, "reflect")
    made = torch.stft(padded, size, HOP, window=window(size), center=False, return_complex=True)
    return torch.sqrt(made.real**2 + made.imag**2 + 1e-6)


def mel_distance(made: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """Mean difference of log mel spectrograms, (batch,)."""
    levels = [
        torch.log((mel_bands() @ spectrogram(audio)).clamp(min=1e-5)) for audio in (made, real)
    ]
    return (levels[0] - levels[1]).abs().mean((1, 2))


def stft_distance(made: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """Convergence and log difference of spectra (Parallel WaveGAN, 1910.11480), mean of sizes."""
    total = torch.zeros(())
    for size in SIZES:
        a, b = (
            torch.stft(audio, size, size // 4, window=window(size), return_complex=True)
            .abs()
            .clamp(min=1e-4)
            for audio in (made, real)
        )
        total = total + (a - b).norm() / b.norm() + (a.log() - b.log()).abs().mean()
    return total / len(SIZES)


def divergence(
    z_prior: torch.Tensor,
    log_posterior: torch.Tensor,
    mean_prior: torch.Tensor,
    log_prior: torch.Tensor,
) -> torch.Tensor:
    """KL of posterior and prior, a mean over channels too (RVC sums over them)."""
    gap = 0.5 * (z_prior - mean_prior) ** 2 * torch.exp(-2 * log_prior)
    return (log_prior - log_posterior - 0.5 + gap).mean()
