"""Sizes of a SwiftF0 network, of the spectrograms it reads and of the pitches it names."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class SwiftF0Config:
    """Every size of SwiftF0; the defaults are those of the shipped weights (swift-f0 0.3.0).

    Attributes:
        sample_rate: rate of the audio the network was trained on, Hz.
        hop_length: samples between the model's own frames; 256 at 16 kHz are 16 ms.
        windows: window and FFT length of each spectrogram, samples, in the order of the network's
            input channels; even.
        n_bands: bands of each spectrogram.
        log_floor: added to a band's magnitude before its logarithm.
        channels: channels of the stem and of every residual block.
        blocks: of each residual block the kernel's frames and bands, both odd, and its dilation
            over the bands.
        head_bands: bands, from the lowest, that the heads read; one more than the pitch classes.
        head_channels: channels the heads read.
        voicing_channels: hidden width of the head of voicing.
        class_min: lowest pitch class, Hz.
        class_max: highest pitch class, Hz; the others lie between them at equal ratios.
        silence_peak: a frame whose own hop peaks below this is unvoiced.
    """

    sample_rate: int = 16000
    hop_length: int = 256
    windows: tuple[int, ...] = (1024, 2048, 512)
    n_bands: int = 128
    log_floor: float = 1e-8
    channels: int = 12
    blocks: tuple[tuple[int, int, int], ...] = (
        (3, 7, 1),
        (1, 7, 17),
        (1, 5, 27),
        (1, 3, 40),
        (1, 3, 48),
        (3, 7, 2),
    )
    head_bands: int = 96
    head_channels: int = 4
    voicing_channels: int = 16
    class_min: float = 46.875
    class_max: float = 2093.75
    silence_peak: float = 1e-3

    def __post_init__(self) -> None:
        """Refuse sizes that no network can have.

        Raises:
            ValueError: names the size, its value and what it must be.
        """
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.type == "int" and not _is_count(value):
                raise _wrong(field.name, value, "an integer >= 1")
            if field.type == "float" and not _is_positive(value):
                raise _wrong(field.name, value, "a positive number")
        if not self.windows or any(not _is_count(n) or n % 2 for n in self.windows):
            raise _wrong("windows", self.windows, "even integers >= 2")
        for block in self.blocks:
            odd = len(block) == 3 and all(_is_count(n) for n in block)
            if not (odd and block[0] % 2 and block[1] % 2):
                raise _wrong("blocks", block, "an odd number of frames, one of bands, a dilation")
        if not 2 < self.head_bands <= self.n_bands:
            raise _wrong("head_bands", self.head_bands, f"3 to n_bands, {self.n_bands}")
        if self.class_max <= self.class_min:
            raise _wrong("class_max", self.class_max, f"more than class_min, {self.class_min}")

    @property
    def n_classes(self) -> int:
        """Pitch classes (95)."""
        return self.head_bands - 1

    @property
    def class_ratio(self) -> float:
        """Ratio of neighbouring pitch classes (1.04125, 70 cents)."""
        return (self.class_max / self.class_min) ** (1 / (self.n_classes - 1))

    @property
    def halo_frames(self) -> int:
        """Frames to either side that the convolutions see (7).

        The stem, the pitch's head and the voicing's see one frame to either side each; a residual
        block half of its kernel, twice.
        """
        return 3 + sum(2 * (frames // 2) for frames, _, _ in self.blocks)

    @property
    def reach(self) -> int:
        """Samples to either side of a frame's centre that are read for it (2816).

        What the convolutions see and half of the largest window; the outermost sample lies on the
        window's zero.
        """
        return self.halo_frames * self.hop_length + max(self.windows) // 2

    @property
    def lookahead_frames(self) -> int:
        """Whole hops after a frame's own that must be known before it is final (10)."""
        return -(-self.reach // self.hop_length) - 1

    def to_dict(self) -> dict[str, Any]:
        """The configuration as plain values, for `config.json`."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> SwiftF0Config:
        """The configuration from plain values; absent ones keep their defaults.

        Raises:
            ValueError: an unknown name, or a value that no network can have.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(
                f"SwiftF0 config: unknown {', '.join(unknown)}; known are"
                f" {', '.join(sorted(known))}"
            )
        sizes = dict(values)
        for name in ("windows", "blocks"):  # JSON has no tuples
            if name in sizes:
                sizes[name] = _tuples(name, sizes[name], nested=name == "blocks")
        return cls(**sizes)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_positive(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value) and value > 0


def _tuples(name: str, value: Any, *, nested: bool) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise _wrong(name, value, "a list")
    return tuple(_tuples(name, part, nested=False) for part in value) if nested else tuple(value)


def _wrong(name: str, value: Any, expected: str) -> ValueError:
    return ValueError(f"SwiftF0 config: {name} is {value!r}, expected {expected}")
