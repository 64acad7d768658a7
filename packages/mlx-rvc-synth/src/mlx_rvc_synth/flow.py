"""The normalising flow between prior and latent, run backwards (VITS, 2106.06103, section 2.2).

RVC trains coupling layers and flips alternately; converting needs the inverse only::

    flows:    0 coupling   1 flip   2 coupling   3 flip   4 ...   7 flip
    inverse:  7 → 0
"""

from __future__ import annotations

from mlx import nn

from mlx_fastops import Conv1d

from .arrays import Array, library
from .wavenet import WN


class ResidualCouplingLayer(nn.Module):
    """Shift one half of the channels by what a WN makes of the other half (mean only)."""

    def __init__(
        self, channels: int, hidden_channels: int, kernel_size: int, n_layers: int, gin: int
    ):
        super().__init__()
        self.half_channels = channels // 2
        self.pre = Conv1d(self.half_channels, hidden_channels, 1)
        self.enc = WN(hidden_channels, kernel_size, n_layers, gin)
        self.post = Conv1d(hidden_channels, self.half_channels, 1)

    def __call__(self, x: Array, g: Array, mask: Array | None = None) -> Array:
        """Inverse of the layer: `x` (B, T, channels), `g` (B, 1, gin) -> (B, T, channels)."""
        x0, x1 = x[..., : self.half_channels], x[..., self.half_channels :]
        mean = self.post(self.enc(self.pre(x0), g, mask))  # (B, T, channels / 2)
        return library(x).concatenate([x0, x1 - mean], axis=-1)


class Flip(nn.Module):
    """Reverse the order of the channels, so that the next coupling sees the other half."""

    def __call__(self, x: Array, g: Array, mask: Array | None = None) -> Array:
        """`x` (B, T, channels), reversed along channels; nothing else is used."""
        return x[..., ::-1]


class ResidualCouplingBlock(nn.Module):
    """`n_flows` couplings, each followed by a flip; even places of `flows` carry weights."""

    def __init__(
        self,
        channels: int,
        hidden_channels: int,
        kernel_size: int,
        n_layers: int,
        n_flows: int,
        gin_channels: int,
    ):
        super().__init__()
        self.flows = []
        for _ in range(n_flows):
            self.flows += [
                ResidualCouplingLayer(
                    channels, hidden_channels, kernel_size, n_layers, gin_channels
                ),
                Flip(),
            ]

    def __call__(self, z_p: Array, g: Array, mask: Array | None = None) -> Array:
        """Prior sample `z_p` (B, T, inter), speaker `g` (B, 1, gin) -> latent z (B, T, inter).

        Frames outside `mask` (T,) have no effect on the others.
        """
        z = z_p
        for flow in reversed(self.flows):
            z = flow(z, g, mask)
        return z
