"""How long a side takes."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def timed(run: Callable[[], T], *, warm: bool = True) -> tuple[T, float]:
    """What `run` gives, and the seconds of its second run: the first loads, compiles, allocates.

    `run` must end with the work done (MLX is lazy): return NumPy arrays. warm: False for one run,
    where the time does not matter.
    """
    if warm:
        run()
    start = time.perf_counter()
    result = run()
    return result, time.perf_counter() - start
