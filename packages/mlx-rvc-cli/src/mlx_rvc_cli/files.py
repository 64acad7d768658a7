"""Files that appear complete or not at all."""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlx_rvc_cli.errors import CommandError


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `path`; move it into place on success, else remove it.

    The temporary name keeps the extension, so that writers choose their format as usual. A
    symbolic link keeps pointing where it does: its target is replaced. An existing file keeps its
    permissions; a new one gets those of the umask. The folder must exist.

    Raises CommandError when the folder is missing or `path` is not a regular file, and whatever
    the body raises (nothing is left behind then).
    """
    wanted = Path(path)
    target = Path(os.path.realpath(wanted))
    check_folder(wanted)
    mode = None
    if target.exists():
        if not target.is_file():
            raise CommandError(f"{wanted} is not a regular file: choose another output")
        mode = stat.S_IMODE(target.stat().st_mode)
    temporary = target.with_name(f".{target.stem[:80]}-{secrets.token_hex(6)}{target.suffix}")
    # Created here and exclusively: the name is ours, and a folder without permission fails early.
    try:
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as error:  # a system folder, a disk that is mounted for reading
        raise CommandError(
            f"{wanted} cannot be made ({error.strerror}): choose another output path"
        ) from None
    try:
        yield temporary
        if mode is not None:
            temporary.chmod(mode)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def check_folder(path: str | os.PathLike[str]) -> None:
    """Raise CommandError when a file cannot be made at `path`: no folder, or a folder itself."""
    wanted = Path(path)
    target = Path(os.path.realpath(wanted))
    folder = target.parent
    if target.is_dir():
        raise CommandError(f"{wanted} is a folder: add a file name")
    if not folder.is_dir():
        found = "is not a folder" if folder.exists() else "does not exist"
        raise CommandError(f"the folder {folder} {found}: make it first, or choose another path")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise CommandError(f"the folder {folder} is not writable: choose another output path")
