"""The model's own frames of recordings of any length, in bounded memory, equal to one pass.

    frames        0 ------------------------------------------------- end
    block 1       [ kept          | 7 ]
    block 2                   [ 7 | kept          | 7 ]
    block 3                                   [ 7 | kept              ]

The convolutions see 7 frames to either side (`SwiftF0Config.halo_frames`), so what is kept of each
block is what one pass over the whole recording gives, up to the rounding of products of another
size. At the recording's own ends nothing is added: there one pass pads with zeros too.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import mlx_fastops as fastops
from mlx_recording import Recording

from .config import SwiftF0Config
from .decoding import decode
from .network import Network
from .spectrogram import Spectrogram

BLOCK_FRAMES = 1024  # 16 s


def native_count(samples: int, config: SwiftF0Config) -> int:
    """The model's own frames of a recording: whole hops, but at least one."""
    return max(samples // config.hop_length, 1)


def clips_at_once(samples: int, config: SwiftF0Config) -> int:
    """How many clips of that length share a pass: together no more than a block."""
    return max(BLOCK_FRAMES // native_count(samples, config), 1)


def native_frames(
    network: Network,
    spectrogram: Spectrogram,
    recording: Recording,
    band: tuple[float, float],
    *,
    start: int = 0,
    stop: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """F0 and confidence of the model's frames [start, stop), block by block.

    Args:
        network: the model.
        spectrogram: of its input.
        recording: at the model's rate.
        band: lowest and highest F0, Hz, as `check_band` gives them.
        start: first frame wanted.
        stop: end of the frames wanted; all by default.
        progress: called with (frames done, frames wanted) after each block.

    Returns:
        Both float64 (B, stop - start); see `decode`.
    """
    config = network.config
    total = native_count(recording.samples, config)
    stop = total if stop is None else stop
    parts = []
    for begin in range(start, stop, BLOCK_FRAMES):
        end = min(begin + BLOCK_FRAMES, stop)
        first = max(begin - config.halo_frames, 0)
        x, peaks = spectrogram(recording, first, min(end + config.halo_frames, total))
        scores, voicing = (fastops.to_numpy(y) for y in network(fastops.native(x)))
        kept = slice(begin - first, end - first)
        parts.append(decode(scores[:, kept], voicing[:, kept], peaks[:, kept], band, config))
        if progress is not None:
            progress(end - start, stop - start)
    f0, confidence = (np.concatenate(part, axis=1) for part in zip(*parts, strict=True))
    return f0, confidence
