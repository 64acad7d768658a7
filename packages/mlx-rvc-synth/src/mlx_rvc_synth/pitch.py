"""F0 in Hz to the 255 coarse pitch bins that the text encoder embeds.

RVC: mel = 1127·ln(1 + f/700); bins 1 … 255 spread evenly in mel over 50 … 1100 Hz, rounded half to
even; unvoiced frames take bin 1. Bin 0 exists in the table but no voice was ever trained on it.
"""

from __future__ import annotations

import numpy as np

F0_MIN = 50.0  # Hz
F0_MAX = 1100.0  # Hz
BINS = 256  # rows of emb_pitch


def hz_to_mel(f0_hz: np.ndarray | float) -> np.ndarray:
    """Mel as RVC counts it, in float64."""
    return 1127.0 * np.log1p(np.asarray(f0_hz, np.float64) / 700.0)


def coarse_pitch(f0_hz: np.ndarray) -> np.ndarray:
    """Coarse pitch bins, int64 in 1 … 255, of F0 in Hz (any shape; 0 = unvoiced)."""
    low, high = hz_to_mel(F0_MIN), hz_to_mel(F0_MAX)
    scaled = (hz_to_mel(f0_hz) - low) * (BINS - 2) / (high - low) + 1.0
    return np.rint(np.clip(scaled, 1.0, BINS - 1.0)).astype(np.int64)
