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
    real = path.resolve()
    stat = real.stat()
    note = cache_dir() / "sums" / f"{hashlib.sha256(bytes(real)).hexdigest()[:32]}.json"
    mark = [str(real), stat.st_size, stat.st_mtime_ns]
    try:
        kept = json.loads(note.read_text("utf-8"))
        if kept["mark"] == mark and len(kept["sha256"]) == 64:
            return kept["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        pass  # no note, or not a good one
    found = sha256(real)
    with contextlib.suppress(OSError):  # a note only saves time
        write_atomically(note, json.dumps({"mark": mark, "sha256": found}).encode())
    return found


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
