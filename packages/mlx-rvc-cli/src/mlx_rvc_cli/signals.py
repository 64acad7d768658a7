"""Signals that end a command: the stack is unwound, so that nothing half-written is left."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from mlx_rvc_cli.errors import INTERRUPTED, TERMINATED


@contextmanager
def unwinding(program: str) -> Iterator[None]:
    """Let SIGTERM and the first Ctrl-C unwind the stack, so that temporary files are removed.

    A second Ctrl-C does not wait for that: it ends the process at once, without a traceback.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(*_: object) -> None:
        sys.exit(TERMINATED)

    def leave_now(*_: object) -> None:
        os.write(2, f"\n{program}: interrupted twice\n".encode())
        os._exit(INTERRUPTED)

    def interrupt(*_: object) -> None:
        signal.signal(signal.SIGINT, leave_now)
        raise KeyboardInterrupt

    interrupted = signal.getsignal(signal.SIGINT)
    heeded = interrupted is signal.default_int_handler  # in the background it is ignored
    before = signal.signal(signal.SIGTERM, leave)
    if heeded:
        signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        if heeded:
            signal.signal(signal.SIGINT, interrupted)
