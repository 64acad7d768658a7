"""The two kinds of arrays the network is written for: MLX's on a GPU, NumPy's on a CPU.

On a CPU `mlx_fastops.native` hands out NumPy arrays, because NumPy's BLAS is many times faster
there than MLX's ops.
"""

from typing import Any, TypeAlias

import mlx.core as mx
import numpy as np

# mx.array or np.ndarray, the same kind out as in. A type checker cannot follow "one or the other,
# but always the same" through a network of modules.
Array: TypeAlias = Any


def join(parts: list[Array], axis: int) -> Array:
    """Concatenate arrays of one kind; a single one is returned as it is."""
    if len(parts) == 1:
        return parts[0]
    library = np if isinstance(parts[0], np.ndarray) else mx
    return library.concatenate(parts, axis=axis)
