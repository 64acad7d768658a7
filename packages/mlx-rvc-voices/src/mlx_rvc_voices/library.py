"""The library: voices added, found, checked, renamed and removed, each in one step."""

import contextlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from mlx_rvc_voices import naming
from mlx_rvc_voices.archive import Progress
from mlx_rvc_voices.choosing import Chosen, archive_of, choose
from mlx_rvc_voices.errors import VoiceError
from mlx_rvc_voices.place import library_folder
from mlx_rvc_voices.recognising import index_width, recognise
from mlx_rvc_voices.record import RECORD, Kept, Voice, read_record, write_record
from mlx_rvc_voices.sources import (
    CONFIG,
    Source,
    bring_file,
    config_names,
    open_source,
    opened_archive,
)
from mlx_rvc_voices.staging import copied, removed, staging_folder

Check = Callable[[Path], object]
"""Reads a file in full and raises ValueError when it cannot be used."""


@dataclass(frozen=True)
class Added:
    """What `Library.add` did: `new` is False where the voice was there already, by its hash."""

    voice: Voice
    new: bool
    notes: list[str]


class Library:
    """The voices below one folder.

    folder: MLX_RVC_VOICES, else the user's data folder (`library_folder`). check_voice,
    check_index: what reads a voice file, or an index, in full: the library itself only recognises
    them. Whatever they return is ignored.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] | None = None,
        *,
        check_voice: Check | None = None,
        check_index: Check | None = None,
    ) -> None:
        self.folder = library_folder() if folder is None else Path(folder)
        self._check_voice = check_voice
        self._check_index = check_index

    def names(self) -> list[str]:
        """Give the names of all voices, also of those whose voice.json is damaged."""
        if not self.folder.is_dir():
            return []
        return sorted(
            (
                path.name
                for path in self.folder.iterdir()
                if not path.name.startswith(".") and (path / RECORD).is_file()
            ),
            key=str.casefold,
        )

    def get(self, name: str) -> Voice:
        """Give a voice. Raises VoiceError that lists near names where there is none."""
        names = self.names()
        if name not in names:
            close = naming.near(name, names)
            hint = f"; is it {' or '.join(close)}?" if close else ""
            if not names:
                hint = "; it is empty: add a voice with mlx-rvc voices add"
            raise VoiceError(f"there is no voice {name!r} in the library {self.folder}{hint}")
        return read_record(self.folder / name)

    def add(
        self,
        source: str,
        *,
        name: str | None = None,
        index: str | None = None,
        file: str | None = None,
        progress: Progress = lambda done, total: None,
    ) -> Added:
        """Add a voice.

        source: a file (.pth, .safetensors, .npz, .zip), a folder, a link or a hub repository.
        name: what to call it, else made from the file's. index: a file or link of its index;
        else the source's own that fits. file: which voice of the source, where there are several.
        progress: called with bytes done and their total (None where unknown).

        The voice appears in the library whole, in one step. Raises VoiceError, or another
        ValueError of one line, and leaves the library as it was.
        """
        if name is not None:
            name = naming.check_name(name)
        with staging_folder(self.folder) as staging:
            opened = open_source(source, staging, progress)
            archive = archive_of(opened, file)
            if archive is not None:
                opened = opened_archive(opened, archive, staging, progress)
                file = None
            chosen = choose(opened, file, with_index=index is None)
            if index is not None:
                chosen = self._with_index(chosen, bring_file(index, staging / "index", progress))
            return self._keep(opened, chosen, name, staging, progress)

    def remove(self, name: str) -> None:
        """Remove a voice with its files; a damaged one too."""
        if name not in self.names():
            self.get(name)
        removed(self.folder / name)

    def rename(self, name: str, to: str) -> Voice:
        """Give a voice another name."""
        voice = self.get(name)
        to = naming.check_name(to)
        self._check_free(to, besides=name)
        voice.folder.rename(self.folder / to)
        renamed = replace(voice, folder=self.folder / to)
        write_record(renamed, renamed.folder)
        return renamed

    def set_preset(self, name: str, preset: Mapping[str, Any]) -> Voice:
        """Store the settings with which a voice is converted, in place of those it had."""
        voice = replace(self.get(name), preset=dict(preset))
        write_record(voice, voice.folder)
        return voice

    def check(self, name: str) -> list[str]:
        """Read all files of a voice and give what is wrong with it, a line each; [] = all well."""
        from mlx_weights import sha256

        try:
            voice = self.get(name)
        except VoiceError as error:
            return [str(error)]
        problems = []
        for file, kept in voice.files.items():
            path = voice.folder / file
            if not path.is_file():
                problems.append(f"{file} is missing; remove the voice and add it again")
            elif path.stat().st_size != kept.bytes or sha256(path) != kept.sha256:
                problems.append(
                    f"{file} is not what was added (its SHA-256 differs); remove the voice and "
                    f"add it again"
                )
        if not problems:
            try:
                self._check_whole(voice.model_path, voice.index_path)
            except ValueError as error:
                problems.append(str(error))
        return problems

    def _check_whole(self, model: Path, index: Path | None) -> None:
        recognise(model)
        if self._check_voice is not None:
            self._check_voice(model)
        if index is not None:
            index_width(index)
            if self._check_index is not None:
                self._check_index(index)

    def _with_index(self, chosen: Chosen, path: Path) -> Chosen:
        width = index_width(path)
        if chosen.model.width not in (None, width):
            raise VoiceError(
                f"the index {path.name} is {width} wide, the voice takes {chosen.model.width}; "
                f"give the index that was made with this voice"
            )
        return replace(chosen, index=path)

    def _check_free(self, name: str, besides: str | None = None) -> None:
        for known in self.names():
            if known != besides and naming.same_name(known, name):
                raise VoiceError(
                    f"there is a voice {known!r} in the library already; choose another name, or "
                    f"remove it first (mlx-rvc voices remove {known!r})"
                )

    def _keep(
        self,
        source: Source,
        chosen: Chosen,
        name: str | None,
        staging: Path,
        progress: Progress,
    ) -> Added:
        """Copy the chosen files, check the copies, and give the folder its name."""
        whole = staging / "whole"
        whole.mkdir()
        wanted = {_free_name(chosen.item.base): chosen.model.path}
        model = next(iter(wanted))
        index = None
        if chosen.index is not None:
            index = naming.plain_file_name(chosen.index.name)
            index = index if index not in (*wanted, RECORD, CONFIG) else f"added_{index}"
            wanted[index] = chosen.index
        if chosen.config is not None:
            own = chosen.config.name != CONFIG
            wanted[str(PurePosixPath(model).with_suffix(".json")) if own else CONFIG] = (
                chosen.config
            )
        files = copied(wanted, whole, progress)
        there = self._same(files[model].sha256)
        if there is not None:
            self._check_same(there, name, files.get(index) if index else None)
            return Added(there, False, chosen.notes)
        self._check_whole(whole / model, None if index is None else whole / index)
        if name is None:
            stem = PurePosixPath(chosen.item.name).stem
            name = naming.name_from(stem, source.stem)
        self._check_free(name)
        voice = Voice(
            folder=whole,
            model=model,
            index=index,
            files=files,
            kind=chosen.model.kind,
            width=chosen.model.width,
            source=source.origin,
            added=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        write_record(voice, whole, name)
        folder = self.folder / name
        try:
            whole.rename(folder)
        except OSError as error:
            raise VoiceError(
                f"{folder} cannot be made ({error.strerror}); choose another name with --name"
            ) from None
        return Added(replace(voice, folder=folder), True, chosen.notes)

    def _same(self, sha256: str) -> Voice | None:
        for name in self.names():
            with contextlib.suppress(VoiceError):
                voice = self.get(name)
                if voice.sha256 == sha256:
                    return voice
        return None

    def _check_same(self, there: Voice, name: str | None, index: Kept | None) -> None:
        """Refuse to answer "it is there" where what is there is not what was asked for."""
        if name not in (None, there.name):
            raise VoiceError(
                f"this voice is in the library already, as {there.name!r} (the same SHA-256); "
                f"rename it: mlx-rvc voices rename {there.name!r} {name!r}"
            )
        kept = None if there.index is None else there.files[there.index]
        if index is not None and (kept is None or kept.sha256 != index.sha256):
            found = "without an index" if kept is None else "with another index"
            raise VoiceError(
                f"this voice is in the library already, as {there.name!r}, but {found}; remove it "
                f"first: mlx-rvc voices remove {there.name!r}"
            )


def _free_name(base: str) -> str:
    """A file's own name, made harmless, and no other's."""
    name = naming.plain_file_name(base)
    # The record must not be read as the configuration of a voice of its name.
    taken = name in (RECORD, CONFIG) or RECORD in config_names(name)
    return f"voice-{name}" if taken else name
