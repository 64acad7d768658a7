"""Changing the library in one step: a folder is made, or unmade, where no listing looks."""

import contextlib
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from mlx_rvc_voices.archive import Progress
from mlx_rvc_voices.errors import VoiceError
from mlx_rvc_voices.place import LIBRARY_VARIABLE
from mlx_rvc_voices.record import Kept

_ADDING = ".adding-"
_REMOVING = ".removing-"
_STALE_SECONDS = 24 * 3600.0
_PIECE = 1 << 20


@contextmanager
def staging_folder(library: Path) -> Iterator[Path]:
    """Yield a folder inside the library, on the same disk, and delete it at the end.

    What a killed process left is deleted too, once it is a day old.
    """
    try:
        library.mkdir(parents=True, exist_ok=True)
        _clean(library)
        staging = Path(tempfile.mkdtemp(dir=library, prefix=_ADDING))
    except OSError as error:
        raise VoiceError(
            f"the library {library} cannot be written ({error.strerror}); set {LIBRARY_VARIABLE} "
            f"to another folder"
        ) from None
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def removed(folder: Path) -> None:
    """Take a voice's folder out of the library: gone in one step, whatever happens next."""
    aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=_REMOVING))
    folder.rename(aside / folder.name)
    shutil.rmtree(aside, ignore_errors=True)


def copied(wanted: Mapping[str, Path], folder: Path, progress: Progress) -> dict[str, Kept]:
    """Copy files into `folder` under those names, hashing what is written."""
    total = sum(path.stat().st_size for path in wanted.values())
    done = 0
    files = {}
    for name, path in wanted.items():
        digest, size = hashlib.sha256(), 0
        with path.open("rb") as source, (folder / name).open("xb") as target:
            while piece := source.read(_PIECE):
                target.write(piece)
                digest.update(piece)
                size += len(piece)
                progress(done + size, total)
            target.flush()
            os.fsync(target.fileno())
        done += size
        files[name] = Kept(digest.hexdigest(), size)
    return files


def _clean(library: Path) -> None:
    """Delete what is too old to be under way."""
    now = time.time()
    for prefix in (_ADDING, _REMOVING):
        for left in library.glob(f"{prefix}*"):
            with contextlib.suppress(OSError):
                newest = max(path.stat().st_mtime for path in (left, *left.rglob("*")))
                if now - newest > _STALE_SECONDS:
                    shutil.rmtree(left, ignore_errors=True)
