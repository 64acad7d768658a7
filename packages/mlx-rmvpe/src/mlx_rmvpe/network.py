"""RMVPE's network: a residual U-Net over the mel spectrogram, then a GRU in both directions.

Wei et al., "RMVPE: A Robust Model for Vocal Pitch Estimation in Polyphonic Music" (2023),
arXiv:2306.15412. Attributes carry the names of the reference's `E2E` (`unet`, `cnn`, `fc`; in a
residual block `conv.0` and `conv.3` are the convolutions), so that checkpoints load by name.

Batch normalisation is an affine map at inference and is folded into the convolution before it when
a file is read (`weights.py`); only the one at the input stays, because the first convolution pads
with zeros after it.

Everything here runs on whichever kind of array `mlx_fastops.native` gives, NumPy's on a CPU.
Arrays are (batch, frames, mel bands, channels).
"""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np
from mlx import nn

import mlx_fastops as fastops

from .config import RMVPEConfig
from .device_network import DeviceFeatures

Array = Any  # mx.array or np.ndarray: whichever `fastops.native` chose


def _relu(x: Array) -> Array:
    """ReLU, in place where the array allows it."""
    return np.maximum(x, 0, out=x) if isinstance(x, np.ndarray) else mx.maximum(x, 0)


def _join(parts: list[Array]) -> Array:
    """Concatenate along channels."""
    if isinstance(parts[0], np.ndarray):
        return np.concatenate(parts, axis=-1)
    return mx.concatenate(parts, axis=-1)


def _halve(x: Array) -> Array:
    """Average pooling over 2 frames x 2 bands."""
    x = x[:, 0::2] + x[:, 1::2]
    return (x[:, :, 0::2] + x[:, :, 1::2]) * 0.25


class ConvBlockRes(nn.Module):
    """Two 3 x 3 convolutions with ReLU, added to the input (projected if its width differs)."""

    def __init__(self, in_channels: int, out_channels: int):
        """Weights are random until a checkpoint is loaded."""
        super().__init__()
        # Places 1, 2, 4 and 5 of the checkpoint's list are normalisation (folded) and ReLU.
        self.conv = [
            fastops.Conv2d(in_channels, out_channels, 3, padding=1),
            nn.Identity(),
            nn.Identity(),
            fastops.Conv2d(out_channels, out_channels, 3, padding=1),
        ]
        if in_channels != out_channels:
            self.shortcut = fastops.Conv2d(in_channels, out_channels, 1)

    def __call__(self, x: Array) -> Array:
        """(B, T, M, in) to (B, T, M, out)."""
        y = self.conv[0](x, relu=True)
        y = self.conv[3](y, relu=True)
        y += self.shortcut(x) if "shortcut" in self else x
        return y


class ResEncoderBlock(nn.Module):
    """A stack of residual blocks, in the encoder and at the bottom."""

    def __init__(self, in_channels: int, out_channels: int, n_blocks: int):
        """Only the first block changes the width."""
        super().__init__()
        widths = [in_channels] + [out_channels] * (n_blocks - 1)
        self.conv = [ConvBlockRes(width, out_channels) for width in widths]

    def __call__(self, x: Array) -> Array:
        """(B, T, M, in) to (B, T, M, out)."""
        for block in self.conv:
            x = block(x)
        return x


class InputNorm(nn.Module):
    """The normalisation of the input, as one scale and one shift."""

    def __init__(self):
        """The identity until a checkpoint is loaded."""
        super().__init__()
        self.weight = mx.ones((1,))
        self.bias = mx.zeros((1,))

    def __call__(self, x: Array) -> Array:
        """(B, T, M, 1) to the same shape."""
        return x * fastops.native(self.weight) + fastops.native(self.bias)


class Encoder(nn.Module):
    """Levels that halve time and frequency and double the channels."""

    def __init__(self, config: RMVPEConfig):
        """One residual stack for each level."""
        super().__init__()
        widths = [config.en_out_channels * 2**level for level in range(config.en_de_layers)]
        self.bn = InputNorm()
        self.layers = [
            ResEncoderBlock(before, width, config.n_blocks)
            for before, width in zip([1, *widths[:-1]], widths, strict=True)
        ]

    def __call__(self, x: Array) -> tuple[Array, list[Array]]:
        """(B, T, M, 1) to (B, T/32, M/32, 256) and each level's output before pooling."""
        skips = []
        x = self.bn(x)
        for layer in self.layers:
            x = layer(x)
            skips.append(x)
            x = _halve(x)
        return x, skips


class Intermediate(nn.Module):
    """The bottom of the U-Net."""

    def __init__(self, config: RMVPEConfig):
        """The first stack doubles the channels."""
        super().__init__()
        width = config.en_out_channels * 2**config.en_de_layers
        widths = [width // 2] + [width] * (config.inter_layers - 1)
        self.layers = [ResEncoderBlock(before, width, config.n_blocks) for before in widths]

    def __call__(self, x: Array) -> Array:
        """(B, T/32, M/32, 256) to (B, T/32, M/32, 512)."""
        for layer in self.layers:
            x = layer(x)
        return x


class ResDecoderBlock(nn.Module):
    """Double time and frequency, join the encoder's output of that size, refine.

    A transposed 3 x 3 convolution of stride 2 and padding 1 gives 2n - 1 rows; `output_padding` 1
    asks for one more at the end. That row is a real one, computed from the last input:

        input        0     1     2        (n = 3)
        output    0  1  2  3  4 [5]       5 = last tap of input 2, not zero
    """

    def __init__(self, in_channels: int, out_channels: int, n_blocks: int):
        """The joined input of the first block is twice as wide."""
        super().__init__()
        self.conv1 = [
            fastops.ConvTranspose2d(
                in_channels, out_channels, 3, stride=2, padding=1, output_padding=1
            )
        ]
        widths = [2 * out_channels] + [out_channels] * (n_blocks - 1)
        self.conv2 = [ConvBlockRes(width, out_channels) for width in widths]

    def __call__(self, x: Array, skip: Array) -> Array:
        """(B, T, M, in) and (B, 2T, 2M, out) to (B, 2T, 2M, out)."""
        x = _relu(self.conv1[0](x))
        x = _join([x, skip])
        for block in self.conv2:
            x = block(x)
        return x


class Decoder(nn.Module):
    """The encoder's levels, upwards."""

    def __init__(self, config: RMVPEConfig):
        """One block for each level, from the bottom."""
        super().__init__()
        widths = [config.en_out_channels * 2**level for level in range(config.en_de_layers)]
        self.layers = [
            ResDecoderBlock(2 * width, width, config.n_blocks) for width in reversed(widths)
        ]

    def __call__(self, x: Array, skips: list[Array]) -> Array:
        """(B, T/32, M/32, 512) to (B, T, M, 16); empties `skips`, to free them early."""
        for layer in self.layers:
            x = layer(x, skips.pop())
        return x


class DeepUnet(nn.Module):
    """Encoder, bottom and decoder."""

    def __init__(self, config: RMVPEConfig):
        """All levels."""
        super().__init__()
        self.encoder = Encoder(config)
        self.intermediate = Intermediate(config)
        self.decoder = Decoder(config)

    def __call__(self, x: Array, keep: slice | None = None) -> Array:
        """(B, T, M, 1) to (B, T, M, 16); T and M multiples of 32.

        `keep` (in cells of 32 frames) is what the decoder is to compute; all by default.
        """
        x, skips = self.encoder(x)
        x = self.intermediate(x)
        if keep is not None:
            x = x[:, keep]
            for level, skip in enumerate(skips):
                rows = 2 ** (len(skips) - level)  # of this level in a cell
                skips[level] = skip[:, keep.start * rows : keep.stop * rows]
        return self.decoder(x, skips)


class BiGRU(nn.Module):
    """One GRU forward in time and one backward."""

    def __init__(self, in_features: int, hidden: int):
        """MLX's parametrisation: `b` holds torch's two biases as far as they add up."""
        super().__init__()
        self.gru = {
            "forward": fastops.GRU(in_features, hidden),
            "backward": fastops.GRU(in_features, hidden),
        }

    def run(self, x: Array, direction: str, state: Array | None = None) -> Array:
        """(B, T, in) to (B, T, hidden) in one direction, from `state` (B, hidden) or zeros."""
        cell = self.gru[direction]
        return fastops.gru(
            x, cell.Wx, cell.Wh, cell.b, cell.bhn, reverse=direction == "backward", h0=state
        )

    def both(
        self, x: Array, forward: Array | None = None, backward: Array | None = None
    ) -> tuple[Array, Array]:
        """(B, T, in) to (B, T, hidden) from either end, from these states or zeros."""
        cells = (self.gru["forward"], self.gru["backward"])
        weights = [(cell.Wx, cell.Wh, cell.b, cell.bhn) for cell in cells]
        return fastops.bidirectional_gru(x, *weights, h0_forward=forward, h0_backward=backward)


class E2E(nn.Module):
    """Log-mel spectrogram to pitch salience."""

    def __init__(self, config: RMVPEConfig):
        """Random weights; `RMVPE.from_pretrained` loads real ones."""
        super().__init__()
        self.config = config
        self.unet = DeepUnet(config)
        self.cnn = fastops.Conv2d(config.en_out_channels, config.cnn_channels, 3, padding=1)
        self.fc = [
            BiGRU(config.cnn_channels * config.n_mels, config.gru_hidden),
            fastops.Linear(2 * config.gru_hidden, config.n_bins),
        ]
        self._on_device = DeviceFeatures(self)

    def features(self, mel: Array, keep: slice | None = None) -> Array:
        """What the GRU reads.

        Args:
            mel: log-mel of shape (B, T, n_mels), T a multiple of `config.frame_multiple`.
            keep: the stretch of T wanted, in cells of that many frames; all by default. Its edges
                are computed as if the decoder's input ended there.

        Returns:
            Shape (B, frames kept, cnn_channels * n_mels), channel by channel.
        """
        if fastops.compiles():
            return self._on_device(fastops.to_mlx(mel), keep)
        x = fastops.native(mel)[..., None]  # (B, T, M, 1)
        x = self.cnn(self.unet(x, keep))  # (B, T, M, 3)
        return x.swapaxes(2, 3).reshape(*x.shape[:2], -1)  # (B, T, 3 M)

    def states(self, features: Array, direction: str, start: Array | None = None) -> Array:
        """The GRU in one direction ("forward" or "backward"), from `start` or zeros.

        Returns:
            Shape (B, T, gru_hidden). The last state is at the end, backward at the beginning.
        """
        return self.fc[0].run(features, direction, start)

    def both_states(
        self, features: Array, forward: Array | None = None, backward: Array | None = None
    ) -> tuple[Array, Array]:
        """The GRU in both directions, as two calls of `states`; on a GPU in the same launches."""
        return self.fc[0].both(features, forward, backward)

    def salience(self, forward: Array, backward: Array) -> Array:
        """(B, T, gru_hidden) twice to salience (B, T, n_bins) in 0 to 1."""
        return fastops.sigmoid(self.fc[1](_join([forward, backward])))

    def __call__(self, mel: Array) -> mx.array:
        """Salience of a whole spectrogram.

        Frames are padded with zeros to a multiple of `config.frame_multiple`, as the reference
        does it, and the padding is cut off at the end.

        Args:
            mel: log-mel of shape (B, T, n_mels), any T.

        Returns:
            Shape (B, T, n_bins), values in 0 to 1.
        """
        frames = mel.shape[1]
        features = self.features(
            pad_frames(mel, -(-frames // self.config.frame_multiple) * self.config.frame_multiple)
        )
        forward, backward = self.both_states(features)
        return fastops.to_mlx(self.salience(forward, backward)[:, :frames])


def pad_frames(mel: Array, frames: int) -> Array:
    """Append zero frames to mel (B, T, n_mels) until there are that many."""
    missing = [(0, 0), (0, frames - mel.shape[1]), (0, 0)]
    return np.pad(mel, missing) if isinstance(mel, np.ndarray) else mx.pad(mel, missing)
