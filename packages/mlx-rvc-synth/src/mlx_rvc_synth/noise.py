"""The two random inputs of a voice: everything else about a conversion is deterministic."""

from __future__ import annotations

from dataclasses import dataclass

import mlx.core as mx
import numpy as np

from .config import SynthConfig

NOISE_SCALE = 0.66666  # RVC samples the prior a little below its own deviation


@dataclass(frozen=True)
class Noise:
    """Standard normal numbers, before any scaling (`infer` applies 0.66666 and the source's own).

    `latent` (B, T, inter_channels) spreads the prior; `source` (B, T·hop, 1) is the breath of the
    sine source, None for voices without F0. MLX or NumPy arrays.
    """

    latent: mx.array | np.ndarray
    source: mx.array | np.ndarray | None = None

    @classmethod
    def zeros(cls, config: SynthConfig, frames: int, batch: int = 1) -> Noise:
        """No noise: the mean of the prior and a clean sine, for comparisons."""
        latent, source = _shapes(config, frames, batch)
        return cls(mx.zeros(latent), mx.zeros(source) if config.f0 else None)

    @classmethod
    def normal(
        cls, config: SynthConfig, frames: int, batch: int = 1, seed: int | None = None
    ) -> Noise:
        """Standard normal noise; the same `seed` gives the same noise, None a new one each time."""
        latent, source = _shapes(config, frames, batch)
        keys = (None, None) if seed is None else mx.random.split(mx.random.key(seed))
        return cls(
            mx.random.normal(latent, key=keys[0]),
            mx.random.normal(source, key=keys[1]) if config.f0 else None,
        )

    def check(self, config: SynthConfig, frames: int, batch: int) -> None:
        """Refuse noise of another shape than the voice and the input ask for."""
        latent, source = _shapes(config, frames, batch)
        found = tuple(self.latent.shape)
        if found != latent:
            raise ValueError(f"noise.latent has shape {found}; this input needs {latent}")
        if config.f0 and self.source is None:
            raise ValueError(f"noise.source is missing; a voice with F0 needs it, shape {source}")
        if self.source is not None:
            if not config.f0:
                raise ValueError("noise.source is given, but this voice has no F0 and no source")
            if tuple(self.source.shape) != source:
                raise ValueError(
                    f"noise.source has shape {tuple(self.source.shape)}; this input needs {source}"
                )


def _shapes(
    config: SynthConfig, frames: int, batch: int
) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    return (batch, frames, config.inter_channels), (batch, frames * config.hop, 1)
