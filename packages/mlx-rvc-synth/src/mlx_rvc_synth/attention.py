"""Self-attention with learned relative positions (Shaw et al., 1803.02155), within ±window frames.

Only 2·window + 1 = 21 offsets have an embedding. The reference pads them to 2T − 1 and builds
(heads, T, 2T − 1) arrays; here the products are (T, 21), and a skew puts them on the diagonal
band of a block of queries::

    (i, j) of (Q, 21)  ->  (i, i + j) of (Q, Q + 20),  the keys from start − 10 to end + 10
"""

from __future__ import annotations

import math

import mlx.core as mx
from mlx import nn

from mlx_fastops import Conv1d, matmul, softmax

from .arrays import Array, alike, library

SCORES = 1 << 22  # attention scores held at once: 16 MiB in float32


class MultiHeadAttention(nn.Module):
    """Multi-head self-attention; `emb_rel_k`, `emb_rel_v` (1, 2·window + 1, channels / heads)."""

    def __init__(self, channels: int, n_heads: int, window_size: int):
        super().__init__()
        self.n_heads = n_heads
        self.k_channels = channels // n_heads
        self.window_size = window_size
        self.conv_q = Conv1d(channels, channels, 1)
        self.conv_k = Conv1d(channels, channels, 1)
        self.conv_v = Conv1d(channels, channels, 1)
        self.conv_o = Conv1d(channels, channels, 1)
        self.emb_rel_k = mx.zeros((1, 2 * window_size + 1, self.k_channels))
        self.emb_rel_v = mx.zeros((1, 2 * window_size + 1, self.k_channels))

    def __call__(self, x: Array, mask: Array | None = None) -> Array:
        """`x` (B, T, channels) -> the same; frames attend to all, or to those in `mask` (T,)."""
        query = self._split(self.conv_q(x)) * (1.0 / math.sqrt(self.k_channels))  # (B, H, T, D)
        key = self._split(self.conv_k(x)).swapaxes(-1, -2)  # (B, H, D, T)
        value = self._split(self.conv_v(x))  # (B, H, T, D)
        batch, heads, frames, _ = query.shape
        block = max(32, SCORES // (batch * heads * frames))
        blocks = [
            self._attend(query[:, :, start : start + block], key, value, start, mask)
            for start in range(0, frames, block)
        ]
        y = blocks[0] if len(blocks) == 1 else library(x).concatenate(blocks, axis=2)
        return self.conv_o(y.swapaxes(1, 2).reshape(x.shape))  # (B, T, channels)

    def _split(self, x: Array) -> Array:
        batch, frames, _ = x.shape
        return x.reshape(batch, frames, self.n_heads, self.k_channels).swapaxes(1, 2)

    def _attend(
        self, query: Array, key: Array, value: Array, start: int, mask: Array | None
    ) -> Array:
        """Attention of the queries from frame `start` on (B, H, Q, D) to all keys (B, H, D, T)."""
        count, frames = query.shape[2], key.shape[3]
        first = start - self.window_size  # the key that column 0 of the band stands for
        low, high = max(0, first), min(frames, start + count + self.window_size)
        emb_k = alike(self.emb_rel_k, query)[0].T  # (D, 21)
        emb_v = alike(self.emb_rel_v, query)[0]  # (21, D)

        scores = matmul(query, key)  # (B, H, Q, T)
        band = skew(matmul(query, emb_k))  # (B, H, Q, Q + 20)
        scores[..., low:high] += band[..., low - first : high - first]
        if mask is not None:
            scores = library(scores).where(mask, scores, -math.inf)
        weights = softmax(scores)  # (B, H, Q, T)

        near = weights[..., low:high]
        edges = ((0, 0),) * 3 + ((low - first, first + band.shape[3] - high),)
        near = library(query).pad(near, edges)  # (B, H, Q, Q + 20)
        return matmul(weights, value) + matmul(unskew(near, emb_v.shape[0]), emb_v)


def skew(x: Array) -> Array:
    """(..., Q, J) -> (..., Q, Q + J − 1) with row i moved i places to the right, zeros around."""
    *rest, rows, offsets = x.shape
    width = rows + offsets - 1
    # One column too many, then read with rows one shorter: each row slips by one more place.
    x = library(x).pad(x, ((0, 0),) * (len(rest) + 1) + ((0, width + 1 - offsets),))
    x = x.reshape(*rest, rows * (width + 1))[..., : rows * width]
    return x.reshape(*rest, rows, width)


def unskew(x: Array, offsets: int) -> Array:
    """The diagonal band of `skew` back: (..., Q, Q + offsets − 1) -> (..., Q, offsets)."""
    *rest, rows, width = x.shape
    x = x.reshape(*rest, rows * width)
    x = library(x).pad(x, ((0, 0),) * len(rest) + ((0, rows),))
    return x.reshape(*rest, rows, width + 1)[..., :offsets]
