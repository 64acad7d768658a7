"""Small critics: periods (HiFi-GAN, 2010.05646), spectrograms (UnivNet, 2106.07889)."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

PERIODS = (2, 3, 5, 7)
WINDOWS = (256, 1024)
Judgement = tuple[torch.Tensor, list[torch.Tensor]]  # score and inner features


def convolution(
    inputs: int, outputs: int, kernel: tuple[int, int], stride: tuple[int, int] = (1, 1)
) -> nn.Module:
    padding = (kernel[0] // 2, kernel[1] // 2)
    return weight_norm(nn.Conv2d(inputs, outputs, kernel, stride, padding))


class Stack(nn.Module):
    def __init__(self, layers: list[nn.Module], last: nn.Module) -> None:
        super().__init__()
        self.layers, self.last = nn.ModuleList(layers), last

    def forward(self, x: torch.Tensor) -> Judgement:
        inner = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.1)
            inner.append(x)
        return self.last(x), inner


class Period(Stack):
    def __init__(self, period: int) -> None:
        widths = (1, 16, 32, 64, 64)
        layers = [convolution(a, b, (5, 1), (3, 1)) for a, b in pairwise(widths)]
        super().__init__(layers, convolution(64, 1, (3, 1)))
        self.period = period

    def forward(self, audio: torch.Tensor) -> Judgement:
        audio = F.pad(audio, (0, -audio.shape[1] % self.period), "reflect")
        return super().forward(audio.view(len(audio), 1, -1, self.period))


class Spectrogram(Stack):
    def __init__(self, window: int) -> None:
        layers = [
            convolution(1, 16, (3, 9)),
            *(convolution(16, 16, (3, 9), (1, 2)) for _ in range(3)),
            convolution(16, 16, (3, 3)),
        ]
        super().__init__(layers, convolution(16, 1, (3, 3)))
        self.register_buffer("window", torch.hann_window(window), persistent=False)

    def forward(self, audio: torch.Tensor) -> Judgement:
        size = len(self.window)
        spectrum = torch.stft(audio, size, size // 4, window=self.window, return_complex=True).abs()
        return super().forward(torch.log(spectrum.clamp(min=1e-4)).mT[:, None])


class Discriminators(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.all = nn.ModuleList([*map(Period, PERIODS), *map(Spectrogram, WINDOWS)])

    def forward(self, audio: torch.Tensor) -> list[Judgement]:
        return [critic(audio) for critic in self.all]
