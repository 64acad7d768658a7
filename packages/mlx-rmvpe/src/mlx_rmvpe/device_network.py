"""The U-Net on a GPU: one compiled function, whatever the length.

The same layers as `E2E.features`, with lengths rounded up to a bucket. Frames beyond the input's
end are zeros before every convolution that looks to the side, at every level, as its padding is:

    mel frames   x x x x x x x x . . . .       . = beyond the end
    level 1      x   x   x   x   0   0         pooling halves them: cells of 32 never mix both kinds
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import mlx.core as mx

from mlx_fastops import Bucketed, Compiled

if TYPE_CHECKING:
    from .network import E2E, ConvBlockRes


class DeviceFeatures:
    """Runs the layers before a network's GRU on MLX arrays, compiled."""

    def __init__(self, network: E2E):
        """Nothing is compiled before it is called."""
        self.network = network
        self.whole = Bucketed(self._features, network)
        self.part = Compiled(self._part, network)

    def __call__(self, mel: mx.array, keep: slice | None) -> mx.array:
        """As `E2E.features`. A part is compiled for its shape: long recordings repeat it."""
        cells = mel.shape[1] // self.network.config.frame_multiple
        if keep is None or (keep.start, keep.stop) == (0, cells):
            return self.whole(mel)
        return self.part(mel, start=keep.start, stop=keep.stop)

    def _part(self, mel: mx.array, *, start: int, stop: int) -> mx.array:
        return self._features(None, mel, keep=slice(start, stop))

    def _features(
        self, mask: mx.array | None, mel: mx.array, keep: slice | None = None
    ) -> mx.array:
        """Mask (T,) and mel (B, T, M) to the GRU's input."""
        network = self.network
        unet = network.unet
        real = None if mask is None else mask[:, None, None].astype(mel.dtype)  # (T, 1, 1)
        x = unet.encoder.bn(mel[..., None])
        skips = []
        for layer in unet.encoder.layers:
            x = _stack(layer.conv, x, real)
            skips.append((x, real))
            x = x[:, 0::2] + x[:, 1::2]
            x = (x[:, :, 0::2] + x[:, :, 1::2]) * 0.25
            real = None if real is None else real[0::2]
        for layer in unet.intermediate.layers:
            x = _stack(layer.conv, x, real)
        if keep is not None:
            x = x[:, keep]
        for depth, layer in enumerate(unet.decoder.layers, 1):
            skip, above = skips.pop()
            if keep is not None:
                skip = skip[:, keep.start * 2**depth : keep.stop * 2**depth]
            x = mx.maximum(layer.conv1[0](_within(x, real)), 0)
            real = above
            x = _stack(layer.conv2, mx.concatenate([x, skip], axis=-1), real)
        x = network.cnn(_within(x, real))  # (B, T, M, 3)
        return x.swapaxes(2, 3).reshape(*x.shape[:2], -1)


def _stack(blocks: list[ConvBlockRes], x: mx.array, real: mx.array | None) -> mx.array:
    """Residual blocks, with zeros outside the real frames before each 3 x 3 convolution."""
    for block in blocks:
        y = mx.maximum(block.conv[0](_within(x, real)), 0)
        y = mx.maximum(block.conv[3](_within(y, real)), 0)
        x = y + (block.shortcut(x) if "shortcut" in block else x)
    return x


def _within(x: mx.array, real: mx.array | None) -> mx.array:
    return x if real is None else x * real
