"""One operation, two paths: the common part of every function that has both."""

from collections.abc import Callable, Sequence
from typing import Any

import mlx.core as mx
import numpy as np

from mlx_fastops._arrays import Array, is_traced, to_mlx, view
from mlx_fastops._backend import forced_backend, selected_backend
from mlx_fastops._packed import compute_view

FLOATS = {"float16", "bfloat16", "float32", "float64"}


def dtype_name(array: Array) -> str:
    """Return "float32" for both kinds of float32 array, and so on."""
    return str(array.dtype).removeprefix("mlx.core.")


def check_arrays(operation: str, arrays: dict[str, Any]) -> None:
    """Raise ValueError unless every array given is a floating-point array of a known kind."""
    for name, array in arrays.items():
        if array is None:
            continue
        if not isinstance(array, mx.array | np.ndarray):
            raise ValueError(
                f"{operation}: {name} is {type(array).__name__}; expected mx.array or numpy.ndarray"
            )
        if dtype_name(array) not in FLOATS:
            raise ValueError(
                f"{operation}: {name} has dtype {dtype_name(array)}; "
                "expected a floating-point array: convert it first, for example to float32"
            )


def result_dtype(arrays: Sequence[Array]) -> str:
    """Return the dtype both paths return: one shared by all, else float32 (or float64)."""
    names = {dtype_name(array) for array in arrays}
    if len(names) == 1:
        return names.pop()
    return "float64" if "float64" in names else "float32"


def dispatch(
    operation: str,
    arrays: Sequence[Array | None],
    mlx_op: Callable[..., mx.array],
    blas_op: Callable[..., np.ndarray],
    backend: str | None,
) -> Any:
    """Run the operation on the path chosen for its first array and return that array's kind.

    `mlx_op` gets the arrays as mx.array, `blas_op` as NumPy views in float32 (float64 if any is
    float64), and both get None where there is none.
    """
    given = [array for array in arrays if array is not None]
    dtype = result_dtype(given)
    numpy_in = isinstance(arrays[0], np.ndarray)
    backend = forced_backend(backend) or ("blas" if numpy_in else selected_backend())
    traced = backend == "blas" and any(is_traced(array) for array in given)
    if traced and numpy_in:
        raise ValueError(
            f"{operation}: a weight is followed by an MLX transformation (compile, vmap or grad) "
            "and the input is a NumPy array, which takes no part in it; pass an mx.array "
            "(mlx_fastops.to_mlx) or run the block under use_backend('mlx')"
        )
    if backend == "mlx" or traced:
        y = mlx_op(*(None if array is None else to_mlx(array) for array in arrays))
        return view(y.astype(getattr(mx, dtype))) if numpy_in else y
    compute = np.float64 if dtype == "float64" else np.float32
    y = blas_op(*(None if array is None else compute_view(array, compute) for array in arrays))
    if numpy_in:
        return y.astype("float32" if dtype == "bfloat16" else dtype, copy=False)
    return mx.array(y).astype(getattr(mx, dtype))
