"""The sine source of the neural source-filter vocoder (NSF, 1904.12088), in closed form.

RVC holds F0 for one frame of `hop` samples, so the phase needs no running sum over samples::

    phase[t, n] = frac(Σ_{k<t} hop·f0[k] / rate) + (n + 1)·f0[t] / rate       in cycles

The sum over frames is kept in float64 and wrapped to one cycle before anything becomes float32:
after an hour the phase is as exact as in the first second.
"""

from __future__ import annotations

import numpy as np
from mlx import nn

from mlx_fastops import Bucketed, Linear, compiles, tanh

from .arrays import Array, alike, library

SINE_AMPLITUDE = 0.1
NOISE_VOICED = 0.003  # standard deviation of the noise added to the sine
NOISE_UNVOICED = SINE_AMPLITUDE / 3  # ... and of the noise that replaces it


def frame_phase(f0_hz: np.ndarray, hop: int, sample_rate: int) -> np.ndarray:
    """Phase in cycles, in [0, 1), float64, before each frame of `f0_hz` (B, T)."""
    cycles = np.asarray(f0_hz, np.float64) * (hop / sample_rate)  # (B, T) a frame
    total = np.cumsum(cycles, axis=1)
    return np.concatenate([np.zeros_like(total[:, :1]), total[:, :-1]], axis=1) % 1.0


def sine_source(
    f0_hz: np.ndarray, noise: Array, hop: int, sample_rate: int, phase: float = 0.0
) -> Array:
    """Sine of F0 where voiced, noise where not: (B, T·hop, 1), of the kind of array `noise` is.

    `f0_hz` (B, T), 0 = unvoiced; `noise` (B, T·hop, 1), standard normal; `phase` in cycles before
    the first frame.
    """
    start, step, voiced = frame_values(f0_hz, hop, sample_rate, phase)
    return render_sine(alike(start, noise), alike(step, noise), alike(voiced, noise), noise, hop)


def frame_values(
    f0_hz: np.ndarray, hop: int, sample_rate: int, phase: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Phase before each frame, cycles per sample, and 1 where voiced: float32 (B, T, 1) each."""
    f0 = np.asarray(f0_hz, np.float32)
    start = ((frame_phase(f0, hop, sample_rate) + phase) % 1.0).astype(np.float32)
    step = (f0.astype(np.float64) / sample_rate).astype(np.float32)
    return start[..., None], step[..., None], (f0 > 0).astype(np.float32)[..., None]


def render_sine(start: Array, step: Array, voiced: Array, noise: Array, hop: int) -> Array:
    """`frame_values` and noise (B, T·hop, 1) to the source (B, T·hop, 1)."""
    xp = library(noise)
    batch, frames, _ = start.shape
    inside = alike(np.arange(1, hop + 1, dtype=np.float32), noise)  # (hop,)
    phase = start + step * inside  # (B, T, hop) cycles, few enough for float32
    sine = xp.sin(phase * np.float32(2 * np.pi).item()) * SINE_AMPLITUDE
    spread = voiced * NOISE_VOICED + (1 - voiced) * NOISE_UNVOICED  # (B, T, 1)
    source = sine * voiced + spread * noise.reshape(batch, frames, hop)
    return source.reshape(batch, frames * hop, 1)


class SourceModuleHnNSF(nn.Module):
    """The source, scaled by one trained weight and squashed."""

    def __init__(self, hop: int, sample_rate: int):
        super().__init__()
        self.hop = hop
        self.sample_rate = sample_rate
        self.l_linear = Linear(1, 1)
        self._on_device = Bucketed(self._run, self, timed=4)

    def __call__(self, f0_hz: np.ndarray, noise: Array, phase: float = 0.0) -> Array:
        """`f0_hz` (B, T), `noise` (B, T·hop, 1), `phase` in cycles -> excitation (B, T·hop, 1)."""
        values = frame_values(f0_hz, self.hop, self.sample_rate, phase)
        arrays = [*(alike(array, noise) for array in values), noise]
        if not isinstance(noise, np.ndarray) and compiles():
            return self._on_device(*arrays)
        return self._run(None, *arrays)

    def _run(
        self, mask: Array | None, start: Array, step: Array, voiced: Array, noise: Array
    ) -> Array:
        sine = render_sine(start, step, voiced, noise, self.hop)
        weight = alike(self.l_linear.weight, sine).reshape(1)
        return tanh(sine * weight + alike(self.l_linear.bias, sine))
