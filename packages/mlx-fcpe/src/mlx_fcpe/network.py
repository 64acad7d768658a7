"""FCPE's network: convolutions over time on a mel spectrogram, without attention.

"FCPE: A Fast Context-based Pitch Estimation Model" (2025), arXiv:2509.15140; the
reference is `CFNaiveMelPE` of torchfcpe with `conv_only`. Attributes carry its names, so that
checkpoints load by name: the numbers in `input_stack` and `net` are places in the reference's
`Sequential`, where activations and transposes are places too.

    mel -> conv 3, group norm, leaky ReLU, conv 3
        -> 6 x (x + [layer norm, to 4 x width, gate, depthwise conv 31, SiLU, to width])
        -> layer norm, to 360 bins, sigmoid

The group norm sees the whole recording, so the network is called in two parts, `enter` before it
and `salience` after it (`blocks.py`).

Everything here runs on whichever kind of array `mlx_fastops.native` gives, NumPy's on a CPU.
"""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np
from mlx import nn

import mlx_fastops as fastops

from .config import EXPANSION_FACTOR, KERNEL_SIZE, NORM_GROUPS, FCPEConfig
from .statistics import GroupStatistics

Array = Any  # mx.array or np.ndarray: whichever `fastops.native` chose

LEAKY_SLOPE = 0.01


class LayerNorm(nn.LayerNorm):
    """mlx.nn's, on either kind of array."""

    def __call__(self, x: Array) -> Array:
        """(B, T, C) to the same shape."""
        return fastops.layer_norm(x, self.weight, self.bias, self.eps)


class RecordingNorm(nn.Module):
    """torch's GroupNorm(4), with statistics that are given."""

    def __init__(self, channels: int):
        """The identity of normalised input until a checkpoint is loaded."""
        super().__init__()
        self.weight = mx.ones((channels,))
        self.bias = mx.zeros((channels,))

    def __call__(self, x: Array, statistics: GroupStatistics) -> Array:
        """(B, T, C) to the same shape."""
        scale, shift = statistics.scale_and_shift(np.array(self.weight), np.array(self.bias))
        return x * fastops.native(scale) + fastops.native(shift)


class DepthWiseConv1d(nn.Module):
    """A convolution of each channel by itself."""

    def __init__(self, channels: int):
        """Weights are random until a checkpoint is loaded."""
        super().__init__()
        self.conv = fastops.Conv1d(
            channels, channels, KERNEL_SIZE, padding=KERNEL_SIZE // 2, groups=channels
        )

    def __call__(self, x: Array) -> Array:
        """(B, T, C) to the same shape."""
        return self.conv(x)


class ConformerConvModule(nn.Module):
    """The convolution module of a Conformer, with layer norm in place of batch norm."""

    def __init__(self, width: int):
        """Weights are random until a checkpoint is loaded."""
        super().__init__()
        inner = width * EXPANSION_FACTOR
        self.net = [
            LayerNorm(width),
            nn.Identity(),  # a transpose
            fastops.Linear(width, 2 * inner),
            nn.Identity(),  # the gate
            DepthWiseConv1d(inner),
            nn.Identity(),  # SiLU
            fastops.Linear(inner, width),
        ]

    def __call__(self, x: Array) -> Array:
        """(B, T, C) to the same shape."""
        y = self.net[2](self.net[0](x))  # (B, T, 4C)
        half = y.shape[-1] // 2
        gated = fastops.sigmoid(y[..., half:])
        gated *= y[..., :half]  # (B, T, 2C)
        y = self.net[4](gated)
        gate = fastops.sigmoid(y)
        gate *= y
        return self.net[6](gate)


class CFNEncoderLayer(nn.Module):
    """A layer: its input plus the convolution module's output."""

    def __init__(self, width: int):
        """Weights are random until a checkpoint is loaded."""
        super().__init__()
        self.conformer = ConformerConvModule(width)

    def __call__(self, x: Array) -> Array:
        """(B, T, C) to the same shape."""
        return x + self.conformer(x)


class ConformerNaiveEncoder(nn.Module):
    """The layers."""

    def __init__(self, config: FCPEConfig):
        """Weights are random until a checkpoint is loaded."""
        super().__init__()
        self.encoder_layers = [CFNEncoderLayer(config.hidden_dims) for _ in range(config.n_layers)]

    def __call__(self, x: Array) -> Array:
        """(B, T, C) to the same shape."""
        for layer in self.encoder_layers:
            x = layer(x)
        return x


class CFNaiveMelPE(nn.Module):
    """The network: mel spectrogram in, salience of pitch classes out.

    Attributes:
        config: every size.
        cent_table: (out_dims,), cents of each pitch class above 10 Hz.
    """

    def __init__(self, config: FCPEConfig):
        """Weights are random until a checkpoint is loaded."""
        super().__init__()
        self.config = config
        width = config.hidden_dims
        self.input_stack = [
            fastops.Conv1d(config.num_mels, width, 3, padding=1),
            RecordingNorm(width),
            nn.Identity(),  # leaky ReLU
            fastops.Conv1d(width, width, 3, padding=1),
        ]
        self.net = ConformerNaiveEncoder(config)
        self.norm = LayerNorm(width)
        self.output_proj = fastops.Linear(width, config.out_dims)
        self.cent_table = mx.zeros((config.out_dims,))

    def enter(self, mel: mx.array) -> Array:
        """The first convolution: (B, T, num_mels) to (B, T, hidden_dims)."""
        return self.input_stack[0](fastops.native(mel))

    def statistics(self, batch: int) -> GroupStatistics:
        """Empty statistics for what `enter` gives of that many clips."""
        return GroupStatistics(batch, NORM_GROUPS)

    def salience(self, x: Array, statistics: GroupStatistics) -> Array:
        """All after the first convolution: (B, T, hidden_dims) to (B, T, out_dims), 0 to 1.

        Args:
            x: what `enter` gave.
            statistics: of what `enter` gave for all frames of the recording.
        """
        x = self.input_stack[1](x, statistics)
        x = self.input_stack[3](x, leaky_slope=LEAKY_SLOPE)
        x = self.norm(self.net(x))
        return fastops.sigmoid(self.output_proj(x))
