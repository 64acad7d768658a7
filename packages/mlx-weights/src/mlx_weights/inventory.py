"""What of a model is on this machine: the hub's file in its cache, and the converted copies."""

import re
from dataclasses import dataclass
from pathlib import Path

from mlx_weights.conversion import is_whole
from mlx_weights.digest import cache_dir, known_sha256, noted_sha256, sha256
from mlx_weights.folder import WEIGHTS
from mlx_weights.hub import HubFile, cached

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Held:
    """A file on this machine.

    what: "fetched" (the hub's file), "beside it" (a companion) or "converted". file: the hub file
    it is, None for what was converted. expected: its SHA-256 as published, or as the hub or a note
    in the cache said when it was written; None where nobody did.
    """

    what: str
    path: Path
    file: HubFile | None
    expected: str | None

    @property
    def bytes(self) -> int:
        """Its size."""
        return self.path.stat().st_size

    @property
    def sha256(self) -> str:
        """Its SHA-256, from a note in the cache where the file has not been written since."""
        return known_sha256(self.path)

    def problem(self) -> str | None:
        """Read the file and say what is wrong with it, None if nothing is known to be."""
        found = sha256(self.path)
        if self.expected is not None and found != self.expected:
            return f"the SHA-256 is {found}, but {self.expected} is expected"
        if self.what == "converted" and not is_whole(self.path.parent):
            return "it is incomplete"
        known_sha256(self.path)  # noted, so that a later check can tell
        return None


def held(file: HubFile, name: str) -> list[Held]:
    """Give what is here of a hub file, its companions, and its conversions (`converted(name=)`)."""
    found = []
    for part in (file, *(file.beside(companion) for companion in file.companions)):
        path = cached(part)
        if path is not None:
            what = "fetched" if part is file else "beside it"
            found.append(Held(what, path, part, part.sha256 or _said_by_hub(path)))
    folder = cache_dir() / name
    for path in sorted(folder.glob(f"v*/{WEIGHTS}")):
        found.append(Held("converted", path, None, noted_sha256(path)))
    return found


def _said_by_hub(path: Path) -> str | None:
    """The hub names large files by their SHA-256, and its client's cache keeps that name."""
    name = path.resolve().name
    return name if _SHA256.fullmatch(name) else None
