"""CREPE's network (Kim et al. 2018, arXiv:1802.06182), laid out as torchcrepe 0.0.24's `model.py`.

    frame (1024) -> 6 x [pad, convolution, ReLU, normalisation, max pooling by 2] -> 4 x C -> 360

    taps 512, stride 4, 254 zeros on either side:  1024 -> 256 -> pooled 128
    taps 64, 31 zeros before and 32 after:          128 -> 128 -> pooled 64, and so on to 4
"""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np

import mlx_fastops as fastops

WINDOW = 1024  # samples of a frame
BINS = 360
LAYERS = 6
TAPS = (512, 64)  # of the first layer, of the others
SIZES = {
    "tiny": (128, 16, 16, 16, 32, 64),
    "full": (1024, 128, 128, 128, 256, 512),
}


class Affine(nn.Module):
    """What is left of a batch normalisation: x * weight + bias, per channel."""

    def __init__(self, channels: int):
        """Channels to scale and shift."""
        super().__init__()
        self.weight = mx.ones((channels,))
        self.bias = mx.zeros((channels,))


class Network(nn.Module):
    """Frames to the strength of 360 pitch classes."""

    def __init__(self, channels: tuple[int, ...]):
        """Output channels of each of the six convolutions."""
        super().__init__()
        self._channels = tuple(channels)
        before = 1
        for layer, width in enumerate(channels, 1):
            taps, stride = (TAPS[0], 4) if layer == 1 else (TAPS[1], 1)
            self[f"conv{layer}"] = fastops.Conv1d(before, width, taps, stride=stride)
            self[f"conv{layer}_BN"] = Affine(width)
            before = width
        self.classifier = fastops.Linear(4 * before, BINS)

    @property
    def channels(self) -> tuple[int, ...]:
        """Output channels of each convolution."""
        return self._channels

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """Normalised frames (N, 1024) float32 -> salience (N, 360) float32, 0 to 1."""
        x: Any = fastops.native(frames)[..., None]  # (N, 1024, 1)
        for layer in range(1, LAYERS + 1):
            before, after = (254, 254) if layer == 1 else (31, 32)
            pad = np.pad if isinstance(x, np.ndarray) else mx.pad
            x = pad(x, ((0, 0), (before, after), (0, 0)))
            x = fastops.relu(self[f"conv{layer}"](x))  # (N, T, C)
            norm = self[f"conv{layer}_BN"]
            x = x * fastops.native(norm.weight) + fastops.native(norm.bias)
            maximum = np.maximum if isinstance(x, np.ndarray) else mx.maximum
            x = maximum(x[:, 0::2], x[:, 1::2])  # (N, T / 2, C)
        x = self.classifier(x.reshape(x.shape[0], -1))
        return np.asarray(fastops.to_numpy(fastops.sigmoid(x)))
