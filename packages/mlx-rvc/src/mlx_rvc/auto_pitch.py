"""Auto pitch: the shift that brings a recording's median F0 to a target.

A speaker's usual pitch is a median of frequencies on a logarithmic axis: octave errors and shouts
do not move it.
"""

import numpy as np

from mlx_rvc.options import AUTO_PITCH_STEPS

STEPS: dict[str, int] = dict(zip(AUTO_PITCH_STEPS, (1, 12), strict=True))
"""Semitones to which the shift is rounded; whole octaves keep the key of a song."""


def median_hz(f0_hz: np.ndarray) -> float | None:
    """Median in Hz of the voiced frames of F0 (frames,), taken of logarithms; None without any."""
    voiced = f0_hz[f0_hz > 0]
    return float(np.exp(np.median(np.log(voiced, dtype=np.float64)))) if voiced.size else None


def shift_to(f0_hz: np.ndarray, target_hz: float, step: str = "semitone") -> float:
    """Semitones from the median of F0 (frames,) to `target_hz`, in whole steps.

    Without a voiced frame there is nothing to shift: 0.
    """
    median = median_hz(f0_hz)
    if median is None:
        return 0.0
    size = STEPS[step]
    return float(size * round(12 * np.log2(target_hz / median) / size))
