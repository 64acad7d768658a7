"""Loudness: mix the envelope of the input into the output.

Source: RVC-WebUI, `infer/modules/vc/pipeline.py`, `change_rms` (librosa's RMS, linear in between).
"""

import numpy as np

_BLOCK = 1 << 20
_FLOOR = 1e-6


def match_envelope(
    source: np.ndarray, source_rate: int, target: np.ndarray, target_rate: int, rate: float
) -> np.ndarray:
    """Give `target` (samples,) the loudness of `source` (samples,), one curve point each 0.5 s.

    rate: 1 keeps the target's own envelope, 0 takes the source's. Sample rates in Hz. Returns
    float32 of the target's length: target * rms(source)^(1 - rate) * rms(target)^(rate - 1).
    """
    source_rms = rms(source, source_rate)
    target_rms = rms(target, target_rate)
    result = np.empty(len(target), dtype=np.float32)
    for start in range(0, len(target), _BLOCK):  # an hour of audio needs no hour-long curves
        part = slice(start, min(start + _BLOCK, len(target)))
        wanted = _stretch(source_rms, len(target), part)
        own = np.maximum(_stretch(target_rms, len(target), part), _FLOOR)
        result[part] = target[part] * (wanted ** (1 - rate) * own ** (rate - 1))
    return result


def rms(audio: np.ndarray, sample_rate: int) -> np.ndarray:
    """Root mean square of audio (samples,) in frames of 1 s every 0.5 s, centred, ends zero."""
    hop = sample_rate // 2
    frame = 2 * hop
    padded = np.pad(audio, hop)
    starts = range(0, len(padded) - frame + 1, hop)
    return np.array([np.sqrt(np.mean(np.square(padded[i : i + frame]))) for i in starts])


def _stretch(curve: np.ndarray, length: int, part: slice) -> np.ndarray:
    """Values at output samples `part` of a curve spread over `length` samples.

    Sample centres are aligned (PyTorch's `align_corners=False`) and the ends are held.
    """
    positions = (np.arange(part.start, part.stop) + 0.5) * (len(curve) / length) - 0.5
    return np.interp(positions, np.arange(len(curve)), curve)
