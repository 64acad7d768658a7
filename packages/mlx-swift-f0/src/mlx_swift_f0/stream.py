"""F0 while the recording is still growing."""

from __future__ import annotations

import numpy as np

from mlx_recording import Recording, check_stretch

from .blocks import native_count, native_frames
from .grid import STEP, frame_count, to_grid
from .network import Network
from .spectrogram import Spectrogram


class Stream:
    """Takes samples as they come and gives each frame once it can no longer change.

    The frames of all calls, joined, are those of `SwiftF0.infer_from_audio` up to the rounding of
    products of another size. A frame comes 2816 samples (176 ms: what the network sees ahead)
    after its time, and up to 14 ms more, because it may lie between two frames of the model. What
    is kept between calls is less than 22 hops of samples.
    """

    def __init__(
        self,
        network: Network,
        spectrogram: Spectrogram,
        band: tuple[float, float],
        threshold: float,
    ):
        """See `SwiftF0.stream`."""
        self._network, self._spectrogram = network, spectrogram
        self._band, self._threshold = band, threshold
        self._heard = np.zeros(0, np.float32)  # the samples from `_origin` on
        self._origin = 0  # of the samples kept; a multiple of the hop
        self._native = np.zeros(0)  # Hz; the model's last final frames, up to `_final`
        self._final = 0  # frames of the model that are final
        self._given = 0  # frames of the result that were given
        self._ended = False

    def push(self, samples: np.ndarray) -> np.ndarray:
        """Take samples and give the frames that are final now.

        Args:
            samples: mono floats within ±1 at 16 kHz, shape (n,), n >= 0.

        Returns:
            float32 of shape (frames,), possibly none: Hz, 0 = unvoiced. The i-th frame given since
            the beginning is centred on second i / 100.

        Raises:
            ValueError: integers, another shape, NaN or infinite samples, or the stream has ended.
        """
        self._check_open()
        self._heard = np.concatenate([self._heard, check_stretch(samples, 16000)])
        config = self._network.config
        known = self._samples // config.hop_length
        self._advance(max(known - config.lookahead_frames, self._final))
        # Interpolation needs the model's frame after: the curve ends on the last that is final.
        ready = (self._final - 1) * config.hop_length // STEP + 1 if self._final else 0
        return self._give(ready)

    def flush(self) -> np.ndarray:
        """End the stream and give the frames that are left.

        Returns:
            As `push`; in all n // 160 + 1 frames of n samples, none of none.

        Raises:
            ValueError: the stream has ended before.
        """
        self._check_open()
        self._ended = True
        if not self._samples:
            return np.zeros(0, np.float32)
        self._advance(native_count(self._samples, self._network.config))
        return self._give(frame_count(self._samples))

    @property
    def _samples(self) -> int:
        return self._origin + len(self._heard)

    def _check_open(self) -> None:
        if self._ended:
            raise ValueError("the stream has ended; begin another with SwiftF0.stream()")

    def _advance(self, stop: int) -> None:
        """Compute the model's frames up to `stop` and forget the samples no later one sees."""
        if stop <= self._final:
            return

        def read(start: int, end: int) -> np.ndarray:
            return self._heard[None, start - self._origin : end - self._origin]

        recording = Recording(read, 1, self._samples)
        f0, confidence = native_frames(
            self._network,
            self._spectrogram,
            recording,
            self._band,
            start=self._final,
            stop=stop,
        )
        voiced = np.where(confidence >= self._threshold, f0, 0.0)[0]
        self._native = np.concatenate([self._native, voiced])
        self._final = stop
        config = self._network.config
        origin = max(stop - config.lookahead_frames - 1, 0) * config.hop_length
        self._heard = self._heard[origin - self._origin :].copy()  # a view would keep all of it
        self._origin = origin

    def _give(self, stop: int) -> np.ndarray:
        """Frames of the result up to `stop`; forgets the model's frames before them."""
        if stop <= self._given:
            return np.zeros(0, np.float32)
        hop = self._network.config.hop_length
        first = self._final - len(self._native)
        out = to_grid(self._native, self._given, stop, hop_length=hop, first=first)
        self._given = stop
        # The next frame lies between two of the model's, of which the first may be the last here.
        keep = min(stop * STEP // hop, self._final - 1)
        self._native = self._native[keep - first :]
        return out
