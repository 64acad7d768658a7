"""Matrix products on operands that BLAS accepts as they lie."""

import numpy as np


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
    return np.matmul(_ready(a), _ready(b))


def linear(x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None) -> np.ndarray:
    """Return x (..., I) @ weight (O, I) transposed, plus bias: one product for all rows."""
    rows = _ready(x.reshape(-1, x.shape[-1]))
    y = np.matmul(rows, _ready(weight).T)
    if bias is not None:
        y += bias
    return y.reshape(*x.shape[:-1], weight.shape[0])
