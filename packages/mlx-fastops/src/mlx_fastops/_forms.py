"""Which form an operation takes on the MLX path where it has two: MLX's own op, or a lowered one.

What `warmup` has measured for this device decides; MLX's own op runs where nothing was measured.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
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
    return "lowered" if _choices.known().get(signature.key) == "lowered" else "native"


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
