"""SwiftF0's network: three log spectrograms to pitch scores and voicing (swift-f0 0.3.0, MIT).

Arrays are (batch, time, band, channels). Frame t is centred on sample 256 t.
"""

from __future__ import annotations

import mlx.core as mx
from mlx import nn

import mlx_fastops as fastops

CHANNELS = 12
# Kernel (time, band) and dilation over bands of each residual block.
BLOCKS = (((3, 7), 1), ((1, 7), 17), ((1, 5), 27), ((1, 3), 40), ((1, 3), 48), ((3, 7), 2))
BANDS = 96  # bands the heads read; they give one pitch class fewer


def _conv(inputs: int, outputs: int, kernel: tuple[int, int], dilation: int = 1) -> nn.Module:
    padding = (kernel[0] // 2, kernel[1] // 2 * dilation)
    return fastops.Conv2d(inputs, outputs, kernel, padding=padding, dilation=(1, dilation))


class Block(nn.Module):
    """Two convolutions with a sum around them."""

    def __init__(self, kernel: tuple[int, int], dilation: int):
        super().__init__()
        self.conv1 = _conv(CHANNELS, CHANNELS, kernel, dilation)
        self.conv2 = _conv(CHANNELS, CHANNELS, kernel, dilation)

    def __call__(self, x: mx.array) -> mx.array:
        """(B, T, F, C) to the same."""
        return nn.relu(x + self.conv2(self.conv1(x, relu=True)))


class Network(nn.Module):
    """Scores of 95 pitch classes and the logit of voicing."""

    def __init__(self):
        super().__init__()
        self.stem = _conv(3, CHANNELS, (3, 3))
        self.blocks = [Block(*sizes) for sizes in BLOCKS]
        self.head = _conv(CHANNELS, 4, (3, 3))
        self.pitch = _conv(4, 1, (1, 1))
        self.salience = _conv(4, 4, (1, 5))
        self.voicing1 = fastops.Conv1d(5, 16, 3, padding=1)
        self.voicing2 = fastops.Conv1d(16, 1, 1)

    def __call__(self, x: mx.array) -> tuple[mx.array, mx.array]:
        """(B, T, 128, 3) to scores (B, T, 95) and logits (B, T)."""
        y = self.stem(x, relu=True)
        for block in self.blocks:
            y = block(y)
        # The reference pads below the lowest band only: the class above the last falls away.
        y = self.head(y[:, :, :BANDS], relu=True)[:, :, : BANDS - 1]
        level = mx.mean(x, axis=(2, 3))[..., None]
        seen = mx.concatenate([mx.max(self.salience(y), axis=2), level], axis=-1)  # (B, T, 5)
        voicing = self.voicing2(nn.relu(self.voicing1(seen)))
        return self.pitch(y)[..., 0], voicing[..., 0]
