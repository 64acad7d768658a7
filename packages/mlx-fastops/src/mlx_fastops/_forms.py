"""Which form an operation takes on the MLX path where it has two: MLX's own op, or a lowered one.

What `warmup` has measured for this device decides; MLX's own op runs where nothing was measured.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from math import log2
from typing import Literal, NamedTuple

from mlx_fastops import _choices

Form = Literal["native", "lowered"]
ENVIRONMENT_VARIABLE = "MLX_FASTOPS_TUNING"


class Signature(NamedTuple):
    """An operation as far as its speed depends on it; the length is rounded up to a power of 2."""

    operation: str
    inputs: int  # channels
    outputs: int
    taps: int
    stride: int
    dilation: int
    groups: int
    dtype: str
    length: int
    batch: int

    @property
    def key(self) -> str:
        """The name a choice is kept under."""
        return " ".join(map(str, self))


_forced: ContextVar[str | None] = ContextVar("mlx_fastops_form", default=None)
_recorder: ContextVar[dict[Signature, int] | None] = ContextVar("mlx_fastops_seen", default=None)


def tuning_allowed() -> bool:
    """Say whether measured choices are made and heeded: unless MLX_FASTOPS_TUNING is "off".

    Raises ValueError for any value other than "auto" and "off".
    """
    value = os.environ.get(ENVIRONMENT_VARIABLE) or "auto"
    if value not in ("auto", "off"):
        raise ValueError(f"{ENVIRONMENT_VARIABLE} is {value!r}; expected 'auto' or 'off'")
    return value == "auto"


def form_for(signature: Signature) -> Form:
    """Return the form that an operation takes now; notes the signature while `recorded` is on."""
    seen = _recorder.get()
    if seen is not None:
        seen[signature] = seen.get(signature, 0) + 1
    forced = _forced.get()
    if forced is not None:
        return "lowered" if forced == "lowered" else "native"
    if not tuning_allowed():
        return "native"
    return _measured(signature, _choices.place(), _choices.generation())


@lru_cache(maxsize=4096)
def _measured(signature: Signature, place: tuple[str, str], generation: int) -> Form:
    """The choice for a signature, else for the nearest length (then batch) that was measured."""
    known = _choices.known()
    form = known.get(signature.key)
    if form is None:
        near = [s for key in known if (s := _parsed(key)) is not None and s[:8] == signature[:8]]
        if near:
            nearest = min(near, key=lambda s: (*_distance(s, signature), s))
            form = known[nearest.key]
    return "lowered" if form == "lowered" else "native"


def _distance(a: Signature, b: Signature) -> tuple[float, float]:
    return abs(log2(a.length / b.length)), abs(log2(a.batch / b.batch))


def _parsed(key: str) -> Signature | None:
    try:
        operation, *sizes, dtype, length, batch = key.split(" ")
        s = Signature(operation, *map(int, sizes), dtype, int(length), int(batch))  # type: ignore[arg-type]
    except (ValueError, TypeError):
        return None
    return s if min(s.length, s.batch) > 0 else None


def forced_form() -> str | None:
    """Return the form that `use_form` forces now, None outside of it."""
    return _forced.get()


@contextmanager
def use_form(form: Literal["native", "lowered"]) -> Iterator[None]:
    """Force a form inside a `with` block, in this thread or task only, for whatever has both."""
    if form not in ("native", "lowered"):
        raise ValueError(f"use_form is {form!r}; expected 'native' or 'lowered'")
    token = _forced.set(form)
    try:
        yield
    finally:
        _forced.reset(token)


@contextmanager
def recorded() -> Iterator[dict[Signature, int]]:
    """Collect the signatures of what runs inside, with the number of calls; MLX's ops run."""
    seen: dict[Signature, int] = {}
    tokens = _recorder.set(seen), _forced.set("native")
    try:
        yield seen
    finally:
        _recorder.reset(tokens[0])
        _forced.reset(tokens[1])
