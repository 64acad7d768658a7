"""Tasks side by side, in processes that live no longer than the one that started them.

    parent                              worker, one of `jobs`
    start                ----------->   work = start(tell), once: loads what takes long
    a task               ----------->   work(task)
    hear(task, message)  <-----------   tell(message)
    (task, result)       <-----------   what work returned; then the next task

Workers are spawned: a fork would share locks of MLX's and BLAS' threads, which it lacks.
"""

import multiprocessing
import os
import signal
import sys
import threading
import traceback
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import connection, resource_tracker
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from mlx_rvc_cli.errors import TERMINATED, CommandError, describe

Task = TypeVar("Task")
Result = TypeVar("Result")
Tell = Callable[[Any], None]
"""Called in a worker with whatever the parent is to hear of the task; it is pickled."""

_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""Read by the libraries of matrix products when they are loaded; OpenBLAS takes the first it finds.

`mlx_fastops` takes as many threads as OpenBLAS is allowed.
"""

_PATIENCE = 30.0  # s until a worker that was told to end is killed


@dataclass(frozen=True)
class Died:
    """How a worker ended that nobody had told to; status as in `multiprocessing.Process.exitcode`.

    As text: "ended with signal 9".
    """

    status: int

    def __str__(self) -> str:
        if self.status < 0:
            return f"ended with signal {-self.status}"
        return f"ended with status {self.status}"


def side_by_side(
    tasks: Sequence[Task],
    start: Callable[[Tell], Callable[[Task], Result]],
    *,
    jobs: int,
    hear: Callable[[Task, Any], None] | None = None,
) -> Generator[tuple[Task, Result | Died], None, None]:
    """Do the tasks in `jobs` processes, no more than there are tasks; yields each as it ends.

    start: called once in each worker, to which it is sent as tasks and results are; each worker
    has its share of the threads that this process may use. hear: called here, with the task.

    A task whose worker dies yields `Died`, and another worker takes the next. They do not heed
    Ctrl-C, and end when this process has gone, or where the iterator is closed: SIGTERM unwinds
    their stacks. Raises CommandError where a worker dies before any has started, or `start` or the
    work raises a ValueError, OSError or MemoryError; RuntimeError where it raises anything else.
    The worker's traceback is a note of the error.
    """
    waiting = deque(tasks)
    jobs = min(jobs, len(waiting))
    with _Crew(start, max(_threads() // max(jobs, 1), 1)) as crew:
        while waiting or crew.busy:
            while waiting and len(crew.busy) < jobs:
                crew.employ(waiting.popleft())
            for worker, kind, content in crew.heard():
                task = worker.task
                if kind == "told":
                    if hear is not None:
                        hear(task, content)
                    continue
                if kind == "done" and waiting:
                    worker.give(waiting.popleft())
                else:
                    crew.dismiss(worker)
                yield task, content


class _Crew:
    """The workers of a run, all of them gone at its end."""

    def __init__(self, start: Callable[[Tell], Any], threads: int) -> None:
        self.busy: list[_Worker] = []
        self._start, self._threads = start, threads
        self._processes: list[BaseProcess] = []
        self._started = False

    def employ(self, task: Any) -> None:
        """Start a worker with its first task."""
        with _unbroken():
            worker = _Worker(self._start, self._threads)
            self._processes = [process for process in self._processes if process.is_alive()]
            self._processes.append(worker.process)
            self.busy.append(worker)
            worker.give(task)

    def dismiss(self, worker: "_Worker") -> None:
        """Let a worker go that has no task, or is dead."""
        worker.pipe.close()
        self.busy.remove(worker)

    def heard(self) -> "Iterator[tuple[_Worker, str, Any]]":
        """Wait for what workers say of their tasks: told, done, died."""
        ready = connection.wait([worker.pipe for worker in self.busy])
        for worker in [worker for worker in self.busy if worker.pipe in ready]:
            kind, content = worker.heard()
            if kind == "raised":
                raise _raised(*content)
            if kind == "warned":
                warnings.warn(content, stacklevel=2)
            elif kind == "started":
                self._started = True
            elif kind == "died" and not self._started:
                raise CommandError(
                    f"a worker process {content} before it could start; fewer jobs take less memory"
                )
            else:
                yield worker, kind, content

    def __enter__(self) -> "_Crew":
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.busy:
            worker.process.terminate()
            worker.pipe.close()  # ends it too, at its next word, where a library has caught SIGTERM
        for process in self._processes:
            process.join(_PATIENCE)
            process.kill()


class _Worker:
    """A worker as its parent knows it."""

    def __init__(self, start: Callable[[Tell], Any], threads: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, start), daemon=True)
        self.task: Any = None
        with _inherited(threads):
            self.process.start()
        theirs.close()  # so that the pipe ends when the worker does

    def give(self, task: Any) -> None:
        self.task = task
        with suppress(BrokenPipeError):  # it has died, which is heard
            self.pipe.send(task)

    def heard(self) -> tuple[str, Any]:
        """What it says next, of which kind; that it has died, where it cannot say anything."""
        try:
            return self.pipe.recv()
        except (EOFError, OSError):
            self.process.join()
            return "died", Died(self.process.exitcode or 0)


def _raised(expected: bool, text: str, where: str) -> Exception:
    """An error as text: many exceptions cannot be sent."""
    error = CommandError(text) if expected else RuntimeError(text)
    error.add_note(f"in a worker process:\n{where}")
    return error


def _threads() -> int:
    """How many threads products of matrices may use in this process."""
    for name in _THREADS:
        limit = os.environ.get(name, "")
        if limit.isdecimal() and int(limit) > 0:
            return int(limit)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def _unbroken() -> Iterator[None]:
    """Ctrl-C and SIGTERM wait: one that is half started would print a traceback,
    and the crew could not end one that it does not know.

    To block them is not enough: another thread takes them, and their handlers run in this one.
    """
    if threading.current_thread() is not threading.main_thread():  # handlers do not run here
        yield
        return
    came: list[int] = []
    ending = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda it, _: came.append(it)) for number in ending}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        for number in came:
            signal.raise_signal(number)


@contextmanager
def _inherited(threads: int) -> Iterator[None]:
    """What a process has from its beginning: its share of threads, and deafness to Ctrl-C."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, str(threads)))
    blocked = None
    if hasattr(signal, "pthread_sigmask"):  # not on Windows
        resource_tracker.ensure_running()  # it starts with the first worker, and would unblock
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        if blocked is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


# --- in the worker --------------------------------------------------------------------------


def _serve(pipe: connection.Connection, start: Callable[[Tell], Any]) -> None:
    """Work until the parent has no more tasks, has gone, or says SIGTERM."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    one_at_a_time = threading.Lock()  # a thread of BLAS blocks may warn

    def say(kind: str, content: Any = None) -> None:
        with one_at_a_time:
            pipe.send((kind, content))

    def warned(message: Warning | str, *_: object, **__: object) -> None:
        say("warned", message)

    warnings.showwarning = warned
    with suppress(BrokenPipeError):  # the parent has gone
        try:
            work = start(lambda message: say("told", message))
            say("started")
            for task in _tasks(pipe):
                say("done", work(task))
        except Exception as error:
            expected = isinstance(error, ValueError | OSError | MemoryError)
            say("raised", (expected, describe(error), traceback.format_exc()))


def _tasks(pipe: connection.Connection) -> Iterator[Any]:
    while True:
        try:
            yield pipe.recv()
        except (EOFError, ConnectionResetError):
            return


def _end_with_parent() -> None:
    """Also in the middle of a task, and with what SIGTERM cleans up."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
