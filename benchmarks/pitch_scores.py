"""How good a pitch curve is: mir_eval's measures, and octave errors."""

from __future__ import annotations

import numpy as np

TOLERANCE_CENTS = 50
NAMES = ("pitch", "chroma", "octave", "recall", "false_alarm", "overall")


def scores(truth_hz: np.ndarray, found_hz: np.ndarray) -> dict[str, float]:
    """Measures in percent over frames, both curves (frames,) in Hz, 0 = unvoiced.

    pitch: raw pitch accuracy, the share of truly voiced frames that are found within 50 cents (a
        frame that is called unvoiced is wrong). chroma: the same, octaves aside. octave: of the
        frames voiced in both, those that are right but for the octave. recall, false_alarm: of the
        truly voiced and unvoiced frames, those that are called voiced. overall: of all frames,
        those that are right, unvoiced ones included.
    """
    from mir_eval import melody

    if truth_hz.shape != found_hz.shape:
        raise ValueError(f"{found_hz.shape} frames were found; expected {truth_hz.shape}")
    true, called = truth_hz > 0, found_hz > 0
    if not true.any() or true.all():
        raise ValueError("the truth is all voiced or all unvoiced; expected some of both")
    curves = (
        true.astype(float),
        melody.hz2cents(truth_hz.astype(np.float64)),
        called.astype(float),
        melody.hz2cents(found_hz.astype(np.float64)),
    )
    recall, false_alarm = melody.voicing_measures(curves[0], curves[2])
    both = true & called
    off = np.abs(curves[3] - curves[1])[both]
    fold = np.abs(off - 1200 * np.round(off / 1200))
    wrong_octave = (off > TOLERANCE_CENTS) & (fold <= TOLERANCE_CENTS)
    found = {
        "pitch": melody.raw_pitch_accuracy(*curves, cent_tolerance=TOLERANCE_CENTS),
        "chroma": melody.raw_chroma_accuracy(*curves, cent_tolerance=TOLERANCE_CENTS),
        "octave": wrong_octave.mean() if both.any() else 0.0,
        "recall": recall,
        "false_alarm": false_alarm,
        "overall": melody.overall_accuracy(*curves, cent_tolerance=TOLERANCE_CENTS),
    }
    return {name: 100 * float(found[name]) for name in NAMES}
