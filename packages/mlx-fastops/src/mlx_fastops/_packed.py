"""Weights rearranged for BLAS, kept as long as the weight they were made from.

Most weights are used as they lie in memory. Where a path needs another order or precision, the
copy is kept per mx.array. A NumPy weight may change in place without notice, so its copy is made
at every call.
"""

import weakref
from collections.abc import Callable
from dataclasses import dataclass, field

import mlx.core as mx
import numpy as np
from numpy.typing import DTypeLike

from mlx_fastops._arrays import Array, view


@dataclass
class _Entry:
    owner: weakref.ref
    memory: np.ndarray  # keeps the memory alive, so that its address names this content only
    made: dict[str, np.ndarray] = field(default_factory=dict)


_entries: dict[int, _Entry] = {}


def _memory(weight: mx.array) -> np.ndarray:
    return view(weight.view(mx.uint16) if weight.dtype == mx.bfloat16 else weight)


def _entry(weight: mx.array) -> _Entry:
    key = id(weight)
    memory = _memory(weight)
    entry = _entries.get(key)
    if (
        entry is not None
        and entry.owner() is weight
        and entry.memory.__array_interface__ == memory.__array_interface__
    ):
        return entry

    def forget(owner: weakref.ref) -> None:
        # Only this owner's entry: a new array may already live under the same id.
        known = _entries.get(key)
        if known is not None and known.owner is owner:
            del _entries[key]

    entry = _Entry(weakref.ref(weight, forget), memory)
    _entries[key] = entry
    return entry


def packed(weight: Array, how: str, make: Callable[[], np.ndarray]) -> np.ndarray:
    """Return make(), kept under the name `how` while the mx.array `weight` lives unchanged."""
    if not isinstance(weight, mx.array):
        return make()
    made = _entry(weight).made
    if how not in made:
        made[how] = make()
    return made[how]


def compute_view(array: Array, dtype: DTypeLike) -> np.ndarray:
    """Return a view in the dtype that is computed in; half precision is widened by a copy."""
    result = view(array)
    return result if result.dtype == dtype else result.astype(dtype)
