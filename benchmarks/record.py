"""The record of a run, on disk after every row, so that a run that is stopped keeps what it has."""

import json
import time
from pathlib import Path

LISTS = ("gemm", "rows", "memory", "scale")


class RecordError(Exception):
    """A record that cannot be written or gone on with; one line for the user."""


def read(folder: Path) -> dict:
    """result.json of a run; OSError or ValueError if there is none or it is damaged."""
    return json.loads((folder / "result.json").read_text())


class Book:
    """result.json and what is added to it."""

    def __init__(self, folder: Path, data: dict):
        self.folder = folder
        self.data = data

    @classmethod
    def open(cls, folder: Path, about: dict, *, resume: bool) -> "Book":
        """Begin a record in `folder`, or go on with the one there.

        about: the machine and settings. Raises RecordError where a record is in the way, or was
        made by another version or machine: rows of two kinds make no table.
        """
        exists = (folder / "result.json").exists()
        if exists and not resume:
            raise RecordError(
                f"{folder}/result.json exists; give --resume to go on with it, or another --out"
            )
        data = {**about, "started": time.strftime("%Y-%m-%d %H:%M"), **{k: [] for k in LISTS}}
        if exists:
            data = read(folder)
            for name in ("processor", "cores", "commit", "versions"):
                before, now = data["machine"].get(name), about["machine"].get(name)
                if before != now:
                    raise RecordError(
                        f"{folder}/result.json was made with {name} {before}, this is {now}; "
                        f"give another --out"
                    )
            # A run may be taken in parts: it is about all of them.
            for name in ("lengths", "rates"):
                more = [value for value in about[name] if value not in data[name]]
                data[name] = data[name] + more
        folder.mkdir(parents=True, exist_ok=True)
        book = cls(folder, data)
        book._save()
        return book

    def add(self, kind: str, row: dict) -> None:
        """Append to one of the lists."""
        self.data[kind].append(row)
        self._save()

    def set(self, name: str, value: object) -> None:
        """Set one value."""
        self.data[name] = value
        self._save()

    def finish(self) -> None:
        """Say that nothing is missing."""
        self.set("finished", time.strftime("%Y-%m-%d %H:%M"))

    def has(self, against: str, stage: str, rate: str | None, seconds: float) -> bool:
        """Whether a row is there already."""
        key = (against, stage, rate, seconds)
        names = ("against", "stage", "rate", "seconds")
        return any(tuple(row[name] for name in names) == key for row in self.data["rows"])

    def has_memory(self, side: str, rate: str, seconds: float) -> bool:
        """Whether a side's memory is there already."""
        key = (side, rate, seconds)
        names = ("side", "rate", "seconds")
        return any(tuple(row[name] for name in names) == key for row in self.data["memory"])

    def _save(self) -> None:
        path = self.folder / "result.json"
        part = path.with_suffix(".part")
        part.write_text(json.dumps(self.data, indent=1) + "\n")
        part.replace(path)  # never half a file
