"""dec: latent and F0 to audio; HiFi-GAN (2010.05646) driven by the sine source of NSF."""

import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

SLOPE = 0.1
SINE, NOISE_VOICED = 0.1, 0.003


class ResBlock1(nn.Module):
    def __init__(self, channels: int, kernel: int, dilations: tuple[int, ...]) -> None:
        super().__init__()

        def convolution(dilation: int) -> nn.Conv1d:
            padding = dilation * (kernel - 1) // 2
            layer = nn.Conv1d(channels, channels, kernel, dilation=dilation, padding=padding)
            nn.init.normal_(layer.weight, 0, 0.01)
            return weight_norm(layer)

        self.convs1 = nn.ModuleList(convolution(dilation) for dilation in dilations)
        self.convs2 = nn.ModuleList(convolution(1) for _ in dilations)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for first, second in zip(self.convs1, self.convs2, strict=True):
            x = x + second(F.leaky_relu(first(F.leaky_relu(x, SLOPE)), SLOPE))
        return x


class SourceModule(nn.Module):
    """A sine of F0 where voiced, noise where not; F0 stands still within a frame, as in RVC."""

    def __init__(self, hop: int, rate: int) -> None:
        super().__init__()
        self.hop, self.rate = hop, rate
        self.l_linear = nn.Linear(1, 1)
        # With RVC's initial weight the generator learns to ignore a source this quiet, and buzzes
        # at the frame rate instead. Starting loud, it follows F0 after a few hundred steps.
        nn.init.constant_(self.l_linear.weight, 8.0)
        nn.init.zeros_(self.l_linear.bias)

    def forward(self, f0: torch.Tensor) -> torch.Tensor:
        """(batch, time) Hz to (batch, 1, time * hop)."""
        cycles = (f0 / self.rate).repeat_interleave(self.hop, 1).double().cumsum(1) % 1.0
        voiced = (f0 > 0).repeat_interleave(self.hop, 1).float()
        spread = voiced * NOISE_VOICED + (1 - voiced) * SINE / 3
        sine = (2 * math.pi * cycles).sin().float() * SINE * voiced
        source = sine + spread * torch.randn_like(sine)
        return torch.tanh(self.l_linear(source[..., None])).mT


class Generator(nn.Module):
    def __init__(
        self,
        inter: int,
        kernels: list,
        dilations: list,
        rates: list,
        channels: int,
        widths: list,
        speaker: int,
        rate: int,
    ) -> None:
        super().__init__()
        self.kernels, self.rates = kernels, rates
        self.m_source = SourceModule(math.prod(rates), rate)
        self.conv_pre = nn.Conv1d(inter, channels, 7, padding=3)
        self.cond = nn.Conv1d(speaker, channels, 1)
        self.ups, self.noise_convs, self.resblocks = (
            nn.ModuleList(),
            nn.ModuleList(),
            nn.ModuleList(),
        )
        for stage, (up, width) in enumerate(zip(rates, widths, strict=True)):
            outputs = channels // 2 ** (stage + 1)
            layer = nn.ConvTranspose1d(2 * outputs, outputs, width, up, padding=(width - up) // 2)
            nn.init.normal_(layer.weight, 0, 0.01)
            self.ups.append(weight_norm(layer))
            stride = math.prod(rates[stage + 1 :])
            shape = {"kernel_size": 2 * stride, "stride": stride, "padding": stride // 2}
            self.noise_convs.append(
                nn.Conv1d(1, outputs, **(shape if stride > 1 else {"kernel_size": 1}))
            )
            self.resblocks.extend(
                ResBlock1(outputs, *pair) for pair in zip(kernels, dilations, strict=True)
            )
        self.conv_post = nn.Conv1d(outputs, 1, 7, padding=3, bias=False)

    def forward(self, z: torch.Tensor, f0: torch.Tensor, g: torch.Tensor) -> torch.Tensor:
        """(batch, inter, time), (batch, time) Hz, (batch, speaker, 1) to (batch, time * hop)."""
        source = self.m_source(f0)
        x = self.conv_pre(z) + self.cond(g)
        count = len(self.kernels)
        for stage, (up, excite) in enumerate(zip(self.ups, self.noise_convs, strict=True)):
            x = up(F.leaky_relu(x, SLOPE)) + excite(source)
            x = (
                sum(block(x) for block in self.resblocks[stage * count : (stage + 1) * count])
                / count
            )
        return torch.tanh(self.conv_post(F.leaky_relu(x)))[:, 0]
