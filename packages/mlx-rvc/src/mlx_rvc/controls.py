"""What a user can set for one conversion, with the ranges checked before any model loads."""

import math
from dataclasses import dataclass
from typing import TypedDict

F0_METHODS = ("rmvpe", "harvest", "dio")
SAMPLE_RATES = (8000, 192000)
"""Lowest and highest output sample rate in Hz."""


class ControlFields(TypedDict, total=False):
    """The fields of `Controls` as keyword arguments."""

    pitch: float
    f0_method: str
    index_rate: float
    protect: float
    rms_mix_rate: float
    speaker: int
    output_rate: int | None
    seed: int | None


@dataclass(frozen=True)
class Controls:
    """Settings of one conversion; the defaults are those of RVC-WebUI.

    pitch: shift of F0 in semitones, fractions allowed, -48 to 48.
    f0_method: "rmvpe" (neural, the default), "harvest" or "dio" (WORLD, need no weights).
    index_rate: 0 leaves the content features as they are, 1 replaces them by their neighbours in
        the voice's index. Without an index nothing is blended.
    protect: how much of the index blend unvoiced frames keep, 0 (none) to 0.5 (all, the protection
        of consonants is off).
    rms_mix_rate: 0 gives the output the loudness envelope of the input, 1 keeps its own.
    speaker: number of the voice's speaker, from 0.
    output_rate: sample rate of the output in Hz; None is the voice's own.
    seed: makes a run repeatable; None draws fresh noise.

    Raises ValueError that names the value, its range and the field.
    """

    pitch: float = 0.0
    f0_method: str = "rmvpe"
    index_rate: float = 0.75
    protect: float = 0.33
    rms_mix_rate: float = 0.25
    speaker: int = 0
    output_rate: int | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        _in_range("pitch", self.pitch, -48, 48, "semitones")
        _in_range("index rate", self.index_rate, 0, 1)
        _in_range("protect", self.protect, 0, 0.5)
        _in_range("RMS mix rate", self.rms_mix_rate, 0, 1)
        if self.f0_method not in F0_METHODS:
            raise ValueError(
                f"F0 method {self.f0_method!r} is unknown; choose one of {', '.join(F0_METHODS)}"
            )
        if self.speaker < 0:
            raise ValueError(f"speaker is {self.speaker}; speakers are numbered from 0")
        if self.output_rate is not None:
            _in_range("output sample rate", self.output_rate, *SAMPLE_RATES, "Hz")
        if self.seed is not None:
            _in_range("seed", self.seed, 0, 2**63 - 1)


def _in_range(name: str, value: float, low: float, high: float, unit: str = "") -> None:
    if not (math.isfinite(value) and low <= value <= high):
        span = f"{low} to {high} {unit}".rstrip()
        raise ValueError(f"{name} is {value}; it must lie in {span}")
