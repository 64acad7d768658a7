"""The GRU on a GPU: a few launches of a fused kernel where that is proved to work, else MLX's ops.

At first use per device and size the kernel runs a small random input and is compared with MLX's
ops on the CPU. If it fails or differs, a warning says so once and MLX's ops run from then on.
"""

import os
import threading
import warnings
from collections.abc import Sequence
from typing import NamedTuple

import mlx.core as mx

from mlx_fastops import _gru_kernel, _mlx_gru

ENVIRONMENT_VARIABLE = "MLX_FASTOPS_FUSED_GRU"
# A launch must end long before a GPU's watchdog, and let others draw meanwhile: some 20 ms.
STEPS_PER_LAUNCH = 1024
TOLERANCE = 1e-4


class Cell(NamedTuple):
    """One direction of a GRU: `gru`'s weights, its first state and the way it runs."""

    w_ih: mx.array
    w_hh: mx.array
    b: mx.array | None
    bhn: mx.array | None
    h0: mx.array | None
    reverse: bool


_lock = threading.Lock()
_checked: dict[tuple[str, int, int], bool] = {}
_failed: set[str] = set()
_launch: _gru_kernel.Launch | None = None


def gru(x: mx.array, cells: Sequence[Cell]) -> list[mx.array]:
    """Run x (B, T, I) through cells of one size -> the states of each, (B, T, H)."""
    hidden = cells[0].w_hh.shape[1]
    arrays = [x, *_arrays(cells)]
    if x.size and _wanted(hidden, arrays) and not _followed(*arrays):
        launch = _proved(hidden, len(cells))
        if launch is not None:
            states = _launched(_gates(x, cells), cells, launch)
            return [state.astype(x.dtype) for state in states]
    return _plain(x, cells)


def _plain(x: mx.array, cells: Sequence[Cell]) -> list[mx.array]:
    return [_mlx_gru.gru(x, *cell[:5], reverse=cell.reverse) for cell in cells]


def _wanted(hidden: int, arrays: Sequence[mx.array]) -> bool:
    allowed = os.environ.get(ENVIRONMENT_VARIABLE) or "auto"
    if allowed not in ("auto", "off"):
        raise ValueError(f"{ENVIRONMENT_VARIABLE} is {allowed!r}; expected 'auto' or 'off'")
    return (
        allowed == "auto"
        and hidden <= _gru_kernel.MOST_THREADS
        and mx.default_device().type == mx.DeviceType.gpu
        and arrays[0].dtype in (mx.float32, mx.float16, mx.bfloat16)  # computed in float32
        and len({array.dtype for array in arrays}) == 1
    )


def _arrays(cells: Sequence[Cell]) -> list[mx.array]:
    return [array for cell in cells for array in cell[:5] if array is not None]


def _followed(*arrays: mx.array) -> bool:
    """Say whether compile, vmap or grad follows an array: none can look into a kernel.

    All of them refuse to have their arrays evaluated early. Others start to be; nobody waits.
    """
    try:
        mx.async_eval(*arrays)
    except ValueError as error:
        if "transformation" in str(error):
            return True
        raise
    return False


def _proved(hidden: int, directions: int) -> _gru_kernel.Launch | None:
    """The kernel, if it works on this device for this size."""
    global _launch  # noqa: PLW0603
    device = str(mx.default_device())
    key = (device, hidden, directions)
    with _lock:
        if device in _failed:
            return None
        if key not in _checked:
            try:
                _launch = _launch or _gru_kernel.gpu_launch()
                error = _self_check(_launch, hidden, directions)
                trouble = None if error <= TOLERANCE else f"its error is {error:.1e}"
            except (ValueError, RuntimeError, TypeError) as problem:
                lines = str(problem).splitlines() or [type(problem).__name__]
                trouble = f"it failed ({lines[0]})"
            _checked[key] = trouble is None
            if trouble is not None:
                _failed.add(device)
                warnings.warn(
                    f"the fused GRU kernel is not used on {device} with {hidden} units: {trouble}; "
                    f"MLX's ops run instead, slower ({ENVIRONMENT_VARIABLE}=off skips this check)",
                    RuntimeWarning,
                    stacklevel=2,
                )
                return None
        return _launch


def _self_check(launch: _gru_kernel.Launch, hidden: int, directions: int) -> float:
    """Largest error of the kernel on a small random input, seams between launches included."""
    keys = iter(mx.random.split(mx.random.key(0), 1 + 5 * directions))

    def normal(*shape: int) -> mx.array:
        return mx.random.normal(shape, key=next(keys))

    with mx.stream(mx.cpu):  # exact float32: a GPU may round the reference's products
        x = normal(2, 7, 3)
        cells = [
            Cell(
                normal(3 * hidden, 3),
                normal(3 * hidden, hidden) * hidden**-0.5,
                normal(3 * hidden),
                normal(hidden),
                normal(2, hidden) * 0.5,
                reverse=direction == 1,
            )
            for direction in range(directions)
        ]
        expected = _plain(x, cells)
        gates = _gates(x, cells)
        mx.eval(expected, gates, _arrays(cells))
    found = _launched(gates, cells, launch, steps_per_launch=4)
    mx.eval(found)
    with mx.stream(mx.cpu):
        errors = [mx.abs(a - b).max() for a, b in zip(found, expected, strict=True)]
        largest = float(mx.stack(errors).max().item())  # type: ignore[arg-type]
    return largest if largest == largest else float("inf")  # NaN is no agreement  # noqa: PLR0124


def _gates(x: mx.array, cells: Sequence[Cell]) -> mx.array:
    """The products with the input of all frames and directions (B, T, D, 3H), as one matmul."""
    weight = mx.concatenate([cell.w_ih for cell in cells])  # (3H D, I)
    biases = [mx.zeros(c.w_ih.shape[:1], x.dtype) if c.b is None else c.b for c in cells]
    gates = mx.addmm(mx.concatenate(biases), x, weight.T)
    return gates.reshape(*x.shape[:2], len(cells), -1).astype(mx.float32)


def _launched(
    gates: mx.array,
    cells: Sequence[Cell],
    launch: _gru_kernel.Launch,
    *,
    steps_per_launch: int | None = None,
) -> list[mx.array]:
    """All states by the kernel, at most `steps_per_launch` steps at a time."""
    batch, frames = gates.shape[:2]
    hidden = cells[0].w_hh.shape[1]
    zeros = mx.zeros((batch, hidden), mx.float32)
    u = mx.stack([cell.w_hh.T.astype(mx.float32) for cell in cells])  # (D, H, 3H)
    bhn = mx.stack([zeros[0] if c.bhn is None else c.bhn.astype(mx.float32) for c in cells])
    h = mx.stack([zeros if c.h0 is None else c.h0.astype(mx.float32) for c in cells])
    ways = [int(cell.reverse) for cell in cells]
    most = steps_per_launch or STEPS_PER_LAUNCH
    parts: list[mx.array] = []
    for start in range(0, frames, most):
        steps = min(most, frames - start)
        out, h = launch(gates, u, bhn, h, [batch, frames, start, steps, *ways])
        parts.append(out)  # (D, B, steps, H)
    states = []
    for i, cell in enumerate(cells):
        own = [part[i] for part in (reversed(parts) if cell.reverse else parts)]
        states.append(own[0] if len(own) == 1 else mx.concatenate(own, axis=1))
    return states
