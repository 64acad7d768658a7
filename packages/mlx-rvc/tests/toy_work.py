"""Work that a test gives to other processes, which import it from here."""

import os
import signal
import time
import warnings
from contextlib import suppress
from pathlib import Path


class OddError(ValueError):
    def __init__(self, one, other):
        super().__init__(f"{one} and {other}")


def until(path):
    """Wait for a file, or some other happening; a test that hangs says less than one that fails."""
    end = time.monotonic() + 60
    while not (path() if callable(path) else path.exists()):
        assert time.monotonic() < end, f"{path} did not happen"
        time.sleep(0.01)


def obedient(folder, tell):
    """Does what the task says in one word; returns it, and which process did it."""
    (folder / f"{os.getpid()}.worker").touch()

    def work(task):
        tell(("begun", os.getpid()))
        match task:
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "leave":
                os._exit(3)
            case "fail":
                raise KeyError("no such thing")
            case "fail oddly":
                raise OddError("this", "that")
            case "warn":
                warnings.warn("beware", UserWarning, stacklevel=1)
            case "wait for the others":
                until(folder / "c")
            case "wait":
                _wait(folder)
            case "wait and catch":
                with suppress(SystemExit):
                    _wait(folder)
            case name:
                (folder / name).touch()
        return task, os.getpid()

    return work


def _wait(folder):
    """Wait for ever, and clean up when that is ended."""
    try:
        (folder / "waiting").touch()
        time.sleep(60)
    finally:
        (folder / "waiting").unlink()


def inherited(tell):
    """The threads of the process, and whether Ctrl-C was kept from it before it could heed it."""
    deaf = signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])
    return lambda task: (os.environ["OPENBLAS_NUM_THREADS"], deaf)


def refusing(tell):
    raise ValueError("the voice is none")


def dying(tell):
    os.kill(os.getpid(), signal.SIGKILL)


def copying(tell):
    """Convert: copies; fails for b.wav, dies for d.wav."""

    def convert(source, output):
        tell(0.5)
        if source.name == "b.wav":
            raise ValueError("b is\nno audio")
        if source.name == "d.wav":
            os.kill(os.getpid(), signal.SIGKILL)
        output.write_bytes(Path(source).read_bytes())
        return {"seconds": 1.0}

    return convert
