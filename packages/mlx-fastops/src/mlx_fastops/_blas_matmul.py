"""Matrix products on operands that BLAS accepts as they lie."""

from functools import partial
from itertools import pairwise

import numpy as np

from mlx_fastops._parallel import block_count, run

# Bytes of a linear layer's input and output per block: BLAS copies the factor that all blocks
# share for each of them, which large blocks make cheap.
BLOCK_BYTES = 8 << 20


def _ready(a: np.ndarray) -> np.ndarray:
    """Return a with rows or columns contiguous: NumPy multiplies anything else without BLAS."""
    if a.ndim < 2:
        return a
    rows, columns = a.strides[-2:]
    item, (n, m) = a.itemsize, a.shape[-2:]
    if (columns == item and rows >= m * item) or (rows == item and columns >= n * item):
        return a
    return np.ascontiguousarray(a)


def matmul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return a @ b with NumPy's rules for stacks of matrices."""
    a, b = _ready(a), _ready(b)
    if max(a.ndim, b.ndim) < 3 or min(a.ndim, b.ndim) < 2:
        return np.matmul(a, b)
    stack = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a = np.broadcast_to(a, stack + a.shape[-2:])
    b = np.broadcast_to(b, stack + b.shape[-2:])
    y = np.empty((*stack, a.shape[-2], b.shape[-1]), a.dtype)
    run(partial(np.matmul, a[i], b[i], out=y[i]) for i in np.ndindex(stack))
    return y


def linear(x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None) -> np.ndarray:
    """Return x (..., I) @ weight (O, I) transposed, plus bias.

    Threads share the rows, or the outputs where these are more.
    """
    rows, weight = _ready(x.reshape(-1, x.shape[-1])), _ready(weight)
    y = np.empty((len(rows), len(weight)), x.dtype)
    by_rows = len(rows) > len(weight)
    count = block_count(max(y.shape), rows.itemsize * (rows.shape[1] + min(y.shape)), BLOCK_BYTES)
    bounds = [max(y.shape) * i // count for i in range(count + 1)]
    everything = slice(None)

    def block(some: slice, outputs: slice) -> None:
        out = y[some, outputs]
        np.matmul(rows[some], weight[outputs].T, out=out)
        if bias is not None:
            out += bias[outputs]

    cuts = [slice(*pair) for pair in pairwise(bounds)]
    run(
        partial(block, cut, everything) if by_rows else partial(block, everything, cut)
        for cut in cuts
    )
    return y.reshape(*x.shape[:-1], weight.shape[0])
