"""Salience of recordings of any length, in bounded memory, equal to one pass.

A frame sees 92 frames to either side (`FCPEConfig.halo_frames`), apart from the normalisation in
the input stack, whose mean and variance are of the whole recording. So a recording longer than a
block is gone through twice: first only to the first convolution, for those numbers, and then
through the network in overlapping blocks, of which is kept what one pass would give:

    frames    0 ------------------------------------------------ end
    block 1   [ kept          | halo ]
    block 2           [ halo  | kept          | halo ]
    block 3                           [ halo  | kept             ]

The ends of the recording are the ends of the outer blocks, so that each convolution pads where it
pads in one pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import mlx_fastops as fastops
from mlx_recording import Recording

from .mel import frame_count, log_mel
from .network import CFNaiveMelPE

BLOCK_FRAMES = 4096  # 41 s


def salience_blocks(
    network: CFNaiveMelPE,
    audio: np.ndarray | Recording,
    *,
    block_frames: int = BLOCK_FRAMES,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[np.ndarray]:
    """Salience of a recording, block by block.

    Args:
        network: the model.
        audio: float32 of shape (B, n), n >= 1, at the network's rate, or what reads such audio.
        block_frames: frames kept of each block.
        progress: called with (frames done, frames in all) after each block.

    Yields:
        float32 of shape (B, frames of the block, out_dims).
    """
    recording = audio if isinstance(audio, Recording) else Recording.of(audio)
    config = network.config
    frames = frame_count(recording.samples, config)
    cuts = [(first, min(first + block_frames, frames)) for first in range(0, frames, block_frames)]

    def entered(start: int, stop: int, halo: int) -> tuple[Any, slice]:
        """The first convolution of frames [start, stop) with a halo, and where those lie in it."""
        low, high = max(start - halo, 0), min(stop + halo, frames)
        x = network.enter(log_mel(recording, config, start=low, stop=high))
        return x, slice(start - low, stop - low)

    statistics = network.statistics(recording.batch)
    x = None
    for start, stop in cuts:
        x, kept = entered(start, stop, halo=1)
        statistics.add(x[:, kept])
    for start, stop in cuts:
        if len(cuts) > 1:
            x, kept = entered(start, stop, config.halo_frames)
        else:
            kept = slice(None)
        salience = np.asarray(fastops.to_mlx(network.salience(x, statistics)))
        yield salience[:, kept]
        if progress is not None:
            progress(stop, frames)
