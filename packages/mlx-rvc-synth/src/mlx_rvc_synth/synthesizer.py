"""The RVC voice: content features, F0 and a speaker to audio (VITS with an NSF vocoder).

features, coarse F0 ─ enc_p ─> m, logs ─ + noise ─> z_p ─ flow⁻¹ ─> z ─ dec ─> audio
speaker ─ emb_g ─> g, for flow and dec;        F0 ─ dec.m_source ─> source, for dec
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
from mlx import nn

import mlx_fastops

from .arrays import Array, alike, library
from .config import HIFIGAN, MRF, REFINE, SynthConfig
from .flow import ResidualCouplingBlock
from .generator import Generator
from .mrf_generator import MRFGenerator
from .noise import NOISE_SCALE, Noise
from .pitch import coarse_pitch
from .refine_generator import RefineGenerator
from .text_encoder import TextEncoder

_GENERATORS: dict[str, Any] = {HIFIGAN: Generator, MRF: MRFGenerator, REFINE: RefineGenerator}


class Synthesizer(nn.Module):
    """One voice file. Attributes carry the checkpoint's names: `enc_p`, `flow`, `dec`, `emb_g`.

    enc_p = prior encoder ("text" encoder in VITS), flow = normalising flow, dec = generator,
    emb_g = speaker table.
    """

    def __init__(self, config: SynthConfig):
        super().__init__()
        self.config = config
        self._metadata: dict[str, Any] = {}
        self.enc_p = TextEncoder(
            config.feature_channels,
            config.inter_channels,
            config.hidden_channels,
            config.filter_channels,
            config.n_heads,
            config.n_layers,
            config.kernel_size,
            config.window_size,
            config.f0,
        )
        self.flow = ResidualCouplingBlock(
            config.inter_channels,
            config.hidden_channels,
            config.flow_kernel_size,
            config.flow_n_layers,
            config.n_flows,
            config.gin_channels,
        )
        self.dec = _GENERATORS[config.vocoder](config)
        self.emb_g = nn.Embedding(config.spk_embed_dim, config.gin_channels)
        self._on_device = mlx_fastops.Bucketed(self._latent, self, timed=3 if config.f0 else 2)

    @property
    def metadata(self) -> dict[str, Any]:
        """What the file says beside its tensors: embedder, author, epoch, speaker names ..."""
        return self._metadata

    @classmethod
    def from_pretrained(cls, source: str | Path) -> Synthesizer:
        """Read a voice: a file, a folder or a hub repository ("owner/name").

        Small models and training checkpoints (.pth), lexandstuff's and our own safetensors.
        Raises ValueError when the file is no such voice, naming what it is where that is known.
        """
        from .weights import load_voice

        return load_voice(source)

    def save_pretrained(self, folder: str | Path, *, dtype: str = "float32") -> None:
        """Write `config.json` and `model.safetensors` (weight norm folded) into `folder`."""
        from .weights import save_voice

        save_voice(self, folder, dtype=dtype)

    def infer(
        self,
        features: Any,
        f0_hz: Any = None,
        *,
        speaker: int = 0,
        seed: int | None = None,
        noise: Noise | None = None,
        phase: float = 0.0,
    ) -> mx.array:
        """Audio (B, T·hop), float32 in −1 … 1 at `config.sample_rate`.

        `features` (B, T, feature_channels) at 100 frames a second; `f0_hz` (B, T), 0 = unvoiced,
        None for voices without F0. Noise is random, repeatable with `seed`, or given. `phase` is
        that of the sine source before the first frame, in cycles: with `frame_phase` a long
        recording goes on where its last piece ended. Raises ValueError for shapes, speakers or
        arguments that do not fit this voice.
        """
        features = _float32(features, "features")
        f0 = self._check(features, f0_hz, speaker)
        batch, frames, _ = features.shape
        if noise is None:
            noise = Noise.normal(self.config, frames, batch, seed)
        elif seed is not None:
            raise ValueError("give either seed or noise: given noise leaves nothing to seed")
        noise.check(self.config, frames, batch)

        x = mlx_fastops.native(features)
        g = alike(self.emb_g.weight, x)[[speaker]][None]  # (1, 1, gin)
        timed: list[Any] = [x, alike(_float32(noise.latent, "noise.latent"), x)]
        if f0 is not None:
            timed.append(alike(coarse_pitch(f0), x))  # (B, T)
        run = self._on_device if mlx_fastops.compiles() else partial(self._latent, None)
        z = run(*timed, g)  # (B, T, inter)
        source = None
        if f0 is not None:
            spread = alike(_float32(noise.source, "noise.source"), x)
            own: dict[str, Any] = {}
            if noise.offsets is not None:
                own["offsets"] = _float32(noise.offsets, "noise.offsets")
            source = self.dec.m_source(f0, spread, phase, **own)  # (B, T·hop, 1)
        inside: dict[str, Any] = {"layers": noise.inside()} if noise.layers is not None else {}
        return mlx_fastops.to_mlx(self.dec(z, g, source, **inside))  # (B, T·hop)

    def _latent(self, mask: Array | None, x: Array, spread: Array, *others: Array) -> Array:
        """Features, noise, coarse pitch if the voice has F0, speaker -> latent z (B, T, inter).

        Frames outside `mask` (T,) have no effect on the others.
        """
        *pitch, g = others
        m, logs = self.enc_p(x, pitch[0] if pitch else None, mask)  # (B, T, inter) each
        return self.flow(self.prior_sample(m, logs, spread), g, mask)

    def warmup(self) -> None:
        """Do now what the first call would otherwise wait for, by rendering some silence.

        On a GPU (5 s) this compiles, and times the forms of convolution among which
        `mlx_fastops.warmup` chooses: once per machine and version, in at most ten seconds more. On
        a CPU (a quarter of a second) it touches the weights.
        """
        frames = 500 if mlx_fastops.compiles() else 25
        features = np.zeros((1, frames, self.config.feature_channels), np.float32)
        f0 = np.zeros((1, frames), np.float32) if self.config.f0 else None
        noise = Noise.zeros(self.config, frames)
        mlx_fastops.warmup(lambda: self.infer(features, f0, noise=noise))
        if mlx_fastops.compiles():  # `mlx_fastops.warmup` measures without compiling
            mx.eval(self.infer(features, f0, noise=noise))

    @staticmethod
    def prior_sample(m: Array, logs: Array, noise: Array) -> Array:
        """z_p (B, T, inter): the prior's mean plus noise of 0.66666 times its deviation."""
        return m + library(m).exp(logs) * noise * NOISE_SCALE

    def _check(self, features: Any, f0_hz: Any, speaker: int) -> np.ndarray | None:
        """Refuse what does not fit this voice; F0 as float32 (B, T), or None."""
        config = self.config
        shape = tuple(features.shape)
        if len(shape) != 3 or shape[0] == 0 or shape[1] == 0:
            raise ValueError(f"features must be (batch, frames, channels), found shape {shape}")
        if shape[2] != config.feature_channels:
            raise ValueError(
                f"features are {shape[2]} wide, this voice ({config.version}) was trained on "
                f"{config.feature_channels}: it needs another content encoder"
                + _encoder_hint(self._metadata)
            )
        if isinstance(speaker, bool) or not isinstance(speaker, int | np.integer):
            raise ValueError(f"speaker must be a number, found {speaker!r}")
        if not 0 <= speaker < config.speakers:
            raise ValueError(
                f"speaker {speaker} does not exist; this voice has speakers 0 to "
                f"{config.speakers - 1}"
            )
        if not config.f0:
            if f0_hz is not None:
                raise ValueError("this voice was trained without F0: pass f0_hz=None")
            return None
        if f0_hz is None:
            raise ValueError("this voice needs F0: pass f0_hz (batch, frames) in Hz, 0 = unvoiced")
        f0 = np.asarray(f0_hz, np.float32)
        if f0.shape != shape[:2]:
            raise ValueError(f"f0_hz has shape {f0.shape}; these features need {shape[:2]}")
        if not np.isfinite(f0).all() or (f0 < 0).any():
            raise ValueError("f0_hz must be finite and not negative; unvoiced frames are 0")
        return f0


def _encoder_hint(metadata: dict[str, Any]) -> str:
    name = metadata.get("embedder_model") or metadata.get("embedder_name")
    return f" (its file names {name})" if name else ""


def _float32(x: Any, name: str) -> Any:
    if isinstance(x, mx.array):
        return x.astype(mx.float32)
    try:
        return np.ascontiguousarray(x, np.float32)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} is not an array of numbers: {error}") from error
