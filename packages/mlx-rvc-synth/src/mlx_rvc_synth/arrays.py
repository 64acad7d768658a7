"""Which array library an array belongs to.

The model is written once for both: MLX arrays on Metal and CUDA, NumPy views on a CPU, where
`mlx_fastops.native` hands them out because NumPy's BLAS is many times faster there.
"""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np

# mx.array or np.ndarray, the same kind out as in. A union would not do: mlx_fastops declares "one
# kind or the other", which a type checker cannot follow through a network written for both.
Array = Any


def library(x: Any) -> Any:
    """`numpy` for a NumPy array, `mlx.core` otherwise: the functions used here agree in both."""
    return np if isinstance(x, np.ndarray) else mx


def alike(values: Any, x: Any) -> Any:
    """`values` (array or parameter) as the same kind of array as `x`, without a copy to NumPy."""
    if isinstance(x, np.ndarray):
        return np.asarray(values)
    return values if isinstance(values, mx.array) else mx.array(values)


def within(x: Any, mask: Any) -> Any:
    """`x` (B, T, C) with zeros outside `mask` (T,), which is what a convolution pads with."""
    return x if mask is None else library(x).where(mask[:, None], x, 0)
