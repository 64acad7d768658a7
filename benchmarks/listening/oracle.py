"""The same conversion by PyTorch (rvc-next), with the same noise on both sides."""

import sys
from collections.abc import Callable
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import numpy as np

from .recordings import Recording, resampled
from .subject import Subject

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))


class EqualNoise:
    """Normal noise that both programs draw from: the first frames of one long array each."""

    def __init__(self, seed: int, channels: int, hop: int, frames: int):
        rng = np.random.default_rng(seed)
        self.latent = rng.standard_normal((1, frames, channels), dtype=np.float32)
        self.source = rng.standard_normal((1, frames * hop, 1), dtype=np.float32)
        self._hop = hop

    def ours(self, chunk: int, frames: int):
        """The product's noise for a chunk; ValueError beyond the first."""
        from mlx_rvc_synth import Noise

        if chunk:
            raise ValueError("a recording of several chunks; compare recordings below 38 s")
        return Noise(self.latent[:, :frames], self.source[:, : frames * self._hop])

    @contextmanager
    def theirs(self):
        """Let torch draw it: what has the shape of the latent, then that of the sine source."""
        import torch

        before = torch.randn_like, torch.rand
        latent, source = torch.from_numpy(self.latent), torch.from_numpy(self.source)

        def draw(x, **_):
            channels_first = x.shape[1] == latent.shape[2]
            noise = latent[:, : x.shape[2]].transpose(1, 2) if channels_first else source
            return noise[:, : x.shape[1]].reshape(x.shape).to(x)

        torch.randn_like, torch.rand = draw, torch.zeros
        try:
            yield
        finally:
            torch.randn_like, torch.rand = before


class Oracle:
    """rvc-next with the subject's weights, and its F0 as the subject measures it.

    The loudness envelope is off on both sides (rms_mix_rate 1): rvc-next's output is a few ms
    short, which puts its envelope out of step.
    """

    def __init__(self, subject: Subject):
        self.subject = subject

    def ours(self, recording: Recording, *, speaker: int, pitch: float, seed: int) -> np.ndarray:
        """The product's conversion with that noise, (samples,) at 16 kHz."""
        return self.subject.convert(
            recording,
            speaker=speaker,
            pitch=pitch,
            noise=self._noise(recording, speaker, seed).ours,
            rms_mix_rate=1.0,
        )

    def theirs(self, recording: Recording, *, speaker: int, pitch: float, seed: int) -> np.ndarray:
        """PyTorch's with the same noise, (samples,) at 16 kHz, a few ms shorter."""
        theirs = self._other(
            recording.at_16k,
            self.subject.files.indices.get(speaker),
            pitch=pitch,
            speaker_id=speaker,
            noise=self._noise(recording, speaker, seed).theirs,
            **{**self.subject.controls, "rms_mix_rate": 1.0},
        )
        rate = self._config(speaker).sample_rate
        return resampled(theirs.astype(np.float32), rate)

    def _config(self, speaker: int):
        return self.subject.pipeline(speaker).synthesizer.config

    def _noise(self, recording: Recording, speaker: int, seed: int) -> EqualNoise:
        config = self._config(speaker)
        frames = len(recording.at_16k) // 160 + 400  # a second of context at both ends, and room
        return EqualNoise(seed, config.inter_channels, config.hop, frames)

    @cached_property
    def _other(self):
        from oracles import load_rvc_next

        files = self.subject.files
        if files.contentvec is None:
            raise ValueError("the comparison with PyTorch needs the encoder: give --contentvec")
        f0_method = _f0_method(files.f0_method)
        return load_rvc_next(files.contentvec, files.voice, f0_method)


def _f0_method(name: str) -> Callable[[np.ndarray], np.ndarray]:
    """The product's F0 method of that name: audio at 16 kHz to F0 in Hz."""
    from mlx_f0 import load

    return load(name).infer_from_audio
