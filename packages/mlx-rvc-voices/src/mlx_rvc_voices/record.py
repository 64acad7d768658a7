"""One voice of the library and its `voice.json`."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlx_rvc_voices.errors import VoiceError
from mlx_rvc_voices.naming import is_plain_file_name

RECORD = "voice.json"
FORMAT = "mlx-rvc-voice"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class Kept:
    """A file of a voice as it was when it was added."""

    sha256: str
    bytes: int


@dataclass(frozen=True)
class Voice:
    """A voice of the library.

    folder: where its files lie; the folder's name is the voice's. model, index: names of files in
    it. files: every file but voice.json. kind: what the model file is. width: of its features, 256
    (v1) or 768 (v2), None where unknown. source: where it came from. added: date and time, UTC,
    ISO 8601. preset: settings of conversions, by the names of `mlx-rvc convert`'s options.
    """

    folder: Path
    model: str
    index: str | None
    files: Mapping[str, Kept]
    kind: str
    width: int | None
    source: str
    added: str
    preset: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What `--model` calls it."""
        return self.folder.name

    @property
    def model_path(self) -> Path:
        """The voice file."""
        return self.folder / self.model

    @property
    def index_path(self) -> Path | None:
        """The index, if it has one."""
        return None if self.index is None else self.folder / self.index

    @property
    def sha256(self) -> str:
        """Of the voice file: two voices with the same are the same."""
        return self.files[self.model].sha256

    @property
    def bytes(self) -> int:
        """Of all its files together."""
        return sum(kept.bytes for kept in self.files.values())

    def to_dict(self) -> dict[str, Any]:
        """Give what `voices show --json` prints."""
        return {
            "name": self.name,
            "model": str(self.model_path),
            "index": None if self.index_path is None else str(self.index_path),
            "kind": self.kind,
            "width": self.width,
            "bytes": self.bytes,
            "sha256": self.sha256,
            "source": self.source,
            "added": self.added,
            "preset": dict(self.preset),
            "files": {name: vars(kept) for name, kept in self.files.items()},
        }


def write_record(voice: Voice, folder: Path, name: str | None = None) -> None:
    """Write a voice's voice.json into `folder`, whole or not at all."""
    data = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "name": name or voice.name,  # for readers; the folder's name is what counts
        "model": voice.model,
        "index": voice.index,
        "files": {name: vars(kept) for name, kept in voice.files.items()},
        "kind": voice.kind,
        "width": voice.width,
        "source": voice.source,
        "added": voice.added,
        "preset": dict(voice.preset),
    }
    temporary = folder / f".{RECORD}-{os.getpid()}"
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(json.dumps(data, indent=2, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(folder / RECORD)
    finally:
        temporary.unlink(missing_ok=True)


def read_record(folder: Path) -> Voice:
    """Read a voice's folder.

    Raises VoiceError when its voice.json is missing, damaged or of a later version; whether the
    files are what they were is `Library.check`'s to say.
    """
    path = folder / RECORD
    try:
        data = json.loads(path.read_text("utf-8"))
        if data["format"] != FORMAT:
            raise ValueError(f"format is {data['format']!r}")
        if data["format_version"] != FORMAT_VERSION:
            raise VoiceError(
                f"{path} has format_version {data['format_version']!r}; this version reads "
                f"{FORMAT_VERSION}: update mlx-rvc-voices"
            )
        files = {
            name: Kept(sha256=str(kept["sha256"]), bytes=int(kept["bytes"]))
            for name, kept in data["files"].items()
        }
        voice = Voice(
            folder=folder,
            model=data["model"],
            index=data["index"],
            files=files,
            kind=str(data["kind"]),
            width=None if data["width"] is None else int(data["width"]),
            source=str(data["source"]),
            added=str(data["added"]),
            preset=dict(data["preset"]),
        )
        for name in files:
            if not is_plain_file_name(name):
                raise ValueError(f"the file name {name!r:.60} leaves the folder")
        if voice.model not in files or voice.index not in (None, *files):
            raise ValueError("model or index is not among its files")
    except VoiceError:
        raise
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        text = error.strerror if isinstance(error, OSError) else f"{error!s:.80}"
        raise VoiceError(
            f"{path} is damaged ({text or type(error).__name__}); remove the voice "
            f"{folder.name!r} and add it again"
        ) from error
    return voice
