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
on the way to the end, its backward state on the way back. Between the two ways the GRU's input is
kept (1.5 kB a frame, 0.55 GB an hour), beyond a few blocks in a temporary file: nothing in memory
is larger than a block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import mlx.core as mx
import numpy as np

import mlx_fastops as fastops
from mlx_recording import Recording

from .config import RMVPEConfig
from .mel import frame_count, log_mel
from .network import E2E, Array, pad_frames
from .spill import Stack

BLOCK_FRAMES = 8192  # 82 s


def salience_blocks(
    network: E2E,
    audio: np.ndarray | Recording,
    *,
    block_frames: int = BLOCK_FRAMES,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[tuple[int, np.ndarray]]:
    """Salience of a recording, block by block from its end to its beginning.

    Args:
        network: the model.
        audio: float32 of shape (B, n), n >= 1, at the network's rate, or what reads such audio.
        block_frames: frames kept of each block, rounded down to whole cells of the U-Net.
        progress: called with (frames done, frames in all) after each block of the U-Net.

    Yields:
        (first frame, salience float32 of shape (B, frames of the block, n_bins)).
    """
    recording = audio if isinstance(audio, Recording) else Recording.of(audio)
    cell = network.config.frame_multiple
    frames = frame_count(recording.samples, network.config)
    padded = -(-frames // cell) * cell
    block = max(block_frames // cell, 1) * cell
    starts = range(0, padded, block)
    mel = OverlappingMel(recording, network.config)

    with Stack() as aside:
        features: Array = None
        states: list[Array | None] = [None]  # the forward state each block starts from
        for start in starts:
            stop = min(start + block, padded)
            features = _block_features(network, mel, start, stop, padded, frames)
            if stop < padded:
                state = network.states(features, "forward", states[-1])[:, -1]
                # A copy: as a view, it would keep the states of the whole block alive.
                states.append(fastops.native(np.array(fastops.to_numpy(state))))
                aside.push(fastops.to_numpy(features))
            if progress is not None:
                progress(min(stop, frames), frames)

        backward_state: Array | None = None
        for start in reversed(starts):
            forward, backward = network.both_states(features, states.pop(), backward_state)
            backward_state = backward[:, 0]
            salience = np.asarray(fastops.to_mlx(network.salience(forward, backward)))
            yield start, salience[:, : frames - start]
            if start:
                features = fastops.native(aside.pop())


def _block_features(
    network: E2E, mel: OverlappingMel, start: int, stop: int, padded: int, frames: int
) -> Array:
    """The GRU's input for frames [start, stop), computed with a halo on either side."""
    config = network.config
    cell = config.frame_multiple
    first, last = max(start - config.halo_frames, 0), min(stop + config.halo_frames, padded)
    block = pad_frames(mel(first, min(last, frames)), last - first)
    # The decoder sees less far than the levels before it: most of the halo need not reach it.
    reach = config.decoder_halo_frames
    low, high = max(start - reach, 0), min(stop + reach, padded)
    features = network.features(block, slice((low - first) // cell, (high - first) // cell))
    return features[:, start - low : stop - low]


class OverlappingMel:
    """Log-mel of a recording in stretches that overlap and move on: each frame is computed once."""

    def __init__(self, recording: Recording, config: RMVPEConfig):
        """Nothing is computed yet."""
        self._recording = recording
        self._config = config
        self._first = self._last = 0
        self._mel: mx.array | None = None

    def __call__(self, first: int, last: int) -> mx.array:
        """(B, last - first, n_mels) of frames [first, last); neither may go back."""
        known = max(min(self._last - first, last - first), 0)  # frames of the last stretch
        parts = []
        if self._mel is not None and known:
            parts.append(self._mel[:, first - self._first :])
        if first + known < last:
            parts.append(self._compute(first + known, last))
        self._mel = parts[0] if len(parts) == 1 else mx.concatenate(parts, axis=1)
        self._first, self._last = first, last
        return self._mel

    def _compute(self, first: int, last: int) -> mx.array:
        """Frames [first, last) from their own samples alone.

        The stretch that is read starts on a frame, early enough that only the recording's own
        edges are reflected.
        """
        hop, half = self._config.hop_length, self._config.n_fft // 2
        margin = -(-half // hop) + 1  # frames
        origin = max(first - margin, 0)
        stretch = self._recording.read(
            origin * hop, min(last * hop + half, self._recording.samples)
        )
        return log_mel(stretch, self._config, start=first - origin, stop=last - origin)
