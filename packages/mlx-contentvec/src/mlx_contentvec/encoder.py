"""The transformer over frames: a positional convolution, then layers of attention.

Reference: transformers `modeling_hubert.py`, `HubertEncoder` (norm after attention: HuBERT base and
ContentVec) and `HubertEncoderStableLayerNorm` (norm before: HuBERT large).
"""

import mlx.core as mx
from mlx import nn

import mlx_fastops as fastops
from mlx_contentvec.arrays import Array
from mlx_contentvec.config import ContentvecConfig
from mlx_fastops import gelu


class PositionalConvEmbedding(nn.Module):
    """Where a frame stands, told by a grouped convolution over its neighbours."""

    def __init__(self, config: ContentvecConfig):
        super().__init__()
        self.conv = nn.Conv1d(
            config.hidden_size,
            config.hidden_size,
            config.num_conv_pos_embeddings,
            padding=config.num_conv_pos_embeddings // 2,
            groups=config.num_conv_pos_embedding_groups,
        )

    def __call__(self, x: Array) -> Array:
        """(B, T, C) -> (B, T, C). An even kernel gives one frame too many: the last is dropped."""
        conv = self.conv
        y = fastops.conv1d(x, conv.weight, conv.bias, padding=conv.padding, groups=conv.groups)
        return gelu(y[:, : x.shape[1]])


class Attention(nn.Module):
    """Multi-head self-attention over all frames, or over those that a mask calls real."""

    def __init__(self, config: ContentvecConfig):
        super().__init__()
        size = config.hidden_size
        self._heads = config.num_attention_heads
        self.q_proj = nn.Linear(size, size)
        self.k_proj = nn.Linear(size, size)
        self.v_proj = nn.Linear(size, size)
        self.out_proj = nn.Linear(size, size)

    def __call__(self, x: Array, mask: mx.array | None = None) -> Array:
        """(B, T, C) -> (B, T, C); `mask` (T,) bool, MLX arrays only."""
        split = (*x.shape[:2], self._heads, -1)
        q, k, v = (
            _linear(layer, x).reshape(split)  # (B, T, heads, C / heads)
            for layer in (self.q_proj, self.k_proj, self.v_proj)
        )
        if mask is None:
            mixed = fastops.attention(q, k, v)  # (B, T, heads, C / heads)
        else:
            heads = (array.swapaxes(1, 2) for array in (q, k, v))
            mixed = mx.fast.scaled_dot_product_attention(
                *heads, scale=q.shape[-1] ** -0.5, mask=mask[None, None, None]
            ).swapaxes(1, 2)
        return _linear(self.out_proj, mixed.reshape(x.shape))


class FeedForward(nn.Module):
    """Two dense layers with GELU between."""

    def __init__(self, config: ContentvecConfig):
        super().__init__()
        self.intermediate_dense = nn.Linear(config.hidden_size, config.intermediate_size)
        self.output_dense = nn.Linear(config.intermediate_size, config.hidden_size)

    def __call__(self, x: Array) -> Array:
        """(B, T, C) -> (B, T, C)."""
        return _linear(self.output_dense, gelu(_linear(self.intermediate_dense, x)))


class EncoderLayer(nn.Module):
    """Attention and feed-forward, each added to its input."""

    def __init__(self, config: ContentvecConfig):
        super().__init__()
        self._norm_first = config.do_stable_layer_norm
        self.attention = Attention(config)
        self.layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.feed_forward = FeedForward(config)
        self.final_layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def __call__(self, x: Array, mask: mx.array | None = None) -> Array:
        """(B, T, C) -> (B, T, C)."""
        if self._norm_first:
            x = x + self.attention(_norm(self.layer_norm, x), mask)
            return x + self.feed_forward(_norm(self.final_layer_norm, x))
        x = _norm(self.layer_norm, x + self.attention(x, mask))
        return _norm(self.final_layer_norm, x + self.feed_forward(x))


class Encoder(nn.Module):
    """Positional convolution and layers (`encoder` in checkpoints)."""

    def __init__(self, config: ContentvecConfig):
        super().__init__()
        self._norm_first = config.do_stable_layer_norm
        self.pos_conv_embed = PositionalConvEmbedding(config)
        self.layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.layers = [EncoderLayer(config) for _ in range(config.num_hidden_layers)]

    def __call__(self, x: Array, layer: int, mask: mx.array | None = None) -> Array:
        """(B, T, C) -> (B, T, C) after `layer` layers; the layers behind it are not computed.

        With norm first, `encoder.layer_norm` ends the last layer, as in Hugging Face's
        `hidden_states`. `mask` (T,) says which frames are real; the others reach none of these.
        """
        if mask is not None:
            x = mx.where(mask[:, None], x, 0)  # as the padding of the convolution
        x = x + self.pos_conv_embed(x)
        if not self._norm_first:
            x = _norm(self.layer_norm, x)
        for block in self.layers[:layer]:
            x = block(x, mask)
        if self._norm_first and layer == len(self.layers):
            x = _norm(self.layer_norm, x)
        return x


def _linear(layer: nn.Linear, x: Array) -> Array:
    return fastops.linear(x, layer.weight, layer.bias)


def _norm(layer: nn.LayerNorm, x: Array) -> Array:
    return fastops.layer_norm(x, layer.weight, layer.bias, layer.eps)
