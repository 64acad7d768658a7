"""The user's cache folder, and SHA-256 sums that are not computed twice."""

import contextlib
import hashlib
import json
import os
import sys
import tempfile
from pathlib import Path

CACHE_VARIABLE = "MLX_WEIGHTS_CACHE"
_CHUNK = 1 << 20


def cache_dir() -> Path:
    """Give the folder for converted weights; it need not exist yet.

    MLX_WEIGHTS_CACHE, else $XDG_CACHE_HOME/mlx-weights, else ~/.cache/mlx-weights
    (macOS: ~/Library/Caches/mlx-weights).
    """
    if chosen := os.environ.get(CACHE_VARIABLE):
        return Path(chosen).expanduser()
    if xdg := os.environ.get("XDG_CACHE_HOME"):
        return Path(xdg).expanduser() / "mlx-weights"
    base = Path("~/Library/Caches" if sys.platform == "darwin" else "~/.cache")
    return base.expanduser() / "mlx-weights"


def sha256(path: str | os.PathLike[str]) -> str:
    """Give the SHA-256 of a file's contents, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def known_sha256(path: Path) -> str:
    """Give a file's SHA-256, from a note in the cache if size and time of change are the same."""
    noted = noted_sha256(path)
    if noted is not None:
        return noted
    note, mark = _note(path)
    found = sha256(path)
    with contextlib.suppress(OSError):  # a note only saves time
        write_atomically(note, json.dumps({"mark": mark, "sha256": found}).encode())
    return found


def noted_sha256(path: Path) -> str | None:
    """Give the SHA-256 that was noted for a file of this size and time of change, or None.

    Where the file itself says otherwise, it was damaged without being written.
    """
    note, mark = _note(path)
    try:
        kept = json.loads(note.read_text("utf-8"))
        if kept["mark"] == mark and len(kept["sha256"]) == 64:
            return kept["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        pass  # no note, or not a good one
    return None


def _note(path: Path) -> tuple[Path, list[object]]:
    """Where a file's note is, and what must stand in it."""
    real = path.resolve()
    stat = real.stat()
    name = hashlib.sha256(bytes(real)).hexdigest()[:32]
    mark: list[object] = [str(real), stat.st_size, stat.st_mtime_ns]
    return cache_dir() / "sums" / f"{name}.json", mark


def write_atomically(path: Path, data: bytes) -> None:
    """Write a small file so that others see all of it or nothing; makes the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
