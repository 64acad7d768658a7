"""Sizes of an RMVPE network and of the spectrogram it reads."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class RMVPEConfig:
    """Every size of RMVPE; the defaults are those of the published `rmvpe.pt`.

    `en_de_layers`, `inter_layers`, `n_blocks` and `en_out_channels` carry the names of the
    reference's `E2E` constructor. Pooling and its inverse are 2 x 2, as in every known file.

    Attributes:
        sample_rate: rate of the audio the network was trained on, Hz.
        hop_length: samples between frames; 160 at 16 kHz gives 100 frames a second.
        n_fft: FFT and window length in samples.
        n_mels: mel bands; a multiple of `frame_multiple`.
        mel_fmin: lower edge of the lowest band, Hz.
        mel_fmax: upper edge of the highest band, Hz; at most half the sample rate.
        en_de_layers: levels of the U-Net.
        inter_layers: residual stacks at its bottom.
        n_blocks: residual blocks of each stack.
        en_out_channels: channels of the first level; doubled at each level below.
        cnn_channels: channels handed from the U-Net to the GRU, each `n_mels` wide.
        gru_hidden: width of the GRU, in each direction.
        n_bins: pitch classes, 20 cents apart.
    """

    sample_rate: int = 16000
    hop_length: int = 160
    n_fft: int = 1024
    n_mels: int = 128
    mel_fmin: float = 30.0
    mel_fmax: float = 8000.0
    en_de_layers: int = 5
    inter_layers: int = 4
    n_blocks: int = 4
    en_out_channels: int = 16
    cnn_channels: int = 3
    gru_hidden: int = 256
    n_bins: int = 360

    def __post_init__(self) -> None:
        """Refuse sizes that no network can have.

        Raises:
            ValueError: names the size, its value and what it must be.
        """
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError(f"RMVPE config: {field.name} is {value!r}, expected a number")
            if field.type == "int" and not (isinstance(value, int) and value >= 1):
                raise ValueError(f"RMVPE config: {field.name} is {value}, expected an integer >= 1")
        if not 0 <= self.mel_fmin < self.mel_fmax <= self.sample_rate / 2:
            raise ValueError(
                f"RMVPE config: mel bands from {self.mel_fmin} to {self.mel_fmax} Hz do not fit"
                f" into 0 to {self.sample_rate / 2} Hz"
            )
        if self.n_mels % self.frame_multiple:
            raise ValueError(
                f"RMVPE config: n_mels is {self.n_mels}, expected a multiple of"
                f" {self.frame_multiple}, because {self.en_de_layers} levels halve it each time"
            )

    @property
    def frame_multiple(self) -> int:
        """Frames are padded to a multiple of this (32), so that each level can halve them."""
        return 2**self.en_de_layers

    @property
    def decoder_halo_frames(self) -> int:
        """Frames of context, each side, beyond which the U-Net's decoder cannot see (320).

        Derived layer by layer from the output back to the input, in frames: the last convolution
        sees 1; a decoder level of stride s sees s for its transposed convolution and 2s for each
        residual block (two 3 x 3 convolutions); and a frame may lie anywhere in its cell at the
        bottom. Rounded up to whole cells, because blocks must start on one.
        """
        return self._cells(1 + sum(s * (2 * self.n_blocks + 1) for s in self._strides))

    @property
    def halo_frames(self) -> int:
        """Frames of context, each side, beyond which the whole U-Net cannot see (1600).

        What the decoder sees, and before it: the bottom 2s a block at the largest stride, and an
        encoder level of stride s 2s a block.
        """
        seen = 1 + sum(s * (4 * self.n_blocks + 1) for s in self._strides)
        return self._cells(seen + 2 * self.frame_multiple * self.n_blocks * self.inter_layers)

    @property
    def _strides(self) -> list[int]:
        return [2**level for level in range(self.en_de_layers)]

    def _cells(self, frames: int) -> int:
        """Frames rounded up to whole cells of the bottom, with one more for the place in a cell."""
        return (-(-frames // self.frame_multiple) + 1) * self.frame_multiple

    def to_dict(self) -> dict[str, Any]:
        """The configuration as plain values, for `config.json`."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RMVPEConfig:
        """The configuration from plain values; absent ones keep their defaults.

        Raises:
            ValueError: an unknown name, or a value that no network can have.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(
                f"RMVPE config: unknown {', '.join(unknown)}; known are {', '.join(sorted(known))}"
            )
        return cls(**values)
