"""F0 of the padded recording by name of the method: RMVPE, or WORLD's harvest and dio."""

from collections.abc import Callable

import numpy as np

from mlx_rvc.recording import MODEL_RATE

FLOOR_HZ = 50.0
CEILING_HZ = 1100.0
FRAME_MS = 10.0
_MEDIAN_FRAMES = 3

F0Method = Callable[[np.ndarray], np.ndarray]
"""Audio (samples,) at 16 kHz to F0 in Hz (frames,), frame i at i x 10 ms, 0 = unvoiced."""


def harvest(audio: np.ndarray) -> np.ndarray:
    """WORLD's harvest, refined by stonemask, then a median over 3 frames, as in RVC-WebUI."""
    import pyworld
    from scipy.signal import medfilt

    audio = np.ascontiguousarray(audio, dtype=np.float64)
    f0_hz, times = pyworld.harvest(
        audio, MODEL_RATE, f0_floor=FLOOR_HZ, f0_ceil=CEILING_HZ, frame_period=FRAME_MS
    )
    return medfilt(pyworld.stonemask(audio, f0_hz, times, MODEL_RATE), _MEDIAN_FRAMES)


def dio(audio: np.ndarray) -> np.ndarray:
    """WORLD's dio, refined by stonemask: faster than harvest, more voicing errors."""
    import pyworld

    audio = np.ascontiguousarray(audio, dtype=np.float64)
    f0_hz, times = pyworld.dio(
        audio, MODEL_RATE, f0_floor=FLOOR_HZ, f0_ceil=CEILING_HZ, frame_period=FRAME_MS
    )
    return pyworld.stonemask(audio, f0_hz, times, MODEL_RATE)


def shift(f0_hz: np.ndarray, semitones: float) -> np.ndarray:
    """Transpose F0 (frames,) in Hz; unvoiced frames stay 0."""
    return (f0_hz * 2.0 ** (semitones / 12)).astype(np.float32)
