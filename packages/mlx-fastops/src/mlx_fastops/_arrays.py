"""Crossing between MLX and NumPy: views without copies, and the detection of transformations.

NumPy sees the memory of an evaluated mx.array without a copy (a read-only view here: an mx.array
never changes under its other owners). The way back is one copy.

Inside mx.compile, mx.vmap, mx.grad and their kin an array is only a trace of a computation. NumPy
would drop out of that trace: under mx.grad the gradient would silently be zero. `is_traced` finds
such arrays, and callers then stay with MLX's ops.
"""

import io
from typing import TypeAlias, TypeVar

import mlx.core as mx
import numpy as np

from mlx_fastops._backend import selected_backend

Array: TypeAlias = mx.array | np.ndarray
A = TypeVar("A", mx.array, np.ndarray)


def _has_graph(array: mx.array) -> bool:
    text = io.StringIO()
    mx.export_to_dot(text, array)
    return "label" in text.getvalue()


def is_traced(array: Array | None) -> bool:
    """Say whether an array is being followed by compile, vmap, grad, vjp or jvp (evaluates it).

    compile and vmap refuse to evaluate their arrays. grad evaluates them but keeps the graph that
    led to them, which is dropped for every other array: that graph is what is looked for.
    """
    if not isinstance(array, mx.array):
        return False
    try:
        mx.eval(array)
    except ValueError as error:
        if "transformation" in str(error):
            return True
        raise
    if not _has_graph(array):
        return False
    # A leftover of an earlier gradient may still hold its graph; what is derived from it does not.
    probe = mx.expand_dims(array, 0)
    mx.eval(probe)
    return _has_graph(probe)


def view(array: Array) -> np.ndarray:
    """Return a NumPy view of an array that is not traced (bfloat16: a float32 copy)."""
    if isinstance(array, np.ndarray):
        return array
    if array.dtype == mx.bfloat16:
        array = array.astype(mx.float32)
    # A new handle on the same memory: were the caller to write `x += 1`, x would move to other
    # memory and this view would keep what it was made of.
    result = np.asarray(array.reshape(array.shape))
    result.flags.writeable = False
    return result


def native(x: Array) -> Array:
    """Return x as the kind of array the selected backend works on, without a copy.

    On "blas" a read-only NumPy view of the evaluated array, on "mlx" an mx.array. A hot block is
    then written once: operators, slices and this package's functions work on both. An array that
    a transformation (compile, vmap, grad) follows stays an mx.array.
    """
    if selected_backend() == "mlx":
        return to_mlx(x)
    if isinstance(x, np.ndarray):
        return x
    if not isinstance(x, mx.array):
        raise ValueError(f"native: found {type(x).__name__}; expected mx.array or numpy.ndarray")
    return x if is_traced(x) else view(x)


def to_mlx(x: Array) -> mx.array:
    """Return x as an mx.array (a copy if it was a NumPy array)."""
    return x if isinstance(x, mx.array) else mx.array(x)


def to_numpy(x: Array) -> np.ndarray:
    """Return x as a NumPy array: a read-only view of an mx.array (bfloat16: a float32 copy)."""
    if is_traced(x):
        raise ValueError(
            "to_numpy: the array is followed by an MLX transformation (compile, vmap or grad), "
            "which NumPy would leave; keep it an mx.array"
        )
    return view(x)
