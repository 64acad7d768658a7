"""Blocks of work on a few threads, each with a BLAS of one thread.

OpenBLAS divides every product among its threads and makes them meet at its end. A convolution is
dozens of short products with copies and additions between them, which only one core does; and a
meeting is expensive when another program holds a core. So the blocks are divided instead, and
OpenBLAS is told to use one thread meanwhile. NumPy releases the interpreter lock in all of it.

Only the OpenBLAS inside NumPy's wheels can be told so. With any other BLAS the blocks run one
after the other and the library divides its products as it likes.
"""

import ctypes
import math
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from pathlib import Path

import numpy as np

Job = Callable[[], object]

# Below this many bytes of input and output a block is not worth another thread.
LEAST_BYTES = 1 << 17

_lock = threading.Lock()
_inside = threading.local()
_regions = 0  # parallel regions under way, in all threads
_threads_before = 1  # what OpenBLAS was set to before the first of them


@cache
def _openblas() -> tuple[Callable[[], int], Callable[[int], None]] | None:
    """Return the functions that get and set the threads of NumPy's own OpenBLAS, if it has one."""
    package = Path(np.__file__).parent
    folders = (package.parent / "numpy.libs", package / ".dylibs")
    for path in (path for folder in folders for path in folder.glob("*openblas*")):
        try:
            library = ctypes.CDLL(str(path))
        except OSError:
            continue
        for prefix, suffix in (("scipy_", "64_"), ("scipy_", ""), ("", "64_"), ("", "")):
            names = (f"{prefix}openblas_{verb}_num_threads{suffix}" for verb in ("get", "set"))
            get, put = (getattr(library, name, None) for name in names)
            if get is not None and put is not None:
                return get, put
    return None


@cache
def _pool(process: int, threads: int) -> ThreadPoolExecutor:
    """Return the helpers of this process (a forked child has none of its parent's threads)."""
    return ThreadPoolExecutor(threads, thread_name_prefix="mlx-fastops")


def thread_count() -> int:
    """Return how many blocks can run at once: the threads OpenBLAS is allowed, 1 if unknown."""
    openblas = _openblas()
    if openblas is None or getattr(_inside, "job", False):
        return 1
    with _lock:
        return _threads_before if _regions else openblas[0]()


def block_count(length: int, bytes_each: int, block_bytes: int) -> int:
    """Say into how many blocks to cut `length` items: as many for each thread, none too small."""
    threads = thread_count()
    total = length * bytes_each
    rounds = math.ceil(total / (block_bytes * threads))
    return max(1, min(rounds * threads, total // LEAST_BYTES, length))


def run(jobs: Iterable[Job]) -> None:
    """Run all jobs, which must not depend on each other, and return when the last is done."""
    waiting = deque(jobs)
    openblas = _openblas()
    threads = min(thread_count(), len(waiting))
    if threads <= 1 or openblas is None:
        for job in waiting:
            job()
        return
    with _one_thread_each(*openblas):
        pool = _pool(os.getpid(), threads - 1)
        helpers = [pool.submit(_work, waiting) for _ in range(threads - 1)]
        try:
            _work(waiting)
        finally:
            waiting.clear()  # after an error nobody starts another job
            errors = [helper.exception() for helper in helpers]
    for error in errors:
        if error is not None:
            raise error


def _work(waiting: deque[Job]) -> None:
    _inside.job = True
    try:
        while True:
            try:
                job = waiting.popleft()
            except IndexError:
                return
            job()
    finally:
        _inside.job = False


def one_blas_thread() -> AbstractContextManager[None]:
    """Keep OpenBLAS to one thread: for many products too small to be worth a meeting of two."""
    openblas = _openblas()
    return nullcontext() if openblas is None else _one_thread_each(*openblas)


@contextmanager
def _one_thread_each(get: Callable[[], int], put: Callable[[int], None]) -> Iterator[None]:
    """Set OpenBLAS to one thread until the last of all regions that overlap in time is left."""
    global _regions, _threads_before  # noqa: PLW0603 - one OpenBLAS, one count of its users
    with _lock:
        if _regions == 0:
            _threads_before = get()
            put(1)
        _regions += 1
    try:
        yield
    finally:
        with _lock:
            _regions -= 1
            if _regions == 0:
                put(_threads_before)
