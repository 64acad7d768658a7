"""From samples to frames: the convolutions that listen to the waveform, and their projection.

    samples  0........................................400      one frame sees 400 samples,
    frame 0  [------------- 400 ------------]
    frame 1         320 -> [------------- 400 ------------]    the next starts 320 later

There is no padding, so n samples give (n − 80) // 320 frames and any run of frames can be computed
from its own samples alone. That is what happens here: the audio is worked through in blocks, and
memory does not grow with its length. Only the group norm after the first convolution looks at all
of it; but mean and variance of a convolution's output follow from the 10 × 10 covariance of its
input windows, so the norm becomes part of that convolution's weights before the first block.

Reference: transformers `modeling_hubert.py`, `HubertFeatureEncoder`; wav2vec 2.0
(https://arxiv.org/abs/2006.11477).
"""

import mlx.core as mx
import numpy as np
from mlx import nn
from numpy.lib.stride_tricks import sliding_window_view

import mlx_fastops as fastops
from mlx_contentvec.arrays import Array, join
from mlx_contentvec.config import ContentvecConfig
from mlx_fastops import gelu

CONV_NORM_EPS = 1e-5  # of the norms between convolutions; `layer_norm_eps` is for the others

# Frames at a time. On the CPU a block's activations should stay in the cache, on a GPU the block
# should be large enough to fill it.
BLOCK_FRAMES = {"blas": 128, "mlx": 1500}
WINDOW_BLOCK = 1 << 16  # input windows at a time while their covariance is summed


class ConvLayer(nn.Module):
    """One convolution without padding, its norm where there is one, GELU."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, bias: bool, norm: bool):
        super().__init__()
        self.conv = nn.Conv1d(inputs, outputs, kernel, stride=stride, bias=bias)
        if norm:
            self.layer_norm = nn.LayerNorm(outputs, eps=CONV_NORM_EPS)

    def __call__(self, x: Array) -> Array:
        """(B, T, inputs) -> (B, (T − kernel) // stride + 1, outputs)."""
        x = fastops.conv1d(x, self.conv.weight, self.conv.get("bias"), stride=self.conv.stride)
        if "layer_norm" in self:
            norm = self.layer_norm
            x = fastops.layer_norm(x, norm.weight, norm.bias, norm.eps)
        return gelu(x)


class GroupNormConvLayer(ConvLayer):
    """The first convolution of the "group" kind: each channel is normed over all of the time."""

    def weights_for(self, audio: np.ndarray) -> tuple[mx.array, mx.array]:
        """Weights and bias of convolution and norm together, for this audio.

        Args:
            audio: (n,) float32, all of it.

        Returns:
            weight (outputs, taps, 1) and bias (outputs,).
        """
        weight = np.array(self.conv.weight, dtype=np.float64)[:, :, 0]  # (outputs, taps)
        mean, covariance = window_moments(audio, weight.shape[1], self.conv.stride)
        variance = np.einsum("oi,ij,oj->o", weight, covariance, weight)
        gain = np.array(self.layer_norm.weight, dtype=np.float64)
        gain = gain / np.sqrt(np.maximum(variance, 0) + CONV_NORM_EPS)
        # A bias of the convolution is a constant per channel: the norm removes it.
        bias = np.array(self.layer_norm.bias, dtype=np.float64) - gain * (weight @ mean)
        weight = (weight * gain[:, None])[:, :, None]
        return mx.array(weight.astype(np.float32)), mx.array(bias.astype(np.float32))


class FeatureExtractor(nn.Module):
    """The stack of convolutions (`feature_extractor` in checkpoints)."""

    def __init__(self, config: ContentvecConfig):
        super().__init__()
        self._config = config
        sizes = zip(
            (1, *config.conv_dim[:-1]),
            config.conv_dim,
            config.conv_kernel,
            config.conv_stride,
            strict=True,
        )
        group = config.feat_extract_norm == "group"
        self.conv_layers = [
            GroupNormConvLayer(*size, config.conv_bias, True)
            if group and i == 0
            else ConvLayer(*size, config.conv_bias, not group)
            for i, size in enumerate(sizes)
        ]
        self._on_device = fastops.Compiled(self._stack, self)

    def __call__(self, audio: np.ndarray) -> Array:
        """Audio (B, n) float32 -> features (B, frames, conv_dim[-1]); n >= the receptive field."""
        items = [self._one(samples) for samples in audio]
        return join(items, 0)

    def _one(self, samples: np.ndarray) -> Array:
        """(n,) -> (1, frames, channels)."""
        config = self._config
        first = self.conv_layers[0]
        folded = first.weights_for(samples) if isinstance(first, GroupNormConvLayer) else None
        frames = config.frames(len(samples))
        size = BLOCK_FRAMES[fastops.selected_backend()]
        blocks = []
        for start in range(0, frames, size):
            begin = start * config.stride
            end = (min(start + size, frames) - 1) * config.stride + config.receptive_field
            x = self._block(samples[begin:end], folded)
            blocks.append(x)  # (1, frames of the block, channels)
        return join(blocks, 1)

    def _block(self, samples: np.ndarray, folded: tuple[mx.array, mx.array] | None) -> Array:
        """Samples (n,) of a run of frames -> (1, frames, channels)."""
        weights = folded or ()
        if not fastops.compiles():
            return self._stack(fastops.native(samples[None, :, None]), *weights)
        # Samples beyond the end give frames beyond the end, and change no others.
        frames = self._config.frames(len(samples))
        missing = (fastops.bucket(frames) - frames) * self._config.stride
        x = mx.array(np.pad(samples, (0, missing))[None, :, None])
        return self._on_device(x, *weights)[:, :frames]

    def _stack(self, x: Array, *folded: mx.array) -> Array:
        """Samples (1, n, 1) -> (1, frames, channels); `folded`: the first weight and bias."""
        first, *others = self.conv_layers
        if folded:
            weight, bias = folded
            x = gelu(fastops.conv1d(x, weight, bias, stride=first.conv.stride))
        else:
            x = first(x)
        for layer in others:
            x = layer(x)
        return x


class FeatureProjection(nn.Module):
    """Norm and projection to the transformer's width (`feature_projection`)."""

    def __init__(self, config: ContentvecConfig):
        super().__init__()
        if config.feat_proj_layer_norm:
            self.layer_norm = nn.LayerNorm(config.conv_dim[-1], eps=config.layer_norm_eps)
        self.projection = nn.Linear(config.conv_dim[-1], config.hidden_size)

    def __call__(self, x: Array) -> Array:
        """(B, T, conv_dim[-1]) -> (B, T, hidden)."""
        if "layer_norm" in self:
            norm = self.layer_norm
            x = fastops.layer_norm(x, norm.weight, norm.bias, norm.eps)
        return fastops.linear(x, self.projection.weight, self.projection.bias)


def window_moments(samples: np.ndarray, taps: int, stride: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean (taps,) and covariance (taps, taps) of all windows of (n,) samples, in float64."""
    windows = sliding_window_view(samples, taps)[::stride]  # (T, taps)
    total = np.zeros(taps)
    products = np.zeros((taps, taps))
    for start in range(0, len(windows), WINDOW_BLOCK):
        block = windows[start : start + WINDOW_BLOCK].astype(np.float64)
        total += block.sum(axis=0)
        products += block.T @ block
    mean = total / len(windows)
    return mean, products / len(windows) - np.outer(mean, mean)
