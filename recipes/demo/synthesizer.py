"""The RVC voice: prior, flow, vocoder and speakers, with the posterior encoder that trains them."""

import torch
from torch import nn

from latent import PosteriorEncoder, ResidualCouplingBlock
from prior import TextEncoder
from progress import renamed
from vocoder import Generator

RATE, HOP, SPECTRUM = 16000, 160, 257
SPEAKERS, SPEAKER_WIDTH = 2, 64
FEATURES = 192
RATES, WIDTHS = [10, 4, 4], [20, 8, 8]
KERNELS, DILATIONS = [3, 7, 11], [[1, 3, 5]] * 3
HEADS, KERNEL = 2, 3


class Synthesizer(nn.Module):
    def __init__(
        self,
        *,
        inter_channels: int,
        hidden_channels: int,
        filter_channels: int,
        n_layers: int,
        upsample_initial_channel: int,
    ) -> None:
        super().__init__()
        inter, hidden = inter_channels, hidden_channels
        self.config = [
            *(
                SPECTRUM,
                32,
                inter,
                hidden,
                filter_channels,
                HEADS,
                n_layers,
                KERNEL,
                0,
                "1",
                KERNELS,
                DILATIONS,
            ),
            *(RATES, upsample_initial_channel, WIDTHS, SPEAKERS, SPEAKER_WIDTH, RATE),
        ]
        self.emb_g = nn.Embedding(SPEAKERS, SPEAKER_WIDTH)
        self.enc_p = TextEncoder(FEATURES, inter, hidden, filter_channels, HEADS, n_layers, KERNEL)
        self.enc_q = PosteriorEncoder(SPECTRUM, inter, hidden, SPEAKER_WIDTH)
        self.flow = ResidualCouplingBlock(inter, hidden, SPEAKER_WIDTH)
        self.dec = Generator(
            inter, KERNELS, DILATIONS, RATES, upsample_initial_channel, WIDTHS, SPEAKER_WIDTH, RATE
        )

    def speaker(self, identity: torch.Tensor) -> torch.Tensor:
        """(batch,) to (batch, SPEAKER_WIDTH, 1)."""
        return self.emb_g(identity)[..., None]

    @torch.no_grad()
    def infer(
        self, features: torch.Tensor, f0: torch.Tensor, identity: torch.Tensor
    ) -> torch.Tensor:
        """A conversion: (batch, time, FEATURES), F0 in Hz (batch, time) to (batch, time * HOP)."""
        g = self.speaker(identity)
        mean, log_deviation = self.enc_p(features, f0)
        prior = mean + log_deviation.exp() * torch.randn_like(mean) * 0.66666
        return self.dec(self.flow(prior, g, reverse=True), f0, g)

    def small_model(self, about: str) -> dict:
        """What RVC shares: half precision, old names of weight norm, no posterior encoder."""
        weights = {}
        for key, value in self.state_dict().items():
            if not key.startswith("enc_q."):
                weights[renamed(key)] = value.detach().half().contiguous()
        return {
            "weight": weights,
            "config": self.config,
            "info": about,
            "sr": "16k",
            "f0": 1,
            "version": "v2",
        }
