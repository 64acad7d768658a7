"""enc_p: content features and pitch to the mean and log deviation of the latent (VITS, 2106.06103).

Attribute names are those of RVC's files, so that the trained weights are an RVC voice as they are.
Arrays are (batch, channels, time), PyTorch's order for convolutions.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

WINDOW = 10  # frames: offsets that have a learned position
LOWEST, HIGHEST, BINS = 50.0, 1100.0, 256


def coarse(f0: torch.Tensor) -> torch.Tensor:
    """F0 in Hz to RVC's bins 1 to 255 on the mel scale; unvoiced is 1."""
    low, high = (1127 * math.log(1 + edge / 700) for edge in (LOWEST, HIGHEST))
    mel = 1127 * torch.log(1 + f0 / 700)
    scaled = torch.where(mel > 0, (mel - low) * (BINS - 2) / (high - low) + 1, mel)
    return scaled.clamp(1, BINS - 1).round().long()


class Attention(nn.Module):
    """Self-attention that also sees how far away a frame is, up to WINDOW frames (1803.02155)."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads, self.width = heads, channels // heads
        self.conv_q, self.conv_k, self.conv_v, self.conv_o = (
            nn.Conv1d(channels, channels, 1) for _ in range(4)
        )
        self.emb_rel_k = nn.Parameter(torch.randn(1, 2 * WINDOW + 1, self.width) * self.width**-0.5)
        self.emb_rel_v = nn.Parameter(torch.randn(1, 2 * WINDOW + 1, self.width) * self.width**-0.5)
        for layer in (self.conv_q, self.conv_k, self.conv_v):
            nn.init.xavier_uniform_(layer.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, channels, time = x.shape
        shape = (batch, self.heads, self.width, time)
        query, key, value = (
            f(x).view(shape).transpose(2, 3) for f in (self.conv_q, self.conv_k, self.conv_v)
        )
        query = query / math.sqrt(self.width)
        frame = torch.arange(time)
        offset = frame[None] - frame[:, None]  # (time, time): from the asking frame to the asked
        near = offset.abs() <= WINDOW
        column = (offset.clamp(-WINDOW, WINDOW) + WINDOW).expand(batch, self.heads, -1, -1)
        scores = query @ key.transpose(2, 3) + (query @ self.emb_rel_k.mT).gather(3, column) * near
        weights = scores.softmax(-1)
        neighbour = frame[:, None] + torch.arange(-WINDOW, WINDOW + 1)  # (time, 21)
        inside = (neighbour >= 0) & (neighbour < time)
        asked = neighbour.clamp(0, time - 1).expand(batch, self.heads, -1, -1)
        out = weights @ value + (weights.gather(3, asked) * inside) @ self.emb_rel_v
        return self.conv_o(out.transpose(2, 3).reshape(batch, channels, time))


class LayerNorm(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma, self.beta = (
            nn.Parameter(torch.ones(channels)),
            nn.Parameter(torch.zeros(channels)),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.layer_norm(x.mT, self.gamma.shape, self.gamma, self.beta, 1e-5).mT


class FFN(nn.Module):
    def __init__(self, channels: int, filter_channels: int, kernel: int) -> None:
        super().__init__()
        self.conv_1 = nn.Conv1d(channels, filter_channels, kernel, padding=kernel // 2)
        self.conv_2 = nn.Conv1d(filter_channels, channels, kernel, padding=kernel // 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv_2(F.relu(self.conv_1(x)))


class Transformer(nn.Module):
    def __init__(
        self, channels: int, filter_channels: int, heads: int, layers: int, kernel: int
    ) -> None:
        super().__init__()
        self.attn_layers = nn.ModuleList(Attention(channels, heads) for _ in range(layers))
        self.norm_layers_1 = nn.ModuleList(LayerNorm(channels) for _ in range(layers))
        self.ffn_layers = nn.ModuleList(
            FFN(channels, filter_channels, kernel) for _ in range(layers)
        )
        self.norm_layers_2 = nn.ModuleList(LayerNorm(channels) for _ in range(layers))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        layers = zip(
            self.attn_layers, self.norm_layers_1, self.ffn_layers, self.norm_layers_2, strict=True
        )
        for attention, norm_1, ffn, norm_2 in layers:
            x = norm_1(x + attention(x))
            x = norm_2(x + ffn(x))
        return x


class TextEncoder(nn.Module):
    def __init__(
        self,
        features: int,
        inter: int,
        hidden: int,
        filters: int,
        heads: int,
        layers: int,
        kernel: int,
    ):
        super().__init__()
        self.scale = math.sqrt(hidden)
        self.emb_phone = nn.Linear(features, hidden)
        self.emb_pitch = nn.Embedding(BINS, hidden)
        self.encoder = Transformer(hidden, filters, heads, layers, kernel)
        self.proj = nn.Conv1d(hidden, 2 * inter, 1)

    def forward(
        self, features: torch.Tensor, f0: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(batch, time, features), (batch, time) Hz to mean, log deviation (batch, inter, time)."""
        x = self.emb_phone(features) + self.emb_pitch(coarse(f0))
        x = self.encoder(F.leaky_relu(x * self.scale, 0.1).mT)
        mean, log_deviation = self.proj(x).chunk(2, 1)
        return mean, log_deviation
