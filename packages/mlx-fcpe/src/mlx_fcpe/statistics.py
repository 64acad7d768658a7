"""Mean and variance over a whole recording, gathered block by block.

torch's GroupNorm, as it stands in FCPE's input stack, takes them over all frames of a recording
and the channels of a group. Sums in float64 give what one pass gives, whatever the blocks.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import mlx_fastops as fastops

EPS = 1e-5  # torch's


class GroupStatistics:
    """Sums of a (B, T, C) array whose channels form groups of neighbours."""

    def __init__(self, batch: int, groups: int):
        """Nothing is counted yet."""
        self._sum = np.zeros((batch, groups))
        self._squares = np.zeros((batch, groups))
        self._count = 0  # numbers in each group of one clip

    def add(self, x: Any) -> None:
        """Count the frames of x (B, T, C)."""
        batch, groups = self._sum.shape
        values = fastops.to_numpy(x).astype(np.float64)
        values = values.reshape(batch, values.shape[1], groups, -1)
        self._sum += values.sum(axis=(1, 3))
        self._squares += np.einsum("btgc,btgc->bg", values, values)
        self._count += values.shape[1] * values.shape[3]

    def scale_and_shift(
        self, weight: np.ndarray, bias: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The normalisation with weight and bias (C,) as one scale and one shift, (B, 1, C)."""
        mean = self._sum / self._count
        variance = np.maximum(self._squares / self._count - mean**2, 0.0)
        width = len(weight) // mean.shape[1]
        deviation = np.repeat(np.sqrt(variance + EPS), width, axis=1)  # (B, C)
        scale = weight.astype(np.float64) / deviation
        shift = bias.astype(np.float64) - np.repeat(mean, width, axis=1) * scale
        return scale[:, None].astype(np.float32), shift[:, None].astype(np.float32)
