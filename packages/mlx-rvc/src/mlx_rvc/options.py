"""What a user can set for one conversion, with the ranges checked before any model loads."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypedDict, Unpack

if TYPE_CHECKING:
    from mlx_f0 import F0Method

SAMPLE_RATES = (8000, 192000)
"""Lowest and highest output sample rate in Hz."""

CHUNK_SECONDS = 38.0
"""Length of a piece of a long recording, in seconds, as in RVC-WebUI."""

VOICE = "voice"
"""As a target of auto pitch: the median that the voice names."""

AUTO_PITCH_STEPS = ("semitone", "octave")
"""What an automatic shift may be rounded to."""


class OptionFields(TypedDict, total=False):
    """The fields of `ConversionOptions` as keyword arguments."""

    pitch: float
    auto_pitch: float | str | None
    auto_pitch_step: str
    autotune: float
    autotune_scale: str
    f0_method: str | F0Method | None
    f0_min: float | None
    f0_max: float | None
    filter_radius: int | None
    unvoiced: str
    f0_file: str | os.PathLike[str] | None
    save_f0: str | os.PathLike[str] | None
    index_rate: float
    protect: float
    formant: float
    rms_mix_rate: float
    speaker: int | str
    clean: float
    split_silence: float | None
    chunk_seconds: float
    output_rate: int | None
    seed: int | None
    keep_stereo: bool


@dataclass(frozen=True)
class ConversionOptions:
    """Settings of one conversion; the defaults are those of RVC-WebUI.

    pitch: shift of F0 in semitones, fractions allowed, -48 to 48.
    auto_pitch: shift F0 so that the recording's median lies at this many Hz (20 to 3000), or, with
        "voice", at the median that the voice's metadata names for its speaker; `pitch` adds to it.
    auto_pitch_step: what the automatic shift is rounded to, "semitone" or "octave", which keeps
        the key of a song.
    autotune: how far F0 is drawn to the nearest note of the scale, after the shift: 0 (off) to 1.
    autotune_scale: "chromatic", or a note and a mode: "C major", "F# minor" (`mlx_rvc.autotune`).
    f0_method: the name of an installed method (`mlx_f0.available()`): "rmvpe", "fcpe", "crepe",
        "crepe-tiny", "swift-f0" (neural), "harvest", "dio" (WORLD), "pm" (Praat), and others;
        "hybrid[a+b]" of several; or an `mlx_f0.F0Method`. None is rmvpe, for the bundled voice
        the method that its bundle names, whose weights ship.
    f0_min, f0_max: where F0 is looked for, in Hz; None is the method's own range.
    filter_radius: above 2, F0 gets a median over 3 frames, otherwise none; None, harvest alone.
    unvoiced: what the voice gets where no pitch is heard: "zero", or "interp", the pitch in
        between, which some voices were trained with. `protect` goes by what is heard in both cases.
    f0_file: F0 to use in place of the method's, CSV `time,Hz`; it is neither shifted nor tuned.
    save_f0: where to write the F0 that the voice gets, CSV, such that it can be an f0_file.
    index_rate: 0 leaves the content features as they are, 1 replaces them by their neighbours in
        the voice's index. Without an index nothing is blended.
    protect: how much of the index blend unvoiced frames keep, 0 (none) to 0.5 (all, the protection
        of consonants is off).
    formant: shift of the output's formants in semitones, -12 (larger body) to 12 (smaller); F0 and
        timing stay.
    rms_mix_rate: 0 gives the output the loudness envelope of the input, 1 keeps its own.
    speaker: number of the voice's speaker, from 0, or its name.
    clean: strength of the noise reduction before the conversion, 0 (off) to 1; needs the extra
        `clean` (noisereduce).
    split_silence: a level in dB relative to the loudest 20 ms, -90 to -10: what stays below it for
        2.5 s is not converted but digital silence. None converts everything.
    chunk_seconds: length of the pieces in which long recordings are converted, 5 to 300 s; shorter
        pieces take less memory. The cut is searched around it, for 38 s within 6 s.
    output_rate: sample rate of the output in Hz; None is the voice's own.
    seed: makes a run repeatable; None draws fresh noise.
    keep_stereo: put the converted voice where the original's sound lies between its two channels,
        as loud on each side; otherwise the output has one channel.

    Raises ValueError that names the value, its range and the field.
    """

    pitch: float = 0.0
    auto_pitch: float | str | None = None
    auto_pitch_step: str = "semitone"
    autotune: float = 0.0
    autotune_scale: str = "chromatic"
    f0_method: str | F0Method | None = None
    f0_min: float | None = None
    f0_max: float | None = None
    filter_radius: int | None = None
    unvoiced: str = "zero"
    f0_file: str | os.PathLike[str] | None = None
    save_f0: str | os.PathLike[str] | None = None
    index_rate: float = 0.75
    protect: float = 0.33
    formant: float = 0.0
    rms_mix_rate: float = 0.25
    speaker: int | str = 0
    clean: float = 0.0
    split_silence: float | None = None
    chunk_seconds: float = CHUNK_SECONDS
    output_rate: int | None = None
    seed: int | None = None
    keep_stereo: bool = False

    def __post_init__(self) -> None:
        _in_range("pitch", self.pitch, -48, 48, "semitones")
        _in_range("index rate", self.index_rate, 0, 1)
        _in_range("protect", self.protect, 0, 0.5)
        _in_range("RMS mix rate", self.rms_mix_rate, 0, 1)
        _in_range("formant", self.formant, -12, 12, "semitones")
        _in_range("clean", self.clean, 0, 1)
        _in_range("chunk length", self.chunk_seconds, 5, 300, "s")
        if self.split_silence is not None:
            _in_range("silence threshold", self.split_silence, -90, -10, "dB")
        self._check_f0()
        self._check_pitch()
        # Numbers come as text from a command line.
        if isinstance(self.speaker, str) and self.speaker.strip().isdecimal():
            object.__setattr__(self, "speaker", int(self.speaker))
        if isinstance(self.speaker, int) and self.speaker < 0:
            raise ValueError(f"speaker is {self.speaker}; speakers are numbered from 0")
        if self.output_rate is not None:
            _in_range("output sample rate", self.output_rate, *SAMPLE_RATES, "Hz")
        if self.seed is not None:
            _in_range("seed", self.seed, 0, 2**63 - 1)

    @classmethod
    def of(
        cls, options: ConversionOptions | None, **changes: Unpack[OptionFields]
    ) -> ConversionOptions:
        """Options as functions take them: an object, keyword arguments, or both, which change it.

        Raises ValueError like the class itself, and for an object of another kind.
        """
        if options is None:
            return cls(**changes)
        if not isinstance(options, cls):
            raise ValueError(f"options is {options!r}; expected a ConversionOptions")
        return replace(options, **changes)

    def uses(self, method: str) -> bool:
        """Whether the method of this name is asked for, alone or in a hybrid; rmvpe if none is."""
        from mlx_f0 import parts

        if self.f0_method is None:
            return method == "rmvpe"
        return isinstance(self.f0_method, str) and method in parts(self.f0_method)

    def check_rmvpe(self, weights: str | os.PathLike[str] | None) -> None:
        """Raise ValueError if weights for RMVPE are given that the F0 method would not use."""
        if weights is not None and not self.uses("rmvpe"):
            raise ValueError(
                f"weights for RMVPE are given, but the F0 method is {self.f0_method}; leave out "
                f"one of them"
            )

    def _check_pitch(self) -> None:
        from mlx_rvc.autotune import pitch_classes

        if isinstance(self.auto_pitch, str) and self.auto_pitch != VOICE:
            try:
                object.__setattr__(self, "auto_pitch", float(self.auto_pitch))
            except ValueError:
                raise ValueError(
                    f"auto pitch is {self.auto_pitch!r}; expected a median in Hz, or {VOICE!r} for "
                    f"the voice's own"
                ) from None
        if isinstance(self.auto_pitch, int | float):
            _in_range("auto pitch", self.auto_pitch, 20, 3000, "Hz")
        if self.auto_pitch_step not in AUTO_PITCH_STEPS:
            raise ValueError(
                f"auto pitch step is {self.auto_pitch_step!r}; choose one of "
                f"{', '.join(AUTO_PITCH_STEPS)}"
            )
        if self.auto_pitch is None and self.auto_pitch_step != AUTO_PITCH_STEPS[0]:
            raise ValueError(
                f"auto pitch step is {self.auto_pitch_step}, but there is no auto pitch; give its "
                f"median in Hz, or {VOICE!r}"
            )
        _in_range("autotune", self.autotune, 0, 1)
        pitch_classes(self.autotune_scale)
        if self.autotune == 0 and self.autotune_scale != "chromatic":
            raise ValueError(
                f"autotune scale is {self.autotune_scale}, but autotune is 0 (off); give a "
                f"strength up to 1"
            )

    def _check_f0(self) -> None:
        from mlx_f0 import F0Method, F0Settings, parts

        if isinstance(self.f0_method, str):
            parts(self.f0_method)
        elif self.f0_method is not None and not isinstance(self.f0_method, F0Method):
            raise ValueError(
                f"the F0 method is {self.f0_method!r}; expected a name or an mlx_f0.F0Method"
            )
        F0Settings(
            f0_min=self.f0_min,
            f0_max=self.f0_max,
            filter_radius=self.filter_radius,
            unvoiced=self.unvoiced,
        )


def _in_range(name: str, value: float, low: float, high: float, unit: str = "") -> None:
    if not (math.isfinite(value) and low <= value <= high):
        span = f"{low} to {high} {unit}".rstrip()
        raise ValueError(f"{name} is {value}; it must lie in {span}")
