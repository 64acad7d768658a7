"""From the model's frames, every 256 samples, to those of every method, every 160.

    sample         0       160       320       480       640       800
    method         0         1         2         3         4         5
    model          0               1               2               3
                   0              256             512             768

Between two voiced frames of the model the logarithm of F0 is interpolated. Where one of the two is
unvoiced, the nearer one counts (the earlier, if both are as near), so that no F0 is made up across
the edge of a voiced stretch. Beyond the last frame that one is held: the curve ends up to 32 ms
after it.
"""

from __future__ import annotations

import numpy as np

STEP = 160  # samples between frames of the methods' grid: 10 ms at 16 kHz


def frame_count(samples: int) -> int:
    """Frames of the methods' grid for a recording at 16 kHz."""
    return samples // STEP + 1


def to_grid(
    f0: np.ndarray, start: int, stop: int, *, hop_length: int = 256, first: int = 0
) -> np.ndarray:
    """Frames [start, stop) of the grid on which frame i is centred on sample 160 i.

    Args:
        f0: Hz, 0 = unvoiced, shape (..., T), T >= 1: frame t centred on sample
            hop_length * (first + t).
        start: first frame wanted; not before `first`.
        stop: end of the frames wanted.
        hop_length: samples between the frames given.
        first: number of the first frame given.

    Returns:
        float32 of shape (..., stop - start): Hz, 0 = unvoiced.
    """
    at = np.arange(start, stop) * STEP
    frame = at // hop_length - first
    last = f0.shape[-1] - 1
    place = np.where(frame < last, at % hop_length / hop_length, 0.0)  # 0 to 1 between the two
    before, after = f0[..., np.clip(frame, 0, last)], f0[..., np.clip(frame + 1, 0, last)]
    both = (before > 0) & (after > 0)
    lower, upper = (np.log(np.where(both, part, 1.0)) for part in (before, after))
    between = np.exp((1 - place) * lower + place * upper)
    nearer = np.where(place <= 0.5, before, after)
    return np.where(both, between, nearer).astype(np.float32)
