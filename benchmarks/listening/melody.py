"""Whether the melody is the source's, shifted: SwiftF0 on both, and the figures of their curves."""

from dataclasses import dataclass

import numpy as np

from . import RATE

FLOOR_HZ, CEILING_HZ = 50.0, 1100.0  # the range of RVC
CONFIDENT = 0.5
TOLERANCE_CENTS = 50.0
FRAME_RATE_HZ = 100.0  # the frames of RVC: a voice that lost its pitch buzzes at it


@dataclass(frozen=True)
class Curve:
    """F0 in Hz (frames,), a guess where unvoiced (0 if there is none), and voicing (frames,)."""

    f0_hz: np.ndarray
    voiced: np.ndarray

    def shifted(self, semitones: float) -> "Curve":
        """The same melody, transposed."""
        return Curve(self.f0_hz * 2.0 ** (semitones / 12), self.voiced)

    def median_hz(self) -> float:
        """Median of the voiced frames; ValueError without any."""
        if not self.voiced.any():
            raise ValueError("no voiced frame in the recording; expected speech or singing")
        return float(np.median(self.f0_hz[self.voiced]))


class Tracker:
    """SwiftF0 0.3.0, a frame every 16 ms; neither RMVPE nor WORLD, which conversions use."""

    def __init__(self):
        from swift_f0 import SwiftF0

        self._swift = SwiftF0()

    def follow(self, audio: np.ndarray) -> Curve:
        """The melody of (samples,) at 16 kHz."""
        found = self._swift.detect(audio.astype(np.float32), RATE, FLOOR_HZ, CEILING_HZ)
        f0_hz = np.nan_to_num(np.asarray(found.pitch_hz, dtype=np.float64))
        return Curve(f0_hz, np.asarray(found.confidence) >= CONFIDENT)


@dataclass(frozen=True)
class Melody:
    """How a conversion follows the wanted melody; shares of frames, 0 to 1.

    correlation: Pearson's, of log F0 where both are voiced. nan where F0 does not move.
    accuracy: raw pitch accuracy (Poliner et al. 2007, as in mir_eval): of the frames that are
        voiced in the source, those whose F0 lies within 50 cents, whether or not they are called
        voiced.
    voiced_accuracy: the same of the frames that both call voiced, so that what whispers is no
        wrong note.
    missed: voiced in the source, unvoiced in the conversion; of the source's voiced frames.
    added: the reverse; of the source's unvoiced frames.
    voicing_error: frames where the two disagree, of all.
    buzz: of the frames that both call voiced, those within 50 cents of the frame rate, 100 Hz,
        though the melody is elsewhere.
    """

    correlation: float
    accuracy: float
    voiced_accuracy: float
    missed: float
    added: float
    voicing_error: float
    buzz: float

    @classmethod
    def of(cls, wanted: Curve, found: Curve) -> "Melody":
        """Compare frame by frame, as far as both reach."""
        n = min(len(wanted.f0_hz), len(found.f0_hz))
        a, b = wanted.f0_hz[:n], found.f0_hz[:n]
        va, vb = wanted.voiced[:n], found.voiced[:n]
        both = va & vb
        near = np.abs(cents(b, a)) < TOLERANCE_CENTS
        buzzing = both & (np.abs(cents(b, FRAME_RATE_HZ)) < TOLERANCE_CENTS) & ~near
        return cls(
            correlation=_correlation(a[both], b[both]),
            accuracy=_share(near & va, va),
            voiced_accuracy=_share(near & both, both),
            missed=_share(va & ~vb, va),
            added=_share(vb & ~va, ~va),
            voicing_error=float(np.mean(va != vb)) if n else float("nan"),
            buzz=_share(buzzing, both),
        )


def cents(f0_hz: np.ndarray, reference_hz: np.ndarray | float) -> np.ndarray:
    """Interval from the reference, 1200 to the octave; infinite where either is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found = 1200 * np.log2(np.asarray(f0_hz, dtype=np.float64) / reference_hz)
    return np.where(np.isfinite(found), found, np.inf)


def auto_pitch(source_hz: float, target_hz: float, *, singing: bool) -> int:
    """Semitones that bring one median F0 to the other; for singing whole octaves.

    Singing lies higher than the same person's speech: a quarter of an octave to the target's speech
    is allowed for before rounding.
    """
    octaves = np.log2(target_hz / source_hz)
    return 12 * round(octaves + 0.26) if singing else round(12 * octaves)


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    if len(a) < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(np.corrcoef(np.log(a), np.log(b))[0, 1])


def _share(which: np.ndarray, among: np.ndarray) -> float:
    return float(which.sum() / among.sum()) if among.any() else float("nan")
