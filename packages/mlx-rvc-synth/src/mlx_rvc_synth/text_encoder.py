"""enc_p: content features and coarse pitch to the prior's mean and log deviation per frame.

The transformer of VITS (2106.06103): post-norm, relative attention, convolutional feed-forward.
"""

from __future__ import annotations

import math

import mlx.core as mx
from mlx import nn

from mlx_fastops import Conv1d, Linear, layer_norm, leaky_relu, relu

from .arrays import Array, alike, library, within
from .attention import MultiHeadAttention
from .pitch import BINS


class LayerNorm(nn.Module):
    """Layer normalisation over channels; `gamma` and `beta` as the checkpoint names them."""

    def __init__(self, channels: int):
        super().__init__()
        self.gamma = mx.ones((channels,))
        self.beta = mx.zeros((channels,))

    def __call__(self, x: Array) -> Array:
        """(B, T, channels) -> the same, normalised over channels."""
        return layer_norm(x, alike(self.gamma, x), alike(self.beta, x), 1e-5)


class FFN(nn.Module):
    """Two convolutions over time with a ReLU between; even kernels pad one more on the right."""

    def __init__(self, channels: int, filter_channels: int, kernel_size: int):
        super().__init__()
        self.padding = ((kernel_size - 1) // 2, kernel_size // 2)
        self.conv_1 = Conv1d(channels, filter_channels, kernel_size)
        self.conv_2 = Conv1d(filter_channels, channels, kernel_size)

    def __call__(self, x: Array, mask: Array | None = None) -> Array:
        """(B, T, channels) -> (B, T, channels)."""
        x = relu(self.conv_1(self._pad(x, mask)))  # (B, T, filter)
        return self.conv_2(self._pad(x, mask))

    def _pad(self, x: Array, mask: Array | None) -> Array:
        x = within(x, mask)
        return library(x).pad(x, ((0, 0), self.padding, (0, 0)))


class Encoder(nn.Module):
    """`n_layers` of attention and feed-forward, each followed by its norm."""

    def __init__(
        self,
        hidden_channels: int,
        filter_channels: int,
        n_heads: int,
        n_layers: int,
        kernel_size: int,
        window_size: int,
    ):
        super().__init__()
        layers = range(n_layers)
        self.attn_layers = [
            MultiHeadAttention(hidden_channels, n_heads, window_size) for _ in layers
        ]
        self.norm_layers_1 = [LayerNorm(hidden_channels) for _ in layers]
        self.ffn_layers = [FFN(hidden_channels, filter_channels, kernel_size) for _ in layers]
        self.norm_layers_2 = [LayerNorm(hidden_channels) for _ in layers]

    def __call__(self, x: Array, mask: Array | None = None) -> Array:
        """(B, T, hidden) -> (B, T, hidden); of no effect are frames outside `mask` (T,)."""
        layers = zip(
            self.attn_layers, self.norm_layers_1, self.ffn_layers, self.norm_layers_2, strict=True
        )
        for attention, norm_1, ffn, norm_2 in layers:
            x = norm_1(x + attention(x, mask))
            x = norm_2(x + ffn(x, mask))
        return x


class TextEncoder(nn.Module):
    """Content features (and coarse pitch, for voices with F0) to mean and log deviation."""

    def __init__(
        self,
        feature_channels: int,
        inter_channels: int,
        hidden_channels: int,
        filter_channels: int,
        n_heads: int,
        n_layers: int,
        kernel_size: int,
        window_size: int,
        f0: bool,
    ):
        super().__init__()
        self.inter_channels = inter_channels
        self.scale = math.sqrt(hidden_channels)
        self.emb_phone = Linear(feature_channels, hidden_channels)
        if f0:
            self.emb_pitch = nn.Embedding(BINS, hidden_channels)
        self.encoder = Encoder(
            hidden_channels, filter_channels, n_heads, n_layers, kernel_size, window_size
        )
        self.proj = Conv1d(hidden_channels, 2 * inter_channels, 1)

    def __call__(
        self, phone: Array, pitch: Array | None, mask: Array | None = None
    ) -> tuple[Array, Array]:
        """`phone` (B, T, features), `pitch` (B, T) in 1 … 255 or None -> m, logs (B, T, inter).

        Frames outside `mask` (T,) have no effect on the others.
        """
        x = self.emb_phone(phone)  # (B, T, hidden)
        if pitch is not None:
            x = x + alike(self.emb_pitch.weight, x)[pitch]
        x = leaky_relu(x * self.scale, 0.1)
        stats = self.proj(self.encoder(x, mask))  # (B, T, 2·inter)
        return stats[..., : self.inter_channels], stats[..., self.inter_channels :]
