"""`Bucketed`: a function over time, compiled once per bucket of lengths instead of once per length.

mx.compile traces again for every new shape. Lengths are therefore rounded up to one of eight sizes
an octave, arrays padded with zeros at the end of the time axis, and the function is told which
frames are real, so that it can keep the others from reaching them:

    100 frames -> 104:   x . x . x . 0 0     mask  1 1 1 0 0     outputs beyond 100 are cut off
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import mlx.core as mx

from mlx_fastops import _choices
from mlx_fastops._backend import selected_backend
from mlx_fastops._forms import forced_form

SHORTEST = 32  # frames; shorter inputs share one bucket

# Two threads may meet a new shape at once; building a graph is short, evaluating it not in here.
_building = threading.RLock()

_chosen: ContextVar[bool | None] = ContextVar("mlx_fastops_compile", default=None)


def bucket(frames: int) -> int:
    """Round a length up to 32, 36 ... 64, 72 ...: eight sizes an octave, at most 12.5 % more.

    The numbers 1 to 32 all give 32.
    """
    if frames <= SHORTEST:
        return SHORTEST
    step = 1 << ((frames - 1).bit_length() - 4)
    return -(-frames // step) * step


def compiles() -> bool:
    """Say whether `Bucketed` compiles now: on the MLX path of a GPU, unless chosen otherwise."""
    chosen = _chosen.get()
    if chosen is not None:
        return chosen and selected_backend() == "mlx"
    return selected_backend() == "mlx" and mx.default_device().type == mx.DeviceType.gpu


@contextmanager
def use_compilation(on: bool) -> Iterator[None]:
    """Compile whole stages, or do not, inside a `with` block, in this thread or task only.

    On MLX's CPU device compiling needs a C++ compiler; it is off there unless chosen by this.
    """
    token = _chosen.set(bool(on))
    try:
        yield
    finally:
        _chosen.reset(token)


class Compiled:
    """A function of MLX arrays, compiled once per shape of its arguments.

    Attributes:
        traces: how often the function was traced, which is how often it was compiled.
    """

    def __init__(self, function: Callable[..., Any], state: Any):
        """Wrap `function(*arrays, **options)`, made of MLX's ops alone.

        Args:
            function: returns an array or a tuple of arrays. Options are plain numbers, strings or
                None; each set of them is compiled by itself.
            state: the module, or whatever else holds the arrays it uses beside its arguments; they
                may be replaced later.
        """
        self.function = function
        self.state = state
        self.traces = 0
        self._compiled: dict[Any, Callable[..., Any]] = {}

    def __call__(self, *arrays: mx.array, **options: Any) -> Any:
        """Run on arrays as they are."""
        # What was compiled under other choices of forms must not run under these.
        now = (_choices.generation(), forced_form(), str(mx.default_device()))
        key = (*now, *sorted(options.items()))
        with _building:
            return self._current(key, options)(*arrays)

    def _current(self, key: tuple[Any, ...], options: dict[str, Any]) -> Callable[..., Any]:
        if key not in self._compiled:
            self._compiled = {k: f for k, f in self._compiled.items() if k[0] == key[0]}

            def traced(*arrays: mx.array) -> Any:
                self.traces += 1
                return self._run(*arrays, **options)

            self._compiled[key] = mx.compile(traced, inputs=self.state)
        return self._compiled[key]

    def _run(self, *arrays: mx.array, **options: Any) -> Any:
        return self.function(*arrays, **options)

    def __getstate__(self) -> dict[str, Any]:
        """What a copy keeps: all but what was compiled."""
        return {**self.__dict__, "_compiled": {}}


class Bucketed(Compiled):
    """A function over time, compiled once per bucket of lengths.

    It is called as `function(mask, *arrays, **options)`: `mask` is bool (frames,), true for real
    frames. The others hold zeros in the arrays; the function keeps them from reaching real ones.
    """

    def __init__(self, function: Callable[..., Any], state: Any, *, timed: int = 1):
        """Wrap a function; the first `timed` arrays have time as their second axis.

        That is one step a frame in the first array, in the others and in the outputs a whole number
        of steps. The arrays are padded and the outputs cut.
        """
        super().__init__(function, state)
        self.timed = timed

    def __call__(self, *arrays: mx.array, **options: Any) -> Any:
        """Run on arrays (B, frames * steps, ...) -> arrays of that many frames."""
        frames = arrays[0].shape[1]
        size = bucket(frames)
        padded = [_pad(array, frames, size) for array in arrays[: self.timed]]
        result = super().__call__(mx.array(frames), *padded, *arrays[self.timed :], **options)
        if isinstance(result, mx.array):
            return _cut(result, frames, size)
        return tuple(_cut(array, frames, size) for array in result)

    def _run(self, *arrays: mx.array, **options: Any) -> Any:
        frames, *others = arrays
        mask = mx.arange(others[0].shape[1]) < frames
        return self.function(mask, *others, **options)


def _pad(array: mx.array, frames: int, size: int) -> mx.array:
    if frames == size:
        return array
    steps = array.shape[1] // frames
    edges = [(0, 0)] * array.ndim
    edges[1] = (0, (size - frames) * steps)
    return mx.pad(array, edges)


def _cut(array: mx.array, frames: int, size: int) -> mx.array:
    return array if frames == size else array[:, : array.shape[1] // size * frames]
