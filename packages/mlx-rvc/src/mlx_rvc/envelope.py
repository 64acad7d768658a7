"""Loudness: mix the envelope of the input into the output.

Source: RVC-WebUI, `infer/modules/vc/pipeline.py`, `change_rms` (librosa's RMS, linear in between).
"""

import numpy as np

from mlx_rvc.recording import Audio
from mlx_rvc.track import Samples, spans

_BLOCK = 1 << 18
_FLOOR = 1e-6


def match_envelope(
    source: Samples, source_rate: int, target: Audio, target_rate: int, rate: float
) -> Audio:
    """Give `target` (samples,) the loudness of `source` (samples,), one curve point each 0.5 s.

    rate: 1 keeps the target's own envelope, 0 takes the source's. Sample rates in Hz. Returns
    float32 of the target's kind and length: target * rms(source)^(1 - rate) *
    rms(target)^(rate - 1).
    """
    source_rms = rms(source, source_rate)
    target_rms = rms(target, target_rate)
    result = target.astype(np.float32)
    for part in spans(len(target), _BLOCK):  # an hour of audio needs no hour-long curves
        wanted = _stretch(source_rms, len(target), part)
        own = np.maximum(_stretch(target_rms, len(target), part), _FLOOR)
        result[part] = target[part] * (wanted ** (1 - rate) * own ** (rate - 1))
    return result


def rms(audio: Samples, sample_rate: int) -> np.ndarray:
    """Root mean square of audio (samples,) in frames of 1 s every 0.5 s, centred.

    Beyond both ends there is silence. Returns float64 (samples // hop + 1,).
    """
    hop = sample_rate // 2
    # Each half second is summed once and belongs to two frames.
    halves = [float(np.square(audio[p], dtype=np.float64).sum()) for p in spans(len(audio), hop)]
    halves += [0.0] * (len(audio) // hop + 1 - len(halves))
    energies = np.array([0.0, *halves])
    return np.sqrt((energies[:-1] + energies[1:]) / (2 * hop))


def _stretch(curve: np.ndarray, length: int, part: slice) -> np.ndarray:
    """Values at output samples `part` of a curve spread over `length` samples.

    Sample centres are aligned (PyTorch's `align_corners=False`) and the ends are held.
    """
    positions = (np.arange(part.start, part.stop) + 0.5) * (len(curve) / length) - 0.5
    return np.interp(positions, np.arange(len(curve)), curve)
