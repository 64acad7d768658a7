"""What a reader may do to the world: an audit hook that notes everything else, and the caps."""

import gc
import os
import resource
import sys
import sysconfig
import threading
from pathlib import Path
from typing import Any

SECONDS, BYTES = 5.0, 512 * 2**20
FORBIDDEN = (
    "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "os.kill",
    "os.killpg", "os.startfile", "os.chdir", "os.fchdir",
    "subprocess.", "pty.", "socket.", "ctypes.", "urllib.", "http.", "ftplib.", "smtplib.",
    "webbrowser.", "pickle.find_class", "marshal.dump", "code.__new__", "function.__new__",
    "cpython.run_", "pdb.", "builtins.breakpoint", "sys.addaudithook", "sys.settrace",
    "sys.setprofile", "sqlite3.", "syslog.", "signal.", "setopencodehook", "sys.unraisablehook",
)  # fmt: skip
PATHS = (
    "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate",
    "os.chmod", "os.chown", "os.utime", "os.setxattr", "shutil.", "tempfile.", "os.mkfifo",
)  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_ROOT = Path(__file__).resolve().parents[2]
_CODE = tuple(
    {os.path.realpath(path) for path in (*sysconfig.get_paths().values(), sys.prefix,
     sys.base_prefix, _ROOT / "packages", *(p for p in sys.path if p.endswith("-packages")))}
)  # fmt: skip


class Watch:
    """A context: while it is open, effects outside `folder` are noted and refused."""

    def __init__(self, folder: Path) -> None:
        self.folder = os.path.realpath(folder)
        self.open = False
        self.effects: list[str] = []
        self.literals = False  # numpy parses a header as a literal, by `compile` to a tree
        self.thread = threading.get_ident()
        sys.addaudithook(self._hear)

    def __enter__(self) -> "Watch":
        self.effects = []
        self.open = True
        return self

    def __exit__(self, *error: object) -> None:
        self.open = False

    def _hear(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.open:
            return
        self.open = False  # what follows may itself be audited
        try:
            wrong = self._judge(event, args)
        finally:
            self.open = True
        if wrong:
            self.effects.append(f"{event} {wrong:.200}")
            raise _Effect(f"{event}: {wrong:.200}")

    def _judge(self, event: str, args: tuple[Any, ...]) -> str | None:
        if event.startswith(FORBIDDEN):
            return str(args)
        if _frame() == "shutil.py" and not event.startswith("shutil."):
            # Deleting a tree, which was judged by its path, goes by names below open folders.
            return None if not (event == "open" and args[2] & _WRITING) else str(args)
        if event == "open":
            return self._opened(*args)
        if event.startswith(PATHS):
            paths = [arg for arg in args if isinstance(arg, str | bytes | os.PathLike)]
            return next((str(path) for path in paths if not self._inside(path)), None)
        if event in ("exec", "compile") and _annotation():
            return None
        if event == "exec":
            file = os.path.realpath(args[0].co_filename)
            return None if file.startswith(_CODE) else f"code of {args[0].co_filename}"
        if event == "os.putenv":  # a library of the command line sets one for itself
            return None if args[0] == b"PYDANTIC_DISABLE_PLUGINS" else str(args)
        if event == "compile":
            file = args[1] if isinstance(args[1], str) else os.fsdecode(args[1] or "")
            harmless = self.literals and file == "<unknown>"
            return None if harmless or os.path.realpath(file).startswith(_CODE) else repr(args)
        if event == "import":
            return None if args[0].partition(".")[0] in _IMPORTS else args[0]
        return None

    def _opened(self, path: Any, mode: Any, flags: int) -> str | None:
        if isinstance(path, int):
            return None  # a descriptor that an open of its own has been judged for
        if isinstance(flags, int) and flags & _WRITING:
            return None if self._inside(path) else f"{path!r} for writing"
        known = self._inside(path) or os.path.realpath(os.fsdecode(path)).startswith(_CODE)
        return None if known else f"{path!r} for reading"

    def _inside(self, path: Any) -> bool:
        place = os.path.realpath(os.fsdecode(path))
        return place == self.folder or place.startswith(self.folder + os.sep)


class _Effect(BaseException):
    """Nothing between here and the runner may take it for a refusal."""


def _annotation() -> bool:
    """Whether an annotation of ours is evaluated: commands are made of them."""
    return _frame(4) in ("typing.py", "inspect.py")


def _frame(depth: int = 3) -> str:
    """The file of the code that did what is judged."""
    return Path(sys._getframe(depth).f_code.co_filename).name


class TooLong(BaseException):
    """A reader is at work for twice the time it may take."""


_IMPORTS = {*sys.stdlib_module_names, "numpy", "safetensors", "faiss", "mlx", "typer", "click"}
_IMPORTS |= {path.name for path in _ROOT.glob("packages/*/src/*")}


def limit() -> None:
    """Let the address space grow by BYTES from here, no further: then a MemoryError follows."""
    gc.collect()
    size = _address_space()
    if size is not None:
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (size + BYTES, hard))


def no_limit() -> None:
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def _address_space() -> int | None:
    try:
        pages = Path("/proc/self/statm").read_text("ascii").split()[0]
    except OSError:  # no Linux: the peak of the resident memory is still measured
        return None
    return int(pages) * resource.getpagesize()
