"""Sizes of an FCPE network and of the spectrogram it reads."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KERNEL_SIZE = 31  # taps of each layer's depthwise convolution
EXPANSION_FACTOR = 2  # width inside a layer over width between layers
NORM_GROUPS = 4  # of the normalisation in the input stack


@dataclass(frozen=True)
class FCPEConfig:
    """Every size of FCPE, under torchfcpe's names; the defaults are those of `fcpe_c_v001.pt`.

    Attributes:
        sr: rate of the audio the network was trained on, Hz.
        hop_size: samples between frames; 160 at 16 kHz gives 100 frames a second.
        n_fft: FFT and window length in samples; at least `hop_size`, and even with it.
        num_mels: mel bands.
        fmin: lower edge of the lowest band, Hz.
        fmax: upper edge of the highest band, Hz; at most half the rate.
        hidden_dims: width of the network; a multiple of 4, the groups of its normalisation.
        n_layers: layers.
        out_dims: pitch classes.
    """

    sr: int = 16000
    hop_size: int = 160
    n_fft: int = 1024
    num_mels: int = 128
    fmin: float = 0.0
    fmax: float = 8000.0
    hidden_dims: int = 512
    n_layers: int = 6
    out_dims: int = 360

    def __post_init__(self) -> None:
        """Refuse sizes that no network can have.

        Raises:
            ValueError: names the size, its value and what it must be.
        """
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError(f"FCPE config: {field.name} is {value!r}, expected a number")
            if field.type == "int" and not (isinstance(value, int) and value >= 1):
                raise ValueError(f"FCPE config: {field.name} is {value}, expected an integer >= 1")
        if not 0 <= self.fmin < self.fmax <= self.sr / 2:
            raise ValueError(
                f"FCPE config: mel bands from {self.fmin} to {self.fmax} Hz do not fit"
                f" into 0 to {self.sr / 2} Hz"
            )
        if self.n_fft < self.hop_size or (self.n_fft - self.hop_size) % 2:
            raise ValueError(
                f"FCPE config: n_fft is {self.n_fft}, expected hop_size ({self.hop_size}) plus an"
                " even number, half of which stands on either side"
            )
        if self.hidden_dims % NORM_GROUPS:
            raise ValueError(
                f"FCPE config: hidden_dims is {self.hidden_dims}, expected a multiple of"
                f" {NORM_GROUPS}"
            )

    @property
    def pad(self) -> int:
        """Samples of the first window before the recording (432), and of the last one after it."""
        return (self.n_fft - self.hop_size) // 2

    @property
    def halo_frames(self) -> int:
        """Frames of context, each side, beyond which a frame sees nothing (92).

        One for each of the two convolutions of three taps, 15 for each layer. The normalisation
        in the input stack sees the whole recording; its two numbers a group are found beforehand.
        """
        return 2 + self.n_layers * (KERNEL_SIZE // 2)

    def to_dict(self) -> dict[str, Any]:
        """The configuration as plain values, for `config.json`."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> FCPEConfig:
        """The configuration from plain values; absent ones keep their defaults.

        Raises:
            ValueError: an unknown name, or a value that no network can have.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(
                f"FCPE config: unknown {', '.join(unknown)}; known are {', '.join(sorted(known))}"
            )
        return cls(**values)
