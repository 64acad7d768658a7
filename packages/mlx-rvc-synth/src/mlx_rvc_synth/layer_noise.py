"""The noise that RefineGAN adds inside its layers, by layer and place.

Each residual block has noise before and after it, on every channel: 29 million numbers for a second
at 48 kHz. They are therefore made tile by tile, and what a number is depends only on the seed, its
layer and its place, not on the tiles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

BLOCK = 1 << 16  # numbers that are drawn at once


class LayerNoise(Protocol):
    """Standard normal noise of a layer, or None for silence.

    Layers are counted as RefineGAN runs them: stage by stage, the blocks of a stage by kernel,
    before and after each block.
    """

    def of(self, layer: int, low: int, high: int, channels: int, batch: int) -> np.ndarray | None:
        """Steps `low` to `high` of a layer: (B, high − low, channels), float32."""
        ...


@dataclass(frozen=True)
class Silent:
    """No noise."""

    def of(self, layer: int, low: int, high: int, channels: int, batch: int) -> None:
        """Silence."""
        return


@dataclass(frozen=True)
class Drawn:
    """Noise of a seed, drawn on the processor; the same for every cut in time."""

    seed: int

    def of(self, layer: int, low: int, high: int, channels: int, batch: int) -> np.ndarray:
        """Steps `low` to `high` of a layer: (B, high − low, channels), float32."""
        steps = max(1, BLOCK // channels)
        first = low // steps
        blocks = []
        for block in range(first, -(-high // steps)):
            draw = np.random.Generator(np.random.SFC64([self.seed, layer, block]))
            blocks.append(draw.standard_normal((batch, steps, channels), np.float32))
        return np.concatenate(blocks, axis=1)[:, low - first * steps : high - first * steps]


@dataclass(frozen=True)
class Given:
    """Arrays (B, steps, channels), one for each layer."""

    arrays: Sequence[Any]

    def of(self, layer: int, low: int, high: int, channels: int, batch: int) -> np.ndarray:
        """Steps `low` to `high` of a layer: (B, high − low, channels), float32."""
        return np.asarray(self.arrays[layer], np.float32)[:, low:high]
