"""enc_q and flow: the latent of real audio, and the invertible way from it to the prior (VITS)."""

import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm


class WN(nn.Module):
    """Gated convolutions that know the speaker (WaveGlow, 1811.00002)."""

    def __init__(self, hidden: int, kernel: int, layers: int, speaker: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.cond_layer = weight_norm(nn.Conv1d(speaker, 2 * hidden * layers, 1))
        self.in_layers = nn.ModuleList(
            weight_norm(nn.Conv1d(hidden, 2 * hidden, kernel, padding=kernel // 2))
            for _ in range(layers)
        )
        self.res_skip_layers = nn.ModuleList(
            weight_norm(nn.Conv1d(hidden, hidden * (2 if layer < layers - 1 else 1), 1))
            for layer in range(layers)
        )

    def forward(self, x: torch.Tensor, g: torch.Tensor) -> torch.Tensor:
        conditions = self.cond_layer(g).chunk(len(self.in_layers), 1)
        skipped = 0
        for condition, convolve, project in zip(
            conditions, self.in_layers, self.res_skip_layers, strict=True
        ):
            content, gate = (convolve(x) + condition).chunk(2, 1)
            out = project(content.tanh() * gate.sigmoid())
            if out.shape[1] > self.hidden:
                x = x + out[:, : self.hidden]
            skipped = skipped + out[:, -self.hidden :]
        return skipped


class PosteriorEncoder(nn.Module):
    """Only training needs it; a voice file goes without."""

    def __init__(self, spectrum: int, inter: int, hidden: int, speaker: int) -> None:
        super().__init__()
        self.pre = nn.Conv1d(spectrum, hidden, 1)
        self.enc = WN(hidden, 5, 16, speaker)
        self.proj = nn.Conv1d(hidden, 2 * inter, 1)

    def forward(
        self, spectrum: torch.Tensor, g: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(batch, bins, time) to a sample, the mean and the log deviation (batch, inter, time)."""
        mean, log_deviation = self.proj(self.enc(self.pre(spectrum), g)).chunk(2, 1)
        return mean + torch.randn_like(mean) * log_deviation.exp(), mean, log_deviation


class ResidualCouplingLayer(nn.Module):
    def __init__(self, inter: int, hidden: int, speaker: int) -> None:
        super().__init__()
        self.pre = nn.Conv1d(inter // 2, hidden, 1)
        self.enc = WN(hidden, 5, 3, speaker)
        self.post = nn.Conv1d(hidden, inter // 2, 1)
        nn.init.zeros_(self.post.weight)
        nn.init.zeros_(self.post.bias)

    def forward(self, x: torch.Tensor, g: torch.Tensor, reverse: bool) -> torch.Tensor:
        kept, moved = x.chunk(2, 1)
        shift = self.post(self.enc(self.pre(kept), g))
        return torch.cat([kept, moved - shift if reverse else moved + shift], 1)


class Flip(nn.Module):
    def forward(self, x: torch.Tensor, g: torch.Tensor, reverse: bool) -> torch.Tensor:
        return x.flip(1)


class ResidualCouplingBlock(nn.Module):
    def __init__(self, inter: int, hidden: int, speaker: int) -> None:
        super().__init__()
        pairs = [(ResidualCouplingLayer(inter, hidden, speaker), Flip()) for _ in range(4)]
        self.flows = nn.ModuleList(layer for pair in pairs for layer in pair)

    def forward(self, x: torch.Tensor, g: torch.Tensor, reverse: bool = False) -> torch.Tensor:
        """Latent to prior, or with `reverse` back: (batch, inter, time)."""
        for layer in reversed(self.flows) if reverse else self.flows:
            x = layer(x, g, reverse)
        return x
