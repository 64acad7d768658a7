"""What a batch has done: how each recording ended, and the record of it that the next run reads."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePath
from typing import Any

MANIFEST = "mlx-rvc-batch.jsonl"


@dataclass(frozen=True)
class Item:
    """A recording, and where its conversion goes, relative to the output folder."""

    source: Path
    target: PurePath


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


def as_json(outcome: Outcome) -> dict[str, Any]:
    """An outcome as plain values."""
    return {
        "input": str(outcome.item.source),
        "output": str(outcome.item.target),
        "status": outcome.status.value,
        "note": outcome.note or None,
        "summary": None if outcome.summary is None else dict(outcome.summary),
    }


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
        if entry is not None and entry.get("recording") == identity(item.source):
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


def identity(path: Path) -> dict[str, int]:
    """What changes when a file does, without reading it; empty if there is none."""
    try:
        found = path.stat()
    except OSError:
        return {}
    return {"bytes": found.st_size, "modified_ns": found.st_mtime_ns}
