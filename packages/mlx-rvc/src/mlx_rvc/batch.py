"""Many recordings, one voice: which files, what is done already, and a record of what happened.

    inputs (files, folders, patterns) -> items (recording, place below the output folder)
    each item -> done | skipped, because its output is there | failed, and the rest goes on

The manifest, `mlx-rvc-batch.jsonl` in the output folder, has a line for each item as it ends, so
that a run that was stopped, or killed, goes on where it was.
"""

import glob
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePath
from typing import Any

from mlx_rvc_cli.errors import CommandError, describe

MANIFEST = "mlx-rvc-batch.jsonl"


@dataclass(frozen=True)
class Item:
    """A recording, and where its conversion goes, relative to the output folder."""

    source: Path
    target: PurePath


@dataclass(frozen=True)
class Passed:
    """A file that is no recording, and why that is thought."""

    path: Path
    reason: str


class Status(StrEnum):
    """What became of an item."""

    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True)
class Outcome:
    """How an item ended.

    note: why it was skipped, or the error. summary: of the conversion. recording: its identity
    when the conversion began.
    """

    item: Item
    status: Status
    note: str = ""
    summary: Mapping[str, Any] | None = None
    recording: Mapping[str, int] | None = None


def collect(
    inputs: Sequence[str],
    extension: str,
    readable: Iterable[str],
    *,
    outputs: Path | None = None,
) -> tuple[list[Item], list[Passed]]:
    """The recordings among files, folders (and all below them) and patterns, in order.

    extension: of the outputs, with its dot. readable: extensions, with their dots, in lower case,
    of files that are taken from folders and patterns; a file that is named is always taken.
    outputs: a folder whose files are not taken, though it may lie below an input.
    What lies below a folder keeps its place there. Raises CommandError for an input that is not
    there, where nothing is found, and where two recordings would get one output.
    """
    items: dict[PurePath, Item] = {}
    passed: list[Passed] = []
    wanted = _Wanted(frozenset(readable), outputs and outputs.resolve(), passed)
    for source, below in _found(inputs, wanted):
        target = PurePath(below).with_suffix(extension)
        other = items.get(target)
        if other is not None and not other.source.samefile(source):
            raise CommandError(
                f"{other.source} and {source} would both become {target}; convert them into "
                f"two folders"
            )
        items.setdefault(target, Item(source, target))
    if not items:
        raise CommandError(f"no recording among {', '.join(inputs)}; {_passed_in_words(passed)}")
    return list(items.values()), passed


def _found(inputs: Sequence[str], wanted: "_Wanted") -> Iterator[tuple[Path, PurePath]]:
    """Each recording with its place below the input that it was found by."""
    for given in inputs:
        path = Path(given)
        if path.is_dir():
            for found in sorted(path.rglob("*")):
                place = found.relative_to(path)
                if found.is_file() and wanted(found, place):
                    yield found, place
        elif path.exists():
            yield path, PurePath(path.name)
        elif glob.has_magic(given):
            # Path.glob takes no absolute patterns.
            for found in sorted(map(Path, glob.glob(given, recursive=True))):  # noqa: PTH207
                place = PurePath(found.name)
                if found.is_file() and wanted(found, place):
                    yield found, place
        else:
            raise CommandError(f"{given}: no such file or folder")


@dataclass(frozen=True)
class _Wanted:
    """Tells recordings from other files, and notes those."""

    readable: frozenset[str]
    outputs: Path | None
    passed: list[Passed]

    def __call__(self, path: Path, place: PurePath) -> bool:
        reason = self._against(path, place)
        if reason is not None:
            self.passed.append(Passed(path, reason))
        return reason is None

    def _against(self, path: Path, place: PurePath) -> str | None:
        if any(part.startswith(".") for part in place.parts):
            return "hidden"
        if path.suffix.lower() not in self.readable:
            return "not audio"
        if self.outputs is not None and self.outputs in path.resolve().parents:
            return "in the output folder"
        return None


def _passed_in_words(passed: Sequence[Passed]) -> str:
    if not passed:
        return "the folders are empty"
    reasons = sorted({each.reason for each in passed})
    counts = ", ".join(
        f"{sum(each.reason == reason for each in passed)} {reason}" for reason in reasons
    )
    return f"passed over: {counts}"


class Manifest:
    """What a batch has done in its output folder, one JSON object a line.

    A line is written when an item has ended; a line that a kill has cut short is as if it had
    not been written. `settings` are whatever makes two conversions of one recording different.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self.path = folder / MANIFEST
        self._settings = json.loads(json.dumps(settings, default=str))  # as they are read again
        self._made: dict[str, dict[str, Any]] = {}
        self._unfinished: set[str] = set()
        for entry in self._read():
            if entry.get("event") == "start" or entry.get("event") == "end":
                self._unfinished = set()
            elif entry.get("status") == Status.DONE:
                output = str(entry.get("output"))
                self._made[output] = entry
                self._unfinished.add(output)

    def start(self, *, resumed: bool) -> None:
        """Begin a run; a resumed one keeps what the run before had done."""
        if self.path.exists() and self.path.read_bytes()[-1:] not in (b"", b"\n"):
            self._append("\n")  # after a line that a kill has cut short
        if not resumed:
            self._unfinished = set()
            self._write({"event": "start", "settings": self._settings})

    def made(self, item: Item) -> dict[str, Any] | None:
        """The entry of the item's output, if it was made from this recording, as it is now."""
        entry = self._made.get(str(item.target))
        if entry is not None and entry.get("recording") == _identity(item.source):
            return entry
        return None

    def is_current(self, item: Item) -> bool:
        """Whether the output was made from this recording with these settings."""
        entry = self.made(item)
        return entry is not None and entry.get("settings") == self._settings

    def in_unfinished_run(self, item: Item) -> bool:
        """Whether a run that never came to its end had made this output, as it would be now."""
        return str(item.target) in self._unfinished and self.is_current(item)

    def record(self, outcome: Outcome) -> None:
        """Write how an item ended; on the disk when this returns."""
        item = outcome.item
        entry: dict[str, Any] = {
            "input": str(item.source),
            "output": str(item.target),
            "status": outcome.status.value,
        }
        if outcome.note:
            entry["note"] = outcome.note
        if outcome.status is Status.DONE:
            entry |= {"recording": outcome.recording, "settings": self._settings}
            entry["summary"] = dict(outcome.summary or {})
            self._made[str(item.target)] = json.loads(json.dumps(entry, default=str))
        self._write(entry)

    def end(self) -> None:
        """Mark the run as come to its end, whatever failed on the way."""
        self._write({"event": "end"})

    def _read(self) -> Iterator[dict[str, Any]]:
        try:
            lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return
        for line in lines:
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict):
                yield entry

    def _write(self, entry: Mapping[str, Any]) -> None:
        self._append(json.dumps(entry, ensure_ascii=False, default=str) + "\n")

    def _append(self, text: str) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())


def _identity(path: Path) -> dict[str, int]:
    """What changes when a file does, without reading it; empty if there is none."""
    try:
        found = path.stat()
    except OSError:
        return {}
    return {"bytes": found.st_size, "modified_ns": found.st_mtime_ns}


def run(
    items: Sequence[Item],
    folder: Path,
    manifest: Manifest,
    convert: Callable[[Path, Path], Mapping[str, Any]],
    *,
    overwrite: bool = False,
) -> Iterator[Outcome]:
    """Convert the items one after another; yields each as it ends.

    convert: called with a recording and an output path whose folder exists; it writes the output
    whole or not at all, and returns a summary. An output that is there is skipped; `overwrite`
    makes it anew, except for what a run of the same settings had made before it was stopped.
    A ValueError, OSError or MemoryError of one item fails that item only. Anything else stops.
    """
    resumed = overwrite and any(manifest.in_unfinished_run(item) for item in items)
    manifest.start(resumed=resumed)
    for item in items:
        outcome = _one(item, folder, manifest, convert, overwrite)
        manifest.record(outcome)
        yield outcome
    manifest.end()


def _one(
    item: Item,
    folder: Path,
    manifest: Manifest,
    convert: Callable[[Path, Path], Mapping[str, Any]],
    overwrite: bool,
) -> Outcome:
    output = folder / item.target
    try:
        if output.exists():
            if output.samefile(item.source):
                raise CommandError(
                    f"{item.source} would be replaced by its conversion; choose another --out"
                )
            if not overwrite:
                return Outcome(item, Status.SKIPPED, _why_skipped(item, manifest))
            if manifest.in_unfinished_run(item):
                return Outcome(item, Status.SKIPPED, "made before the run was stopped")
        output.parent.mkdir(parents=True, exist_ok=True)
        recording = _identity(item.source)
        return Outcome(item, Status.DONE, "", convert(item.source, output), recording)
    except (ValueError, OSError, MemoryError) as error:
        return Outcome(item, Status.FAILED, describe(error))


def _why_skipped(item: Item, manifest: Manifest) -> str:
    if manifest.is_current(item):
        return "made already"
    if manifest.made(item) is not None:
        return "there already, made with other settings (--overwrite makes it anew)"
    return "there already (--overwrite makes it anew)"


def as_json(outcome: Outcome) -> dict[str, Any]:
    """An outcome as plain values."""
    return {
        "input": str(outcome.item.source),
        "output": str(outcome.item.target),
        "status": outcome.status.value,
        "note": outcome.note or None,
        "summary": None if outcome.summary is None else dict(outcome.summary),
    }
