"""Hub files in one archive, for a machine without network.

A zip, stored and not compressed, with a manifest (repository, revision, commit, name, size and
SHA-256 of each file) and the files under numbers. Unpacking takes only files that are asked for,
never a name from the archive as a path, checks every hash, and puts them where huggingface-hub
looks for them.
"""

import hashlib
import json
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from mlx_weights.errors import WeightsError
from mlx_weights.hub import HubFile, cache_folder, cached, known_absent

FORMAT, FORMAT_VERSION = "mlx-weights-pack", 1
_MANIFEST = "manifest.json"
_MOST_MANIFEST = 1 << 20
_PIECE = 1 << 20

Progress = Callable[[float, float | None], None]


@dataclass(frozen=True)
class _Entry:
    """A file of the archive; `sha256` is None for a companion that the repository lacks."""

    repo: str
    revision: str
    commit: str
    filename: str
    bytes: int
    sha256: str | None

    def is_well_formed(self) -> bool:
        """Whether the fields, which a file may have said, are of their types."""
        texts = (self.repo, self.revision, self.commit, self.filename, self.sha256 or "")
        return all(isinstance(text, str) for text in texts) and type(self.bytes) is int


def pack(
    path: str | os.PathLike[str],
    files: Sequence[HubFile],
    progress: Progress = lambda done, total: None,
) -> list[HubFile]:
    """Write the hub cache's copies of `files`, with companions, into the zip `path`; give them all.

    `path` is written as it is: writing elsewhere and moving is the caller's part. Raises
    WeightsError for a file that is not in the cache.
    """
    packed, absent = _to_pack(files)
    total = sum(found.stat().st_size for _, found in packed)
    done = 0
    entries: list[_Entry] = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for number, (part, found) in enumerate(packed):
            info = zipfile.ZipInfo(f"{number:04d}")
            info.file_size = size = found.stat().st_size  # tells zipfile if it needs 64 bits
            with found.open("rb") as source, archive.open(info, "w") as target:
                sums = _copy(source, target, _after(done, total, progress))
            done += size
            if part.sha256 not in (None, sums):
                raise WeightsError(
                    f"{found} is damaged (its SHA-256 is {sums}, {part.sha256} is expected); "
                    f"delete it and fetch it again"
                )
            commit = _commit(part, found)
            entries.append(_Entry(part.repo, part.revision, commit, part.filename, size, sums))
        manifest = {"format": FORMAT, "format_version": FORMAT_VERSION}
        listed = [asdict(entry) for entry in [*entries, *absent]]
        archive.writestr(_MANIFEST, json.dumps({**manifest, "files": listed}, indent=1))
    return [part for part, _ in packed]


def _to_pack(files: Sequence[HubFile]) -> tuple[list[tuple[HubFile, Path]], list[_Entry]]:
    """The files with companions, and the companions that their repositories are known to lack."""
    packed: list[tuple[HubFile, Path]] = []
    absent: list[_Entry] = []
    for file in files:
        main = cached(file)
        if main is None:
            raise WeightsError(f"{file.filename} of {file.repo} is not here; fetch it first")
        packed.append((file, main))
        for part in map(file.beside, file.companions):
            found = cached(part)
            if found is not None:
                packed.append((part, found))
            elif known_absent(part):
                commit = _commit(file, main)
                absent.append(_Entry(part.repo, part.revision, commit, part.filename, 0, None))
    return packed, absent


def unpack(
    path: str | os.PathLike[str],
    files: Sequence[HubFile],
    progress: Progress = lambda done, total: None,
) -> list[Path]:
    """Put the files of an archive into the hub cache; give their paths there.

    `files`: those that may be in it, with companions; a published SHA-256 must be met. Nothing is
    put anywhere unless all of the archive is well. Raises WeightsError.
    """
    path = Path(path)
    allowed = {
        (part.repo, part.revision, part.filename): part
        for file in files
        for part in (file, *(file.beside(name) for name in file.companions))
    }
    try:
        with zipfile.ZipFile(path) as archive:
            entries = _entries(path, archive)
            for entry in entries:
                _check(path, entry, allowed)
            cache_folder().mkdir(parents=True, exist_ok=True)
            staging = Path(tempfile.mkdtemp(dir=cache_folder(), prefix=".unpacking-"))
            try:
                _extract(path, archive, entries, staging, progress)
                return [_placed(entry, staging / str(n)) for n, entry in enumerate(entries)]
            finally:
                shutil.rmtree(staging, ignore_errors=True)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, KeyError, RuntimeError) as error:
        raise WeightsError(
            f"{path} is no pack of weights, or a damaged one ({error!s:.80}); pack it again"
        ) from error
    except OSError as error:
        raise WeightsError(
            f"{path} cannot be unpacked into {cache_folder()}: {error.strerror or error}"
        ) from error


def _entries(path: Path, archive: zipfile.ZipFile) -> list[_Entry]:
    info = archive.getinfo(_MANIFEST)
    if info.file_size > _MOST_MANIFEST:
        raise WeightsError(f"{path} is no pack of weights: its manifest is too large")
    try:
        manifest = json.loads(archive.read(info))
        if (manifest["format"], manifest["format_version"]) != (FORMAT, FORMAT_VERSION):
            raise ValueError(f"{manifest['format']!r} {manifest['format_version']!r}")
        entries = [_Entry(**entry) for entry in manifest["files"]]
        if not all(entry.is_well_formed() for entry in entries):
            raise ValueError("a field of another kind")
        return entries
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise WeightsError(
            f"{path} is no pack of weights that this version reads ({error!s:.80}); pack it again"
        ) from error


def _check(path: Path, entry: _Entry, allowed: dict[tuple[str, str, str], HubFile]) -> None:
    file = allowed.get((entry.repo, entry.revision, entry.filename))
    if file is None or not re.fullmatch(r"[0-9a-f]{40}", entry.commit):
        raise WeightsError(
            f"{path} holds {entry.repo!r:.60} {entry.filename!r:.60}, which is not among the "
            f"weights that are needed here; pack it again"
        )
    if file.sha256 is not None and entry.sha256 != file.sha256:
        raise WeightsError(
            f"{path} holds another {entry.filename} than the published one (SHA-256 "
            f"{entry.sha256}, {file.sha256} is expected)"
        )


def _extract(
    path: Path,
    archive: zipfile.ZipFile,
    entries: list[_Entry],
    staging: Path,
    progress: Progress,
) -> None:
    """Write each file into `staging` under its number, checked against the manifest."""
    total = sum(entry.bytes for entry in entries)
    done = 0
    for number, entry in enumerate(entries):
        place = staging / str(number)
        if entry.sha256 is None:
            place.touch()
            continue
        info = archive.getinfo(f"{number:04d}")
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != entry.bytes:
            raise WeightsError(f"{path}: {entry.filename} is not what the manifest says")
        with archive.open(info) as source, place.open("xb") as target:
            found = _copy(source, target, _after(done, total, progress))
        done += entry.bytes
        if found != entry.sha256:
            raise WeightsError(
                f"{path}: {entry.filename} is damaged (its SHA-256 is {found}, {entry.sha256} is "
                f"expected); copy the pack again"
            )


def _after(before: int, total: int, progress: Progress) -> Callable[[int], None]:
    return lambda copied: progress(before + copied, total)


def _copy(source: IO[bytes], target: IO[bytes], progress: Callable[[int], None]) -> str:
    digest, size = hashlib.sha256(), 0
    while piece := source.read(_PIECE):
        target.write(piece)
        digest.update(piece)
        size += len(piece)
        progress(size)
    return digest.hexdigest()


def _placed(entry: _Entry, file: Path) -> Path:
    """Move a file to where huggingface-hub looks: a blob, a link to it, the revision's commit."""
    home = _home(entry.repo)
    kind = "snapshots" if entry.sha256 is not None else ".no_exist"
    place = home / kind / entry.commit / entry.filename
    place.parent.mkdir(parents=True, exist_ok=True)
    if entry.sha256 is None:
        file.replace(place)
    else:
        blob = home / "blobs" / entry.sha256
        blob.parent.mkdir(exist_ok=True)
        file.replace(blob)
        link = file.with_name(f"{file.name}-link")
        try:
            link.symlink_to(os.path.relpath(blob, place.parent))
            link.replace(place)
        except OSError:  # a disk without links
            blob.replace(place)
    reference = home / "refs" / entry.revision
    reference.parent.mkdir(parents=True, exist_ok=True)
    reference.write_text(entry.commit)
    return place


def _home(repo: str) -> Path:
    return cache_folder() / f"models--{repo.replace('/', '--')}"


def _commit(file: HubFile, path: Path | None) -> str:
    """The commit that a cached file is of: its folder below snapshots."""
    snapshots = _home(file.repo) / "snapshots"
    if path is None or not path.is_relative_to(snapshots):
        raise WeightsError(f"{path} does not lie where huggingface-hub keeps files; fetch it again")
    return path.relative_to(snapshots).parts[0]
