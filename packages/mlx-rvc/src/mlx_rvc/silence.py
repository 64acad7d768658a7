"""Silence: which stretches of a recording hold sound, so that the others need no conversion."""

import numpy as np

from mlx_rvc.recording import MODEL_RATE
from mlx_rvc.track import Samples, spans

FRAME = MODEL_RATE // 50
"""Samples at 16 kHz whose level decides, 20 ms: one content feature."""

SHORTEST = 5 * MODEL_RATE // 2
"""Silence shorter than 2.5 s is converted with what surrounds it.

Each stretch is converted with a second of context on both sides: two stretches would cost more
than the silence between them.
"""

MARGIN = 12 * FRAME
"""What is left of a silence beside the sound: breaths and consonants begin below any threshold."""


def sounding(audio: Samples, threshold_db: float) -> list[tuple[int, int]]:
    """Stretches (start, stop) in samples of audio (n,) at 16 kHz between silences, in order.

    threshold_db: silence is what stays below this level of RMS for 2.5 s, in dB relative to the
    loudest 20 ms of the recording. Starts, and stops but that of the end, are multiples of a frame.
    Digital silence has no stretch at all.
    """
    level = np.concatenate([_levels(audio[part]) for part in spans(len(audio), 4096 * FRAME)])
    loudest = level.max(initial=0.0)
    if loudest == 0:
        return []
    loud = np.flatnonzero(level >= loudest * 10 ** (threshold_db / 10))
    # Edges of the runs of loud frames: a stretch ends where the next loud frame is far away.
    breaks = np.flatnonzero(np.diff(loud) - 1 >= SHORTEST // FRAME)
    starts = np.concatenate([loud[:1], loud[breaks + 1]]) * FRAME - MARGIN
    stops = (np.concatenate([loud[breaks], loud[-1:]]) + 1) * FRAME + MARGIN
    if starts[0] + MARGIN < SHORTEST:
        starts[0] = 0
    if len(audio) - (stops[-1] - MARGIN) < SHORTEST:
        stops[-1] = len(audio)
    return [(int(start), int(stop)) for start, stop in zip(starts, stops, strict=True)]


def _levels(audio: np.ndarray) -> np.ndarray:
    """Mean square of each frame of audio (n,); the last one may be short."""
    squares = np.square(audio, dtype=np.float64)
    starts = np.arange(0, len(squares), FRAME)
    return np.add.reduceat(squares, starts) / np.diff(starts, append=len(squares))
