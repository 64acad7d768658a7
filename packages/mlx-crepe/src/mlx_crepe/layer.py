"""One layer of CREPE on NumPy's BLAS: convolution, ReLU, normalisation and pooling together.

A frame is short beside the kernels (1024 samples and 512 taps; 128 to 8 steps and 64 taps), and
there are many frames: the rows of a matrix are the frames, not the steps of one frame. With
channels last, the steps a..b that one output sees are one run of memory in each frame, and so are
the taps that meet them in each output channel. Both are views, nothing is unfolded, and the padding
is neither written nor multiplied:

    x (N, T*C)        [. . a------b . . .]  N rows, T*C apart
    weight (O, K*C)   [. a------b . . . .]  O rows, K*C apart
    y[:, t] (N, O) =  one product of the two

Half of all taps would meet padding at 32 steps, seven eighths at 8.

Where these taps are too many for the cache (the second layer of the full network: 32 MB), each tap
is a product of its own instead, of the steps it meets in all frames, and the products are added up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CACHE_BYTES = 8 << 20  # of taps that one product may read


@dataclass(frozen=True)
class Layer:
    """A convolution with "same" padding and what follows it.

    Attributes:
        weight: (O, K, C).
        bias: (O,).
        scale: (O,), of the normalisation after the ReLU.
        shift: (O,).
        stride: of the convolution.
        before: zeros in front of each frame that the padding would add.
    """

    weight: np.ndarray
    bias: np.ndarray
    scale: np.ndarray
    shift: np.ndarray
    stride: int
    before: int

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Frames (N, T, C) float32 -> (N, T // stride // 2, O)."""
        _, taps, channels = self.weight.shape
        met = min(taps, x.shape[1]) * channels * len(self.weight) * x.itemsize
        if self.stride == 1 and met > CACHE_BYTES:
            return self.by_tap(x)
        return self.by_position(x)

    def by_position(self, x: np.ndarray) -> np.ndarray:
        """The same, with one product for each output step."""
        count, steps, channels = x.shape
        out_channels, taps, _ = self.weight.shape
        rows = np.ascontiguousarray(x).reshape(count, steps * channels)
        columns = self.weight.reshape(out_channels, taps * channels)
        pooled = np.empty((count, steps // self.stride // 2, out_channels), x.dtype)
        pair = np.empty((2, count, out_channels), x.dtype)  # the two steps of one maximum
        for step in range(2 * pooled.shape[1]):
            first = step * self.stride - self.before  # the step that tap 0 meets
            low, high = max(first, 0), min(first + taps, steps)
            seen = rows[:, low * channels : high * channels]
            met = columns[:, (low - first) * channels : (high - first) * channels]
            np.matmul(seen, met.T, out=pair[step % 2])
            if step % 2:
                self._finish(pair)
                np.maximum(pair[0], pair[1], out=pooled[:, step // 2])
        return pooled

    def by_tap(self, x: np.ndarray) -> np.ndarray:
        """The same for stride 1, with one product for each tap."""
        count, steps, _ = x.shape
        out_channels, taps, _ = self.weight.shape
        y = np.zeros((count, steps, out_channels), x.dtype)
        term = np.empty_like(y)
        for tap in range(taps):
            ahead = tap - self.before  # output t meets step t + ahead
            low, high = max(-ahead, 0), min(steps - ahead, steps)
            if low >= high:
                continue
            # BLAS copies a factor for every product: from a contiguous one it does so faster.
            matrix = np.ascontiguousarray(self.weight[:, tap]).T
            made = term[:, low:high]
            np.matmul(x[:, low + ahead : high + ahead], matrix, out=made)
            y[:, low:high] += made
        self._finish(y)
        even = steps // 2 * 2
        return np.maximum(y[:, 0:even:2], y[:, 1:even:2])

    def _finish(self, y: np.ndarray) -> None:
        """Bias, ReLU and normalisation of (..., O), in place."""
        y += self.bias
        np.maximum(y, y.dtype.type(0), out=y)
        y *= self.scale
        y += self.shift
