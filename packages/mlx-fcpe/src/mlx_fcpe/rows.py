"""Matrices in 16 bits: each row as integers and the size of one step.

    weight[i] = integers[i] * scale[i],   scale[i] = max |weight[i]| / 32767

The step is the same for small and large weights of a row. float16, as large, rounds the large ones
ten times as coarsely, and they make the output: with it F0 was up to 9.6 cents off.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

SCALE = ".scale"
_STEPS = 32767


def packed(name: str, weight: np.ndarray) -> dict[str, np.ndarray]:
    """`weight` (rows, ...) as int16 of its shape and, under another name, float32 (rows,)."""
    rows = weight.reshape(len(weight), -1).astype(np.float64)
    scale = (np.abs(rows).max(axis=1) / _STEPS).astype(np.float32)
    steps = np.round(rows / np.where(scale > 0, scale, 1)[:, None])
    integers = steps.clip(-_STEPS, _STEPS).astype(np.int16).reshape(weight.shape)
    return {name: integers, name + SCALE: scale}


def unpacked(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """The same tensors with every packed one as float32; all others are passed on."""
    out = dict(tensors)
    for name, integers in tensors.items():
        scale = tensors.get(f"{name}{SCALE}")
        if scale is not None and integers.dtype == np.int16 and scale.shape == (len(integers),):
            rows = scale.reshape(-1, *(1,) * (integers.ndim - 1))
            out[name] = integers.astype(np.float32) * rows
            del out[f"{name}{SCALE}"]
    return out
