"""CREPE's network (Kim et al. 2018, arXiv:1802.06182), laid out as torchcrepe 0.0.24's `model.py`.

frame (1024) -> 6 x [pad, convolution, ReLU, normalisation, max pooling by 2] -> 4 x C -> 360

taps 512, stride 4, 254 zeros on either side:  1024 -> 256 -> pooled 128
taps 64, 31 zeros before and 32 after:          128 -> 128 -> pooled 64, and so on to 4
"""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np
from mlx import nn

import mlx_fastops as fastops

from .layer import Layer

WINDOW = 1024  # samples of a frame
BINS = 360
LAYERS = 6
TAPS = (512, 64)  # of the first layer, of the others
STRIDES = (4, 1)
PADDING = ((254, 254), (31, 32))
SIZES = {
    "tiny": (128, 16, 16, 16, 32, 64),
    "full": (1024, 128, 128, 128, 256, 512),
}
PASS_VALUES = 1 << 24  # values of the first layer in one pass, of which pooling leaves half: 32 MB
PASS_FRAMES = 512  # at most, in one pass
WIDE_LAYERS = 2  # so many go in such passes on the CPU; what they leave of 512 frames is small


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
            taps, stride, _ = _form(layer)
            self[f"conv{layer}"] = fastops.Conv1d(before, width, taps, stride=stride)
            self[f"conv{layer}_BN"] = Affine(width)
            before = width
        self.classifier = fastops.Linear(4 * before, BINS)

    @property
    def channels(self) -> tuple[int, ...]:
        """Output channels of each convolution."""
        return self._channels

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """Normalised frames (N, 1024) float32, N >= 1 -> salience (N, 360) float32, 0 to 1.

        Memory: under 100 MB of activations and the result, however many frames there are.
        """
        on_blas = fastops.selected_backend() == "blas"
        step = PASS_FRAMES if on_blas else self._frames_of_a_pass()
        salience = self._on_blas if on_blas else self._on_mlx
        parts = [salience(frames[i : i + step]) for i in range(0, len(frames), step)]
        return np.concatenate(parts)

    def _frames_of_a_pass(self) -> int:
        widest = WINDOW // STRIDES[0] * self._channels[0]
        return min(max(PASS_VALUES // widest, 1), PASS_FRAMES)

    def _on_mlx(self, frames: np.ndarray) -> np.ndarray:
        x = mx.array(frames)[..., None]  # (N, 1024, 1)
        for layer in range(1, LAYERS + 1):
            *_, padding = _form(layer)
            x = mx.pad(x, [(0, 0), padding, (0, 0)])
            x = fastops.relu(self[f"conv{layer}"](x))  # (N, T, C)
            norm = self[f"conv{layer}_BN"]
            x = x * norm.weight + norm.bias
            x = mx.maximum(x[:, 0::2], x[:, 1::2])  # (N, T / 2, C)
        x = self.classifier(x.reshape(x.shape[0], -1))
        return np.asarray(fastops.to_numpy(fastops.sigmoid(x)))

    def _on_blas(self, frames: np.ndarray) -> np.ndarray:
        layers = [self._layer(layer) for layer in range(1, LAYERS + 1)]
        step = self._frames_of_a_pass()
        parts = []
        for start in range(0, len(frames), step):
            x = frames[start : start + step, :, None]  # (N, 1024, 1)
            for layer in layers[:WIDE_LAYERS]:
                x = layer(x)  # (N, T / 2, C)
            parts.append(x)
        x = np.concatenate(parts)
        for layer in layers[WIDE_LAYERS:]:
            x = layer(x)
        x = self.classifier(x.reshape(len(x), -1))
        return fastops.sigmoid(x)

    def _layer(self, layer: int) -> Layer:
        """One layer as NumPy views of the weights."""
        convolution, norm = self[f"conv{layer}"], self[f"conv{layer}_BN"]
        _, stride, (before, _) = _form(layer)
        arrays = (convolution.weight, convolution.bias, norm.weight, norm.bias)
        views: list[Any] = [fastops.native(array) for array in arrays]
        return Layer(*views, stride=stride, before=before)


def _form(layer: int) -> tuple[int, int, tuple[int, int]]:
    """Taps, stride and zeros on either side of layer 1 to 6."""
    which = min(layer - 1, 1)
    return TAPS[which], STRIDES[which], PADDING[which]
