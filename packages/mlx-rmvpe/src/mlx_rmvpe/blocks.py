"""Salience of recordings of any length, in bounded memory, equal to one pass.

The U-Net sees at most `config.halo_frames` frames to either side (1600 for the published network,
16 s; `RMVPEConfig.halo_frames` counts them). So it runs on overlapping blocks, and what is kept of
each is exactly what one pass over the whole recording gives:

    mel frames    0 ------------------------------------------------ end, zeros up to x32
    block 1       [ kept          | halo ]
    block 2               [ halo  | kept          | halo ]
    block 3                               [ halo  | kept             ]

Interior edges lie in a halo, and blocks start on multiples of 32 frames, where pooling starts too.
The U-Net's decoder sees only 320 frames to either side, so it is spared the rest of the halo.
The GRU remembers without limit, so it is not cut: its forward state is carried from block to block
on the way to the end, its backward state on the way back. Between the two ways only the GRU's input
is kept (1.5 kB a frame, 0.55 GB an hour); all else is as large as a block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import mlx.core as mx
import numpy as np

import mlx_fastops as fastops

from .mel import frame_count, log_mel
from .network import E2E, Array, pad_frames

BLOCK_FRAMES = 8192  # 82 s


def salience_blocks(
    network: E2E,
    audio: np.ndarray,
    *,
    block_frames: int = BLOCK_FRAMES,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[tuple[int, np.ndarray]]:
    """Salience of a recording, block by block from its end to its beginning.

    Args:
        network: the model.
        audio: float32 of shape (B, n), n >= 1, at the network's rate.
        block_frames: frames kept of each block, rounded down to whole cells of the U-Net.
        progress: called with (frames done, frames in all) after each block of the U-Net.

    Yields:
        (first frame, salience float32 of shape (B, frames of the block, n_bins)).
    """
    cell = network.config.frame_multiple
    frames = frame_count(audio.shape[1], network.config)
    padded = -(-frames // cell) * cell
    block = max(block_frames // cell, 1) * cell
    starts = range(0, padded, block)

    features: list[Array] = []
    states: list[Array | None] = [None]  # the forward state each block starts from
    for start in starts:
        stop = min(start + block, padded)
        features.append(_block_features(network, audio, start, stop, padded, frames))
        if stop < padded:
            states.append(network.states(features[-1], "forward", states[-1])[:, -1])
            mx.eval(*(x for x in (features[-1], states[-1]) if isinstance(x, mx.array)))
        if progress is not None:
            progress(min(stop, frames), frames)

    backward_state: Array | None = None
    for start in reversed(starts):
        block_features = features.pop()
        forward, backward = network.both_states(block_features, states.pop(), backward_state)
        backward_state = backward[:, 0]
        salience = np.asarray(fastops.to_mlx(network.salience(forward, backward)))
        yield start, salience[:, : frames - start]


def _block_features(
    network: E2E, audio: np.ndarray, start: int, stop: int, padded: int, frames: int
) -> Array:
    """The GRU's input for frames [start, stop), computed with a halo on either side."""
    config = network.config
    cell = config.frame_multiple
    first, last = max(start - config.halo_frames, 0), min(stop + config.halo_frames, padded)
    mel = pad_frames(log_mel(audio, config, start=first, stop=min(last, frames)), last - first)
    # The decoder sees less far than the levels before it: most of the halo need not reach it.
    reach = config.decoder_halo_frames
    low, high = max(start - reach, 0), min(stop + reach, padded)
    features = network.features(mel, slice((low - first) // cell, (high - first) // cell))
    kept = features[:, start - low : stop - low]
    # A view would keep the halo alive until the way back.
    return kept.copy() if isinstance(kept, np.ndarray) and high - low > stop - start else kept
