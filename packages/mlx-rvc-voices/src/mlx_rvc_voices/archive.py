"""Taking a stranger's zip apart without letting it write, or grow, where it should not.

Refused as a whole: absolute paths and "..", links and devices, passwords, names that occur twice
(on a system that ignores case), and anything beyond the limits below, which are checked before a
byte is written and while writing. Contents go to names of our own, so that no name of the archive
ever becomes a path.
"""

import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from mlx_rvc_voices.errors import VoiceError
from mlx_rvc_voices.naming import plain_file_name

MAX_ENTRIES = 10_000
MAX_TOTAL_BYTES = 8 * 2**30
MAX_RATIO = 100
"""Unpacked to packed bytes; weights hardly compress, a bomb reaches 1000 and more."""
FREE_BYTES = 64 * 2**20
"""Below this total the ratio does not matter."""

MAX_DIRECTORY_BYTES = 8 * 2**20
"""The list of entries itself, read before anything in it can be counted."""

_PIECE = 1 << 20
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError),
    *(ValueError, RuntimeError, OverflowError),
)
_ENCRYPTED = 0x1
_JUNK_FOLDERS = ("__macosx", ".git", ".cache")
_JUNK_FILES = (".ds_store", "thumbs.db", "desktop.ini")

Progress = Callable[[float, float | None], None]
"""Called with the bytes done and their total, None where unknown."""


@contextmanager
def opened_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open an archive whose list of entries is of a size that can be read."""
    with path.open("rb") as file:
        try:
            archive = zipfile.ZipFile(_Bounded(file))  # type: ignore[arg-type]
        except OSError as error:  # it was told to seek where no file is
            raise zipfile.BadZipFile(error.strerror) from None
        with archive:
            yield archive


class _Bounded:
    """A file of which no piece can be read that is larger than a list of entries may be."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.name, self.seek, self.tell, self.seekable = (
            file.name,
            file.seek,
            file.tell,
            file.seekable,
        )

    def read(self, size: int = -1) -> bytes:
        most = MAX_DIRECTORY_BYTES + 1
        data = self._file.read(most if size < 0 else min(size, most))
        if len(data) == most:
            raise ValueError("its list of entries is enormous")
        return data


def is_junk(name: str) -> bool:
    """Say whether a path inside a source is what file managers leave, not the user's."""
    parts = [part.casefold() for part in name.split("/")]
    return (
        any(part in _JUNK_FOLDERS for part in parts[:-1])
        or parts[-1] in _JUNK_FILES
        or parts[-1].startswith("._")
    )


def unpack(
    path: Path, folder: Path, endings: Collection[str], progress: Progress
) -> list[tuple[str, Path]]:
    """Unpack the files with those endings into `folder`; give (name in the archive, path) of each.

    Raises VoiceError for an archive that is damaged, hostile or too large; what is in `folder` then
    is the caller's to throw away.
    """
    try:
        with opened_zip(path) as archive:
            wanted = [
                (name, info)
                for name, info in _checked(path, archive)
                if not is_junk(name) and name.lower().endswith(tuple(endings))
            ]
            total = sum(info.file_size for _, info in wanted)
            done, unpacked = 0, []
            for number, (name, info) in enumerate(wanted):
                place = folder / f"{number:04d}" / plain_file_name(name)
                place.parent.mkdir()
                done = _write(archive, info, place, done, total, progress)
                unpacked.append((name, place))
            return unpacked
    except VoiceError:
        raise
    except NotImplementedError as error:
        raise VoiceError(f"{path.name} is packed in a way not known here ({error})") from None
    except _UNREADABLE as error:
        raise VoiceError(
            f"{path.name} is a damaged zip archive ({error!s:.80}); fetch it again"
        ) from None


def _checked(path: Path, archive: zipfile.ZipFile) -> list[tuple[str, zipfile.ZipInfo]]:
    """The files of an archive by their normalised names, after all refusals."""
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise _refused(path, f"it has {len(entries)} entries, more than {MAX_ENTRIES}")
    files: list[tuple[str, zipfile.ZipInfo]] = []
    seen: set[str] = set()
    for info in entries:
        name = _normal(path, info.orig_filename)
        if info.flag_bits & _ENCRYPTED:
            raise VoiceError(f"{path.name} has a password; unpack it first and add the folder")
        if info.header_offset < 0:
            raise zipfile.BadZipFile(f"{name!r:.60} lies before the start of the file")
        if info.compress_type not in _PACKINGS:
            raise VoiceError(
                f"{path.name} is packed in a way not known here ({name!r:.80}); unpack it first "
                f"and add the folder"
            )
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise _refused(path, f"{name!r:.80} is a link or a device")
        if name.endswith("/") or info.is_dir():
            continue
        if name.casefold() in seen:
            raise _refused(path, f"the name {name!r:.80} occurs twice")
        seen.add(name.casefold())
        files.append((name, info))
    total = sum(info.file_size for _, info in files)
    if total > MAX_TOTAL_BYTES:
        raise _refused(path, f"it would unfold to {total / 1e9:.1f} GB, more than 8 GiB")
    # Against the size of the file itself: entries that overlap lie about what is packed.
    if total > max(FREE_BYTES, MAX_RATIO * path.stat().st_size):
        raise _refused(path, f"it would unfold to more than {MAX_RATIO} times its size")
    return files


def _normal(path: Path, name: str) -> str:
    """A name with forward slashes, refused if it leads out of the folder."""
    normal = unicodedata.normalize("NFC", name.replace("\\", "/"))
    parts = normal.split("/")
    if (
        normal.startswith("/")
        or re.match(r"[A-Za-z]:", normal)
        or ".." in parts
        or any(ord(char) < 32 for char in normal)
        or not normal.strip("/")
    ):
        raise _refused(path, f"the name {name!r:.80} leads out of the archive")
    return normal


def _write(
    archive: zipfile.ZipFile,
    info: zipfile.ZipInfo,
    place: Path,
    done: int,
    total: int,
    progress: Progress,
) -> int:
    """Write one entry; give the bytes written so far, never more than were announced."""
    with archive.open(info) as source, place.open("xb") as target:
        while piece := source.read(_PIECE):
            done += len(piece)
            if done > total:
                raise _refused(Path(archive.filename or ""), "it holds more than it announces")
            target.write(piece)
            progress(done, total)
    return done


def _refused(path: Path, why: str) -> VoiceError:
    return VoiceError(
        f"{path.name} is not unpacked: {why}. If you trust it, unpack it yourself and add the "
        f"folder"
    )
