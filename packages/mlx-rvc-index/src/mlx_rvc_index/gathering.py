"""What an index is built from: files of features, or recordings whose features are taken first.

The features of recordings come from whichever package offers them, under the entry point group
`mlx_rvc.recording_features`: a function of the options below that returns (identity, extract).
`identity` is text that changes when the features would, `extract` makes (frames, dim) of a path.
What is extracted lies in a folder beside the output until the index is written, so that a run that
was interrupted goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np

from mlx_rvc_index.errors import IndexFileError
from mlx_rvc_index.vectors import read_vectors, save_vectors

GROUP = "mlx_rvc.recording_features"
_RECORDINGS = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aif", ".aiff", ".m4a")

Extract = Callable[[Path], np.ndarray]


@dataclass(frozen=True)
class Sources:
    """Files of features or recordings (never both), and how many files of folders are neither."""

    features: tuple[Path, ...]
    recordings: tuple[Path, ...]
    skipped: int


def find_sources(inputs: Sequence[Path]) -> Sources:
    """Sort files and the contents of folders (not of their folders) by what they are.

    A file counts as features if it ends in .npy, else as a recording; in folders other endings
    than those of recordings, and hidden files, are skipped. Raises IndexFileError for what does not
    exist or holds neither, and for features and recordings together.
    """
    found: list[Path] = []
    skipped = 0
    for path in inputs:
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.is_file() and p.name[0] != ".")
            fitting = [p for p in inside if p.suffix.lower() in (".npy", *_RECORDINGS)]
            if not fitting:
                raise IndexFileError(f"the folder {path} holds neither .npy files nor recordings")
            skipped += len(inside) - len(fitting)
            found += fitting
        elif not path.exists():
            raise IndexFileError(f"{path} does not exist: give recordings, .npy files or a folder")
        elif path.suffix.lower() in (".index", ".safetensors"):
            raise IndexFileError(f"{path} is an index already: use mlx-rvc index convert")
        else:
            found.append(path)
    found = list(dict.fromkeys(found))  # a file that is named twice counts once
    features = tuple(path for path in found if path.suffix.lower() == ".npy")
    recordings = tuple(path for path in found if path.suffix.lower() != ".npy")
    if features and recordings:
        raise IndexFileError(
            f"features ({features[0]}) and recordings ({recordings[0]}) together: build from one "
            "of them"
        )
    return Sources(features, recordings, skipped)


def read_features(paths: Sequence[Path]) -> np.ndarray:
    """The features of all files, (n, dim) float32. Raises IndexFileError for different widths."""
    return _joined(paths, [read_vectors(path) for path in paths])


def open_extractor(
    *, model: str | None, version: str | None, contentvec: str | None
) -> tuple[str, Extract]:
    """(identity, extract) of the package that makes features of recordings, loaded."""
    found = list(entry_points(group=GROUP))
    if not found:
        raise IndexFileError(
            "features of recordings come from mlx-rvc: pip install mlx-rvc, or give .npy files "
            "(mlx-rvc features)"
        )
    return found[0].load()(model=model, version=version, contentvec=contentvec)


class Cache:
    """The features of recordings, one file each, in a folder beside `output` until `clear`."""

    def __init__(self, output: Path, identity: str) -> None:
        self.folder = output.with_name(f".{output.stem}-features")
        self._identity = identity
        self.reused = 0

    def features(
        self, recordings: Sequence[Path], extract: Extract, done: Callable[[int], None]
    ) -> np.ndarray:
        """Features (n, dim) float32 of all recordings; `done` gets how many are finished."""
        self.folder.mkdir(exist_ok=True)
        parts = []
        for number, path in enumerate(recordings):
            parts.append(self._of(path, extract))
            done(number + 1)
        return _joined(recordings, parts)

    def clear(self) -> None:
        """Remove the folder: what was built from it is written."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _of(self, path: Path, extract: Extract) -> np.ndarray:
        about = path.stat()
        key = f"{path.resolve()}|{about.st_size}|{about.st_mtime_ns}|{self._identity}"
        file = self.folder / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.npy"
        if file.exists():
            self.reused += 1
        else:
            save_vectors(file, np.asarray(extract(path), np.float32))
        return np.load(file, mmap_mode="r")


def _joined(paths: Sequence[Path], parts: Sequence[np.ndarray]) -> np.ndarray:
    for path, part in zip(paths, parts, strict=True):
        if part.shape[1] != parts[0].shape[1]:
            raise IndexFileError(
                f"{path} holds features {part.shape[1]} wide, {paths[0]} {parts[0].shape[1]}: an "
                "index takes those of one encoder"
            )
    return np.concatenate(parts)
