"""`warmup`: time both forms of every operation that a program uses, once, and remember the faster.

The program runs once while the signatures of its operations are noted. Then both forms of each new
one are timed on random numbers, the operations with most work first, until the time is spent; what
is left over runs MLX's own op and is measured at the next warm-up.
"""

import time
from collections.abc import Callable
from typing import Any

import mlx.core as mx
import numpy as np

from mlx_fastops import _choices, _lowered, _mlx_conv
from mlx_fastops._backend import selected_backend
from mlx_fastops._compiled import use_compilation
from mlx_fastops._forms import Form, Signature, recorded, tuning_allowed, use_form
from mlx_fastops._geometry import Geometry, conv_geometry

ROUNDS = 5  # timed runs of each form, in turn; the shortest counts
MARGIN = 0.9  # of the native time that the lowered form must stay under: noise decides nothing
LARGEST_INPUT = 1 << 24  # numbers: longer inputs are measured at this size
TOLERANCE = {"float32": 1e-3, "float16": 2e-2, "bfloat16": 1e-1}  # of the largest output


def warmup(run: Callable[[], object], *, seconds: float = 10.0) -> dict[str, str]:
    """Run a program once, then choose the faster form of each operation it used on the MLX path.

    Args:
        run: does what the program will do, on inputs of a typical size.
        seconds: bound of the time for measuring (not of `run`); what is left over waits for the
            next call.

    Returns:
        The new choices, signature to "native" or "lowered"; empty where the BLAS path runs, where
        all is known already or where MLX_FASTOPS_TUNING is "off". They are heeded at once by
        all threads, and kept in the user's cache per device and version.

    Raises:
        ValueError: `seconds` is negative, or what `run` raises.
    """
    if not seconds >= 0:
        raise ValueError(f"warmup: seconds is {seconds}; expected 0 or more")
    if selected_backend() != "mlx" or not tuning_allowed():
        _finish(run())
        return {}
    with recorded() as seen, use_compilation(False):
        _finish(run())
    known = _choices.known()
    new = sorted((s for s in seen if s.key not in known), key=lambda s: -seen[s] * work(s))
    chosen: dict[str, str] = {}
    deadline = time.perf_counter() + seconds
    for signature in new:
        form = _faster(signature, deadline)
        if form is not None:
            chosen[signature.key] = form
    if chosen:
        _choices.remember(chosen)
    return chosen


def work(s: Signature) -> int:
    """Count the multiplications of an operation."""
    frames = s.length if s.operation == "conv_transpose1d" else max(1, s.length // s.stride)
    return s.batch * frames * s.taps * s.inputs * s.outputs // s.groups


def _faster(s: Signature, deadline: float) -> Form | None:
    """Return the faster form, None if the time is spent before that is known."""
    frames = s.length
    largest = max(LARGEST_INPUT // (s.batch * s.inputs), s.dilation * (s.taps - 1) + 1, 1)
    remaining = deadline - time.perf_counter()
    if remaining <= 0:
        return None
    # A short input first: it loads the kernels and tells whether a long one can be afforded.
    probe = max(min(frames, largest) // 16, s.dilation * (s.taps - 1) + 1)
    cost = _probe(s, probe)
    if cost is None:
        return "native"
    affordable = int(probe * remaining / (4 * ROUNDS * max(cost, 1e-9)))
    frames = min(frames, largest)
    if affordable < frames // 8:
        return None
    frames = max(min(frames, affordable), probe)
    return _measure(s, frames, deadline)


def _probe(s: Signature, frames: int) -> float | None:
    """Seconds of both forms on a short input; None if the lowered form fails or differs."""
    x, weight, g = _case(s, frames)
    try:
        results = [_run(s, form, x, weight, g) for form in ("native", "lowered")]
    except (ValueError, RuntimeError):  # no memory for it, or a view that a backend refuses
        return None
    scale = mx.maximum(mx.abs(results[0]).max(), 1e-6)
    error = mx.abs(results[0] - results[1]).max() / scale
    if not float(np.array(error.astype(mx.float32))) <= TOLERANCE.get(s.dtype, 1e-3):
        return None
    start = time.perf_counter()
    for form in ("native", "lowered"):
        _run(s, form, x, weight, g)
    return time.perf_counter() - start


def _measure(s: Signature, frames: int, deadline: float) -> Form | None:
    x, weight, g = _case(s, frames)
    best: dict[Form, float] = {}
    forms: tuple[Form, Form] = ("native", "lowered")
    try:
        for form in forms:
            _run(s, form, x, weight, g)
        for _ in range(ROUNDS):
            if best and time.perf_counter() > deadline:
                break
            for form in forms:
                start = time.perf_counter()
                _run(s, form, x, weight, g)
                best[form] = min(best.get(form, float("inf")), time.perf_counter() - start)
    except (ValueError, RuntimeError):
        return "native"
    return "lowered" if best["lowered"] < MARGIN * best["native"] else "native"


def _case(s: Signature, frames: int) -> tuple[mx.array, mx.array, Geometry]:
    """Random input and weight of a signature, and the geometry with "same" padding."""
    dtype = getattr(mx, s.dtype)
    keys = mx.random.split(mx.random.key(0))  # its own key: the program's random state is not ours
    x = mx.random.normal((s.batch, frames, s.inputs), key=keys[0]).astype(dtype)
    weight = mx.random.normal((s.outputs, s.taps, s.inputs // s.groups), key=keys[1]).astype(dtype)
    mx.eval(x, weight)
    transposed = s.operation == "conv_transpose1d"
    span = s.dilation * (s.taps - 1) + 1
    g = conv_geometry(
        s.operation,
        x,
        weight,
        None,
        stride=s.stride,
        padding=max(0, span - s.stride) // 2,
        dilation=s.dilation,
        groups=s.groups,
        output_padding=0 if transposed else None,
    )
    return x, weight, g


def _run(s: Signature, form: Form, x: mx.array, weight: mx.array, g: Geometry) -> mx.array:
    if form == "lowered":
        lowered = _lowered.conv1d if s.operation == "conv1d" else _lowered.conv_transpose1d
        y = lowered(x, weight, None, g)
    else:
        native = _mlx_conv.conv1d if s.operation == "conv1d" else _mlx_conv.conv_transpose1d
        with use_form("native"):
            y = native(x, weight, None, g)
    mx.eval(y)
    return y


def _finish(result: Any) -> None:
    """Evaluate what a program returned: arrays, alone or in lists, tuples and dicts."""
    if isinstance(result, mx.array):
        mx.eval(result)
    elif isinstance(result, dict):
        for value in result.values():
            _finish(value)
    elif isinstance(result, list | tuple):
        for value in result:
            _finish(value)
