"""The random inputs of a voice: everything else about a conversion is deterministic."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import mlx.core as mx
import numpy as np

from .config import MRF, REFINE, SynthConfig
from .layer_noise import Drawn, Given, LayerNoise, Silent

NOISE_SCALE = 0.66666  # RVC samples the prior a little below its own deviation


@dataclass(frozen=True)
class Noise:
    """Standard normal numbers, before any scaling (`infer` applies 0.66666 and the source's own).

    `latent` (B, T, inter_channels) spreads the prior; `source` (B, T·hop, harmonics) is the breath
    of the sine source, None for voices without F0. `offsets` (B, harmonics), in cycles, is where
    the overtones of MRF HiFi-GAN begin, None for the usual places; `layers` the noise inside
    RefineGAN: an object as in `layer_noise`, or arrays (B, steps, channels), before and after every
    residual block, in the order they run in. MLX or NumPy arrays.
    """

    latent: mx.array | np.ndarray
    source: mx.array | np.ndarray | None = None
    offsets: mx.array | np.ndarray | None = None
    layers: LayerNoise | Sequence[mx.array | np.ndarray] | None = None

    @classmethod
    def zeros(cls, config: SynthConfig, frames: int, batch: int = 1) -> Noise:
        """No noise: the mean of the prior and a clean sine, for comparisons."""
        latent, source = _shapes(config, frames, batch)
        return cls(
            mx.zeros(latent),
            mx.zeros(source) if config.f0 else None,
            np.zeros((batch, config.harmonics), np.float32) if config.vocoder == MRF else None,
            Silent() if config.vocoder == REFINE else None,
        )

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
            layers=Drawn(secrets.randbits(64) if seed is None else seed)
            if config.vocoder == REFINE
            else None,
        )

    def inside(self) -> LayerNoise | None:
        """The noise inside the layers of RefineGAN, as the generator takes it."""
        return Given(self.layers) if isinstance(self.layers, Sequence) else self.layers

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
        self._check_vocoder(config, frames, batch)

    def _check_vocoder(self, config: SynthConfig, frames: int, batch: int) -> None:
        if self.offsets is not None:
            offsets, found = (batch, config.harmonics), tuple(self.offsets.shape)
            if config.vocoder != MRF:
                raise ValueError(f"noise.offsets are of {MRF}; this voice has {config.vocoder}")
            if found != offsets:
                raise ValueError(f"noise.offsets have shape {found}; this voice needs {offsets}")
        if config.vocoder != REFINE:
            if self.layers is not None:
                raise ValueError(f"noise.layers are of {REFINE}; this voice has {config.vocoder}")
            return
        if self.layers is None:
            raise ValueError(f"noise.layers is missing; {REFINE} has noise in its layers")
        if isinstance(self.layers, Sequence):
            found = [tuple(array.shape) for array in self.layers]
            expected = layer_shapes(config, frames, batch)
            if found != expected:
                raise ValueError(
                    f"noise.layers are {len(found)} arrays, the first {found[:1]}; this input "
                    f"needs {len(expected)}, the first {expected[0]}, the last {expected[-1]}"
                )


def layer_shapes(config: SynthConfig, frames: int, batch: int) -> list[tuple[int, int, int]]:
    """(B, steps, channels) of the noise inside RefineGAN, in the order its layers run in."""
    shapes, steps = [], frames
    for rate, width in zip(config.upsample_rates, config.channels, strict=True):
        steps *= rate
        shapes += [(batch, steps, width)] * (2 * len(config.resblock_kernel_sizes))
    return shapes


def _shapes(
    config: SynthConfig, frames: int, batch: int
) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    source = (batch, frames * config.hop, config.harmonics)
    return (batch, frames, config.inter_channels), source
