"""The source of RefineGAN: a sine of F0 that glides from frame to frame, in closed form.

F0 is interpolated linearly between the middles of frames of u samples (`interpolation`), so that
sample j of a frame has the sum of three F0, weighted by w. Summed up to it, so has the phase::

    f0[t, j] = Σ_i w[i, j] · f0[t + i],   W[i, j] = Σ_{k <= j} w[i, k],            i = −1, 0, 1
    phase[t, j] = frac(Σ_{s<t} Σ_i W[i, u − 1] · f0[s + i] / rate) + Σ_i W[i, j] · f0[t + i] / rate

A sample is voiced where its interpolated F0 is above 0: half a frame beyond the voiced frames on
either side. A piece that begins at the phase u · Σ f0 / rate of the frames before it is, from the
middle of its first frame on, what it would be in the whole recording.
"""

from __future__ import annotations

import numpy as np
from mlx import nn

from mlx_fastops import Bucketed, Linear, compiles, tanh

from .arrays import Array, alike, library
from .interpolation import neighbours, weights
from .source import NOISE_UNVOICED, NOISE_VOICED, SINE_AMPLITUDE


class SmoothSource(nn.Module):
    """The sine and its noise, scaled by one trained weight (`merge.0`) and squashed."""

    def __init__(self, hop: int, sample_rate: int):
        super().__init__()
        self.hop = hop
        self.sample_rate = sample_rate
        self.merge = [Linear(1, 1, bias=False)]
        self._on_device = Bucketed(self._run, self, timed=3)

    def __call__(self, f0_hz: np.ndarray, noise: Array, phase: float = 0.0) -> Array:
        """`f0_hz` (B, T), `noise` (B, T·hop, 1), `phase` in cycles -> excitation (B, T·hop, 1)."""
        start, near = self._frames(np.asarray(f0_hz, np.float32), phase)
        arrays = [alike(start, noise), alike(near, noise), noise]
        if not isinstance(noise, np.ndarray) and compiles():
            return self._on_device(*arrays)
        return self._run(None, *arrays)

    def _frames(self, f0: np.ndarray, phase: float) -> tuple[np.ndarray, np.ndarray]:
        """Phase before each frame (B, T, 1); cycles a sample before, in, after it (B, T, 3)."""
        cycles = f0.astype(np.float64)[..., None] / self.sample_rate  # (B, T, 1)
        before, after = neighbours(cycles)
        near = np.concatenate([before, cycles, after], axis=2)  # (B, T, 3)
        total = np.cumsum(near @ weights(self.hop).sum(axis=1), axis=1)  # (B, T)
        start = np.concatenate([np.zeros_like(total[:, :1]), total[:, :-1]], axis=1) + phase
        return (start % 1.0).astype(np.float32)[..., None], near.astype(np.float32)

    def _run(self, mask: Array | None, start: Array, near: Array, noise: Array) -> Array:
        xp = library(noise)
        batch, frames, _ = start.shape
        table = weights(self.hop)
        place, sums = (alike(a.astype(np.float32), noise) for a in (table, table.cumsum(axis=1)))
        before, here, after = (near[..., i, None] for i in range(3))  # (B, T, 1) each
        step = before * place[0] + here * place[1] + after * place[2]  # (B, T, hop)
        phase = start + before * sums[0] + here * sums[1] + after * sums[2]  # few cycles
        voiced = (step > 0) * np.float32(1).item()
        spread = voiced * NOISE_VOICED + (1 - voiced) * NOISE_UNVOICED
        sine = xp.sin(phase * np.float32(2 * np.pi).item()) * SINE_AMPLITUDE
        total = sine * voiced + spread * noise.reshape(batch, frames, self.hop)
        weight = alike(self.merge[0].weight, noise)[0]  # (1,)
        return tanh((total * weight).astype(noise.dtype)).reshape(batch, frames * self.hop, 1)
