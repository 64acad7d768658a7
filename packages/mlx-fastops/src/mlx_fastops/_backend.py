"""Which path an operation takes: MLX's own op, or NumPy's BLAS over views of the same memory."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

import mlx.core as mx

Backend = Literal["mlx", "blas"]
ENVIRONMENT_VARIABLE = "MLX_FASTOPS_BACKEND"

# A context variable, so that a choice made in one thread or task is not seen by another.
_chosen: ContextVar[str | None] = ContextVar("mlx_fastops_backend", default=None)


def forced_backend(backend: str | None = None) -> Backend | None:
    """Return the backend somebody asked for (argument, context, environment), None if nobody did.

    Raises ValueError for any name other than "mlx", "blas" and "auto".
    """
    for name, source in (
        (backend, "backend"),
        (_chosen.get(), "use_backend"),
        (os.environ.get(ENVIRONMENT_VARIABLE) or None, ENVIRONMENT_VARIABLE),
    ):
        if name is None:
            continue
        if name == "mlx":
            return "mlx"
        if name == "blas":
            return "blas"
        if name == "auto":
            return None
        raise ValueError(f"{source} is {name!r}; expected 'auto', 'mlx' or 'blas'")
    return None


def selected_backend(backend: str | None = None) -> Backend:
    """Return the backend an mx.array takes now: "mlx" on a GPU, "blas" on the CPU, unless forced.

    The first of these that says something decides: the argument, `use_backend`, the environment
    variable MLX_FASTOPS_BACKEND, MLX's default device. Each may also say "auto", which leaves
    the decision to the device.
    """
    forced = forced_backend(backend)
    if forced is not None:
        return forced
    return "mlx" if mx.default_device().type == mx.DeviceType.gpu else "blas"


@contextmanager
def use_backend(backend: Literal["auto", "mlx", "blas"]) -> Iterator[None]:
    """Force "mlx" or "blas" inside a `with` block, in this thread or task only."""
    if backend not in ("auto", "mlx", "blas"):
        raise ValueError(f"use_backend is {backend!r}; expected 'auto', 'mlx' or 'blas'")
    token = _chosen.set(backend)
    try:
        yield
    finally:
        _chosen.reset(token)
