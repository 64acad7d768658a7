"""How good a pitch curve is: mir_eval's measures, and octave errors."""

from __future__ import annotations

import warnings

import numpy as np

TOLERANCE_CENTS = 50
TITLES = {
    "pitch": "raw pitch",
    "chroma": "raw chroma",
    "octave": "octave errors",
    "recall": "voicing recall",
    "false_alarm": "false alarms",
    "overall": "overall",
}


def scores(truth_hz: np.ndarray, found_hz: np.ndarray) -> dict[str, float]:
    """Measures in percent over frames, both curves (frames,) in Hz, 0 = unvoiced.

    pitch: raw pitch accuracy, the share of truly voiced frames that are found within 50 cents (a
        frame that is called unvoiced is wrong). chroma: the same, octaves aside. octave: of the
        frames voiced in both, those that are right but for the octave. recall, false_alarm: of the
        truly voiced and unvoiced frames, those that are called voiced. overall: of all frames,
        those that are right, unvoiced ones included. Where no frame is truly unvoiced, the last
        two mean nothing and are left out.

    Raises ValueError for curves of different lengths, and where no frame is truly voiced.
    """
    from mir_eval import melody

    warnings.filterwarnings("ignore", "Estimated melody has no voiced frames", module="mir_eval")
    if truth_hz.shape != found_hz.shape:
        raise ValueError(f"{found_hz.shape} frames were found; expected {truth_hz.shape}")
    true, called = truth_hz > 0, found_hz > 0
    if not true.any():
        raise ValueError("the truth is unvoiced everywhere; expected some voiced frames")
    curves = (
        true.astype(float),
        melody.hz2cents(truth_hz.astype(np.float64)),
        called.astype(float),
        melody.hz2cents(found_hz.astype(np.float64)),
    )
    found = {
        "pitch": melody.raw_pitch_accuracy(*curves, cent_tolerance=TOLERANCE_CENTS),
        "chroma": melody.raw_chroma_accuracy(*curves, cent_tolerance=TOLERANCE_CENTS),
        "octave": _wrong_octaves(np.abs(curves[3] - curves[1])[true & called]),
        "recall": melody.voicing_recall(curves[0], curves[2]),
    }
    if not true.all():
        found["false_alarm"] = melody.voicing_false_alarm(curves[0], curves[2])
        found["overall"] = melody.overall_accuracy(*curves, cent_tolerance=TOLERANCE_CENTS)
    return {name: 100 * float(value) for name, value in found.items()}


def _wrong_octaves(off_cents: np.ndarray) -> float:
    fold = np.abs(off_cents - 1200 * np.round(off_cents / 1200))
    wrong = (off_cents > TOLERANCE_CENTS) & (fold <= TOLERANCE_CENTS)
    return float(wrong.mean()) if len(wrong) else 0.0
