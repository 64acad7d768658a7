"""The source of MRF HiFi-GAN: sines of F0 and its overtones, each with noise of its own.

Harmonic h of 1 to 9 has h times the phase of F0 (`source`, closed form) and, but for the first, an
offset::

    sine[h, n] = 0.1 · sin(2π (h · phase[n] + offset[h]))
    excitation = tanh(bias + Σ_h weight[h] · (sine[h] · voiced + spread · noise[h]))

Applio draws the offsets anew in every call, uniform in a cycle. Here they are always the same
unless given (`Noise.offsets`): a long recording is converted in pieces, and its overtones go on
where the last piece ended.
"""

from __future__ import annotations

import numpy as np
from mlx import nn

from mlx_fastops import Bucketed, Linear, compiles, tanh

from .arrays import Array, alike, library
from .source import NOISE_UNVOICED, NOISE_VOICED, SINE_AMPLITUDE, frame_values


def usual_offsets(harmonics: int, batch: int) -> np.ndarray:
    """Offsets in cycles (B, harmonics): multiples of the golden ratio, 0 for F0 itself.

    They lie apart as random ones do, so that the sines do not add up to a pulse.
    """
    golden = (1 + 5**0.5) / 2
    return np.tile((np.arange(harmonics) * golden % 1).astype(np.float32), (batch, 1))


class HarmonicSource(nn.Module):
    """The sines, each scaled by a trained weight, summed and squashed."""

    def __init__(self, hop: int, sample_rate: int, harmonics: int):
        super().__init__()
        self.hop = hop
        self.sample_rate = sample_rate
        self.harmonics = harmonics
        self.l_linear = Linear(harmonics, 1)
        self._on_device = Bucketed(self._run, self, timed=4)

    def __call__(
        self,
        f0_hz: np.ndarray,
        noise: Array,
        phase: float = 0.0,
        offsets: Array | None = None,
    ) -> Array:
        """`f0_hz` (B, T), `noise` (B, T·hop, harmonics) -> excitation (B, T·hop, 1).

        `phase` is that of F0 before the first frame, `offsets` (B, harmonics) those of the
        harmonics against it, both in cycles.
        """
        if offsets is None:
            offsets = usual_offsets(self.harmonics, len(f0_hz))
        values = frame_values(f0_hz, self.hop, self.sample_rate, phase)
        arrays = [*(alike(array, noise) for array in values), noise, alike(offsets, noise)]
        if not isinstance(noise, np.ndarray) and compiles():
            return self._on_device(*arrays)
        return self._run(None, *arrays)

    def _run(
        self,
        mask: Array | None,
        start: Array,
        step: Array,
        voiced: Array,
        noise: Array,
        offsets: Array,
    ) -> Array:
        xp = library(noise)
        batch, frames, _ = start.shape
        inside = alike(np.arange(1, self.hop + 1, dtype=np.float32), noise)  # (hop,)
        phase = start + step * inside  # (B, T, hop) cycles
        phase = phase - xp.floor(phase)  # so that its multiples stay small
        spread = voiced * NOISE_VOICED + (1 - voiced) * NOISE_UNVOICED  # (B, T, 1)
        weight = alike(self.l_linear.weight, noise)  # (1, harmonics)
        total = alike(self.l_linear.bias, noise)
        for i in range(self.harmonics):  # one after the other: a ninth of the memory
            cycles = phase * (i + 1) + offsets[:, i, None, None]
            sine = xp.sin(cycles * np.float32(2 * np.pi).item()) * SINE_AMPLITUDE
            breath = noise[..., i].reshape(batch, frames, self.hop)
            total = total + weight[0, i] * (sine * voiced + spread * breath)
        return tanh(total).reshape(batch, frames * self.hop, 1)
