"""F0 of clean synthetic speech by Praat's autocorrelation: the labels of training."""

import numpy as np
import parselmouth

from corpus import RATE

HOP = 160  # samples: 100 frames a second


def track(audio: np.ndarray, floor: float, ceiling: float) -> np.ndarray:
    """(samples,) to (samples // 160 + 1,) Hz, frame i at i * 10 ms, 0 where unvoiced."""
    sound = parselmouth.Sound(audio.astype(np.float64), RATE)
    pitch = sound.to_pitch_ac(
        time_step=0.01,
        pitch_floor=floor,
        pitch_ceiling=ceiling,
        silence_threshold=0.02,
        voicing_threshold=0.4,
        octave_jump_cost=0.5,
    )
    found, times = pitch.selected_array["frequency"], pitch.xs()
    grid = np.arange(len(audio) // HOP + 1) * 0.01
    nearest = np.clip(np.round((grid - times[0]) / 0.01).astype(int), 0, len(found) - 1)
    f0 = found[nearest]
    f0[(grid < times[0] - 0.02) | (grid > times[-1] + 0.02)] = 0
    return f0.astype(np.float32)
