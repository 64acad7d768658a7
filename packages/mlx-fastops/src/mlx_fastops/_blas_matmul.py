"""Matrix products on operands that BLAS accepts as they lie."""

from functools import partial

import numpy as np

from mlx_fastops._parallel import run


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
    """Return x (..., I) @ weight (O, I) transposed, plus bias: one product for all rows."""
    rows = _ready(x.reshape(-1, x.shape[-1]))
    y = np.matmul(rows, _ready(weight).T)
    if bias is not None:
        y += bias
    return y.reshape(*x.shape[:-1], weight.shape[0])
