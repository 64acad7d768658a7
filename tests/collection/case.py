"""A row of the collection: a file, what it is, and what has to be said about it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .network import Network


@dataclass(frozen=True)
class Voice:
    """A voice: `build` writes it into an empty folder and gives what a user would name.

    `network` is what must be found; `kind` the words of `mlx-rvc info`. `level` is the largest
    difference from the same network's other files, as a share of the audio's level.
    """

    id: str
    program: str
    file: str
    holds: str
    build: Callable[[Path], Path]
    network: Network
    kind: str
    embedder: str | None = None
    layer: int | None = None
    names: dict[str, str] = field(default_factory=dict)
    index_vectors: int | None = None
    level: float = 1e-5
    notes: str = ""


@dataclass(frozen=True)
class Other:
    """No voice that can be read: `words` are part of the one line that says so, `advice` too."""

    id: str
    file: str
    build: Callable[[Path], Path]
    words: str
    advice: str
