"""`mlx-rvc batch`: many recordings, one voice that is loaded once, or once for each job."""

import dataclasses
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlx_rvc.commands.batch_work import Shown, Work
from mlx_rvc.commands.flags import FILES, BitDepth, KeepTags
from mlx_rvc.commands.options import Talk, VoiceFiles, conversion_flags
from mlx_rvc.commands.stored import Stored
from mlx_rvc.options import ConversionOptions
from mlx_rvc_cli.console import emit, format_table, progress

if TYPE_CHECKING:
    from mlx_rvc.batch import Item, Outcome

ONE_FILE = ("f0_file", "save_f0")
"""Options that name one file, which many recordings cannot share."""


def _at_least_one(jobs: int) -> int:
    from mlx_rvc_cli.errors import CommandError

    if jobs < 1:
        raise CommandError(f"--jobs is {jobs}; give how many recordings at a time, 1 or more")
    return jobs


@conversion_flags(without=ONE_FILE)
def batch(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...",
            help="Recordings, folders with all below them, patterns such as 'takes/*.wav'.",
        ),
    ],
    *,
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", metavar="DIR", help="Folder of the conversions.", rich_help_panel=FILES
        ),
    ],
    voice: VoiceFiles,
    options: ConversionOptions,
    stored: Stored,
    talk: Talk,
    output_format: Annotated[
        str,
        typer.Option("--format", "-f", help="Extension of the outputs.", rich_help_panel=FILES),
    ] = "wav",
    bit_depth: BitDepth = None,
    keep_tags: KeepTags = False,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite",
            help="Make outputs anew that are there [default: skip them].",
            rich_help_panel=FILES,
        ),
    ] = False,
    jobs: Annotated[
        int,
        typer.Option(
            "--jobs",
            "-j",
            metavar="N",
            callback=_at_least_one,
            help="Recordings at a time, each in a process with its own models and its share of the "
            "CPU's threads. Worth it on a CPU; on a GPU, which they share, rarely.",
        ),
    ] = 1,
) -> None:
    """Convert many recordings with one voice, each into DIR under its own name.

    Folders keep their structure. What fails does not stop the rest: it is listed at the end, and
    the exit status is 1. Start a stopped batch again with the same command: it goes on where it
    was. DIR/mlx-rvc-batch.jsonl records every recording as it ends.

    Examples:
      mlx-rvc batch album/ --out album-converted --model voice.pth --format flac
      mlx-rvc batch 'takes/*.wav' talk.mp4 --out out -m voice.pth -p 12 --jobs 2
    """
    from mlx_rvc.batch import Manifest, Status, collect, run, run_side_by_side
    from mlx_rvc.cleaning import check_installed
    from mlx_rvc.output import Output
    from mlx_rvc_cli.audio import READABLE
    from mlx_rvc_cli.errors import CommandError
    from mlx_rvc_cli.formats import format_of

    extension = f".{output_format.lower().removeprefix('.')}"
    format_of(Path(f"any{extension}"))
    items, passed = collect(inputs, extension, READABLE, outputs=out)
    if out.exists() and not out.is_dir():
        raise CommandError(f"{out} is a file; give a folder for the conversions")
    options.check_rmvpe(voice.rmvpe)
    if options.clean:
        check_installed()
    pipeline = voice.load()
    pipeline.check_fits(options)
    if pipeline.synthesizer.config.f0:
        pipeline.method(options.f0_method)  # what it lacks is said once, not for each recording
    new = not out.exists()
    out.mkdir(parents=True, exist_ok=True)
    try:
        Output(out / f"any{extension}", bit_depth, keep_tags).check(options.output_rate)
    except ValueError:
        if new:
            out.rmdir()
        raise
    manifest = Manifest(out, _settings(voice, options, bit_depth, keep_tags))

    durations = {item: _duration(item) for item in items}
    work = Work(voice, options, bit_depth, keep_tags, talk.verbose)
    outcomes: list[Outcome] = []
    with progress(f"converting {len(items)} recordings", total=sum(durations.values())) as bar:
        shown = Shown(bar, durations, jobs)
        if jobs == 1:
            convert = work.with_voice(pipeline, lambda said: shown.hear(items[len(outcomes)], said))
            ended = run(items, out, manifest, convert, overwrite=overwrite)
        else:
            del pipeline  # each process loads its own
            ended = run_side_by_side(
                items, out, manifest, work, jobs=jobs, overwrite=overwrite, hear=shown.hear
            )
        with closing(ended):
            for outcome in ended:
                outcomes.append(outcome)
                shown.ended(outcome)
    places = {item: place for place, item in enumerate(items)}
    outcomes.sort(key=lambda outcome: places[outcome.item])
    failed = [outcome for outcome in outcomes if outcome.status is Status.FAILED]
    data = _report(out, jobs, outcomes, [(each.path, each.reason) for each in passed])
    data |= stored.to_dict()
    emit(data, as_json=talk.as_json, text=lambda: _text(data, failed, stored.sentence()))
    if failed:
        raise typer.Exit(1)


def _settings(
    voice: VoiceFiles, options: ConversionOptions, bit_depth: int | None, keep_tags: bool
) -> dict[str, Any]:
    """Everything that makes two conversions of one recording different."""
    files = {"bit_depth": bit_depth, "keep_tags": keep_tags}
    return {**dataclasses.asdict(voice), **dataclasses.asdict(options), **files}


def _duration(item: "Item") -> float:
    """Seconds of a recording, for the progress; an unreadable one counts little."""
    from mlx_rvc_cli.audio import AudioReader

    try:
        with AudioReader(item.source) as reader:
            return max(reader.duration or 0.0, 0.1)
    except (ValueError, OSError):
        return 0.1


def _report(
    out: Path, jobs: int, outcomes: list["Outcome"], passed: list[tuple[Path, str]]
) -> dict[str, Any]:
    from mlx_rvc.batch import MANIFEST, Status, as_json

    counts = {
        status.value: sum(outcome.status is status for outcome in outcomes) for status in Status
    }
    return {
        "output": str(out),
        "manifest": str(out / MANIFEST),
        "jobs": jobs,
        **counts,
        "passed_over": [{"path": str(path), "reason": reason} for path, reason in passed],
        "recordings": [as_json(outcome) for outcome in outcomes],
    }


def _text(data: dict[str, Any], failed: list["Outcome"], stored: str) -> str:
    text = (
        f"{data['output']}: {data['done']} done, {data['skipped']} skipped, {data['failed']} failed"
    )
    if data["passed_over"]:
        text += f"; {len(data['passed_over'])} files passed over, which are hidden or no audio"
    text += stored
    if failed:
        rows = [(str(outcome.item.source), outcome.note) for outcome in failed]
        text += "\n\n" + format_table(rows, ("failed", "why"))
    return text
