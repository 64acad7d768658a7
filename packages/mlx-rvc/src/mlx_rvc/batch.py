"""Many recordings, one voice: which files, what is done already, and a record of what happened.

    inputs (files, folders, patterns) -> items (recording, place below the output folder)
    each item -> done | skipped, because its output is there | failed, and the rest goes on

One after another in this process, or side by side in several (`workers.py`). The manifest,
`mlx-rvc-batch.jsonl` in the output folder, has a line for each item as it ends, so that a run that
was stopped, or killed, goes on where it was.
"""

import glob
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath
from typing import Any

from mlx_rvc.manifest import MANIFEST, Item, Manifest, Outcome, Status, as_json, identity
from mlx_rvc.workers import Died, Tell, side_by_side
from mlx_rvc_cli.errors import CommandError, describe, printable

__all__ = [
    "MANIFEST",
    "Convert",
    "Item",
    "Manifest",
    "Outcome",
    "Passed",
    "Status",
    "Tell",
    "as_json",
    "collect",
    "run",
    "run_side_by_side",
]


@dataclass(frozen=True)
class Passed:
    """A file that is no recording, and why that is thought."""

    path: Path
    reason: str


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


Convert = Callable[[Path, Path], Mapping[str, Any]]
"""Called with a recording and an output path whose folder exists; it writes the output whole or not
at all, and returns a summary. ValueError, OSError and MemoryError fail that recording only."""


def run(
    items: Sequence[Item],
    folder: Path,
    manifest: Manifest,
    convert: Convert,
    *,
    overwrite: bool = False,
) -> Generator[Outcome, None, None]:
    """Convert the items one after another; yields each as it ends.

    An output that is there is skipped; `overwrite` makes it anew, except for what a run of the same
    settings had made before it was stopped. What `convert` raises that is not of one recording
    stops the run.
    """
    _begin(items, manifest, overwrite)
    for item in items:
        outcome = _settled(item, folder, manifest, overwrite)
        if outcome is None:
            outcome = _converted(item, folder, convert)
        manifest.record(outcome)
        yield outcome
    manifest.end()


def run_side_by_side(
    items: Sequence[Item],
    folder: Path,
    manifest: Manifest,
    start: Callable[[Tell], Convert],
    *,
    jobs: int,
    overwrite: bool = False,
    hear: Callable[[Item, Any], None] | None = None,
) -> Generator[Outcome, None, None]:
    """As `run`, with so many recordings at a time, each in a process that loads the models once.

    start: picklable; called in each process, it loads them and returns `convert`. What it is called
    with tells `hear`, here, something of the item in work, such as the share that is done.
    Yields what is skipped first, then items as they end. An item whose process dies has failed, and
    another process takes the next. Raises ValueError for jobs below 1. A program that calls this
    needs `if __name__ == "__main__":`, as for everything that `multiprocessing` spawns. Close the
    iterator to end early: no process stays.
    """
    if jobs < 1:
        raise ValueError(f"jobs is {jobs}; at least 1 recording at a time is expected")
    _begin(items, manifest, overwrite)
    waiting: list[Item] = []
    for item in items:
        outcome = _settled(item, folder, manifest, overwrite)
        if outcome is None:
            waiting.append(item)
        else:
            manifest.record(outcome)
            yield outcome
    work = partial(_work, start, folder)
    with closing(side_by_side(waiting, work, jobs=jobs, hear=hear)) as ended:
        for item, found in ended:
            outcome = _died(item, found) if isinstance(found, Died) else found
            manifest.record(outcome)
            yield outcome
    manifest.end()


def _begin(items: Sequence[Item], manifest: Manifest, overwrite: bool) -> None:
    resumed = overwrite and any(manifest.in_unfinished_run(item) for item in items)
    manifest.start(resumed=resumed)


def _settled(item: Item, folder: Path, manifest: Manifest, overwrite: bool) -> Outcome | None:
    """How an item ends that need not, or must not, be converted."""
    output = folder / item.target
    try:
        if not output.exists():
            return None
        if output.samefile(item.source):
            raise CommandError(
                f"{item.source} would be replaced by its conversion; choose another --out"
            )
    except (ValueError, OSError) as error:
        return Outcome(item, Status.FAILED, describe(error))
    if not overwrite:
        return Outcome(item, Status.SKIPPED, _why_skipped(item, manifest))
    if manifest.in_unfinished_run(item):
        return Outcome(item, Status.SKIPPED, "made before the run was stopped")
    return None


def _converted(item: Item, folder: Path, convert: Convert) -> Outcome:
    output = folder / item.target
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        recording = identity(item.source)
        return Outcome(item, Status.DONE, "", convert(item.source, output), recording)
    except (ValueError, OSError, MemoryError) as error:
        return Outcome(item, Status.FAILED, describe(error))


def _work(start: Callable[[Tell], Convert], folder: Path, tell: Tell) -> Callable[[Item], Outcome]:
    """What a worker does, all of it picklable but the result."""
    convert = start(tell)
    return lambda item: _converted(item, folder, convert)


def _died(item: Item, how: Died) -> Outcome:
    text = (
        f"the worker process {how} while converting {item.source}; start the batch again to try "
        f"it once more, with fewer jobs if memory was short"
    )
    return Outcome(item, Status.FAILED, printable(text))


def _why_skipped(item: Item, manifest: Manifest) -> str:
    if manifest.is_current(item):
        return "made already"
    if manifest.made(item) is not None:
        return "there already, made with other settings (--overwrite makes it anew)"
    return "there already (--overwrite makes it anew)"
