"""The flags of a conversion: one list, which every command that converts shows and reads alike.

    @conversion_flags
    def convert(
        input_path: ..., *, voice: VoiceFiles, options: ConversionOptions, talk: Talk
    ) -> None:

The command's help shows its own parameters, then the flags in groups; what the flags say arrives in
`voice`, `options` and `talk`.
"""

import functools
import inspect
from collections.abc import Callable, Collection
from contextlib import nullcontext
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlx_rvc.options import ConversionOptions
from mlx_rvc_cli.console import silenced

if TYPE_CHECKING:
    from mlx_rvc.pipeline import RVCPipeline

VOICE, PITCH, TIMBRE, SOUND, FILES = "Voice", "Pitch", "Timbre", "Sound", "Files"
"""Groups of flags in the help."""

_DEFAULT = ConversionOptions  # the class holds the defaults; making one imports F0 methods


@dataclass(frozen=True)
class VoiceFiles:
    """Where the voice of a command comes from, and what goes with it; see `from_pretrained`."""

    model: str
    index: Path | None
    contentvec: str | None
    rmvpe: str | None

    def load(self) -> "RVCPipeline":
        """Load the voice; raises ValueError for what does not fit."""
        from mlx_rvc.pipeline import RVCPipeline

        return RVCPipeline.from_pretrained(
            self.model, index=self.index, contentvec=self.contentvec, rmvpe=self.rmvpe
        )


@dataclass(frozen=True)
class Talk:
    """What a command says: its summary as JSON, each stage's time; quiet silences the console."""

    as_json: bool
    verbose: bool
    quiet: bool

    def __post_init__(self) -> None:
        for name, wanted in (("--verbose", self.verbose), ("--json", self.as_json)):
            if self.quiet and wanted:
                raise typer.BadParameter(f"--quiet and {name} contradict each other; leave one out")


def conversion_flags(
    command: Callable[..., None] | None = None, *, without: Collection[str] = ()
) -> Callable[..., Any]:
    """Give a command the flags of a conversion, in place of `voice`, `options` and `talk`.

    without: fields of `ConversionOptions` for which the command has no flag; they keep their
    defaults.
    """
    if command is None:
        return functools.partial(conversion_flags, without=without)
    own = inspect.signature(command, eval_str=True).parameters
    flags = inspect.signature(_flags).parameters
    shown = {name: flag for name, flag in flags.items() if name not in without}

    @functools.wraps(command)
    def run(**given: Any) -> None:
        taken = {name: given.pop(name) for name in shown}
        voice = VoiceFiles(**{field.name: taken.pop(field.name) for field in fields(VoiceFiles)})
        talk = Talk(**{field.name: taken.pop(field.name) for field in fields(Talk)})
        with silenced() if talk.quiet else nullcontext():
            command(**given, voice=voice, options=ConversionOptions(**taken), talk=talk)

    mine = [one for name, one in own.items() if name not in ("voice", "options", "talk")]
    arguments = [one for one in mine if one.default is one.empty]
    rest = [one.replace(kind=one.KEYWORD_ONLY) for one in mine if one.default is not one.empty]
    signature = inspect.Signature([*arguments, *shown.values(), *rest])
    run.__dict__["__signature__"] = signature
    run.__annotations__ = {one.name: one.annotation for one in signature.parameters.values()}
    return run


def _flags(  # a prototype that is never called: its signature is the list
    *,
    model: Annotated[
        str,
        typer.Option(
            "--model",
            "-m",
            help="File, folder, owner/name, or 'demo'.",
            rich_help_panel=VOICE,
        ),
    ],
    speaker: Annotated[
        str,
        typer.Option(
            "--speaker", "-s", help="Speaker, number from 0 or name.", rich_help_panel=VOICE
        ),
    ] = str(_DEFAULT.speaker),
    contentvec: Annotated[
        str | None,
        typer.Option(
            help="Content encoder: file, folder or owner/name [default: the voice's].",
            rich_help_panel=VOICE,
        ),
    ] = None,
    pitch: Annotated[
        float,
        typer.Option(
            "--pitch",
            "-p",
            help="Shift in semitones, -48 to 48, fractions allowed.",
            rich_help_panel=PITCH,
        ),
    ] = _DEFAULT.pitch,
    auto_pitch: Annotated[
        str | None,
        typer.Option(
            metavar="HZ|voice",
            help="Shift the recording's median F0 to HZ, or to the voice's own; --pitch adds to it "
            "[default: off].",
            rich_help_panel=PITCH,
        ),
    ] = None,
    auto_pitch_step: Annotated[
        str,
        typer.Option(
            metavar="STEP",
            help="Round that shift to a semitone or an octave (keeps a song's key).",
            rich_help_panel=PITCH,
        ),
    ] = _DEFAULT.auto_pitch_step,
    autotune: Annotated[
        float,
        typer.Option(
            metavar="STRENGTH",
            help="Draw F0 to the notes of a scale, A4 = 440 Hz: 0 = not, 1 = fully.",
            rich_help_panel=PITCH,
        ),
    ] = _DEFAULT.autotune,
    autotune_scale: Annotated[
        str,
        typer.Option(
            metavar="SCALE",
            help="Notes for --autotune: chromatic, 'C major', 'F# minor', ...",
            rich_help_panel=PITCH,
        ),
    ] = _DEFAULT.autotune_scale,
    f0_method: Annotated[
        str | None,
        typer.Option(
            metavar="M",
            help="rmvpe, fcpe, crepe, swift-f0, harvest, dio, pm, ... or hybrid[a+b] "
            "[default: rmvpe; swift-f0 for the demo voice].",
            rich_help_panel=PITCH,
        ),
    ] = None,
    rmvpe: Annotated[
        str | None,
        typer.Option(
            help="RMVPE: file, folder or owner/name [default: the usual one].",
            rich_help_panel=PITCH,
        ),
    ] = None,
    f0_min: Annotated[
        float | None,
        typer.Option(help="Lowest F0 in Hz [default: the method's].", rich_help_panel=PITCH),
    ] = _DEFAULT.f0_min,
    f0_max: Annotated[
        float | None,
        typer.Option(help="Highest F0 in Hz [default: the method's].", rich_help_panel=PITCH),
    ] = _DEFAULT.f0_max,
    filter_radius: Annotated[
        int | None,
        typer.Option(
            help="Above 2: median of F0 over 3 frames of 10 ms [default: for harvest alone].",
            rich_help_panel=PITCH,
        ),
    ] = _DEFAULT.filter_radius,
    unvoiced: Annotated[
        str,
        typer.Option(
            help="F0 of unvoiced frames: zero, or interp to fill them.", rich_help_panel=PITCH
        ),
    ] = _DEFAULT.unvoiced,
    index: Annotated[
        Path | None,
        typer.Option(
            "--index",
            "-i",
            help="The voice's .index file (added_*) [default: none].",
            rich_help_panel=TIMBRE,
        ),
    ] = None,
    index_rate: Annotated[
        float,
        typer.Option(
            help="Share of the index in the features: 0 = own, 1 = the index's.",
            rich_help_panel=TIMBRE,
        ),
    ] = _DEFAULT.index_rate,
    protect: Annotated[
        float,
        typer.Option(
            help="Share of the index that consonants keep, 0 to 0.5 (off).",
            rich_help_panel=TIMBRE,
        ),
    ] = _DEFAULT.protect,
    formant: Annotated[
        float,
        typer.Option(
            metavar="SEMITONES",
            help="Shift of the formants in semitones, -12 (larger body) to 12; F0 stays.",
            rich_help_panel=TIMBRE,
        ),
    ] = _DEFAULT.formant,
    clean: Annotated[
        float,
        typer.Option(
            metavar="STRENGTH",
            help="Reduce noise before the conversion: 0 = not, 1 = fully (mlx-rvc[clean]).",
            rich_help_panel=SOUND,
        ),
    ] = _DEFAULT.clean,
    split_silence: Annotated[
        float | None,
        typer.Option(
            metavar="DB",
            help="Do not convert what stays for 2.5 s below DB dB relative to the loudest 20 ms, "
            "-90 to -10, as -50: it becomes silence [default: off].",
            rich_help_panel=SOUND,
        ),
    ] = _DEFAULT.split_silence,
    rms_mix_rate: Annotated[
        float,
        typer.Option(
            "--rms-mix-rate",
            "--volume-envelope",
            help="0 = loudness of the input, 1 = of the voice.",
            rich_help_panel=SOUND,
        ),
    ] = _DEFAULT.rms_mix_rate,
    output_rate: Annotated[
        int | None,
        typer.Option(
            "--sample-rate",
            help="Output rate in Hz [default: the voice's].",
            rich_help_panel=SOUND,
        ),
    ] = _DEFAULT.output_rate,
    chunk_seconds: Annotated[
        float,
        typer.Option(
            metavar="S",
            help="Length in s of the pieces of a long recording, 5 to 300; less takes less memory.",
            rich_help_panel=SOUND,
        ),
    ] = _DEFAULT.chunk_seconds,
    seed: Annotated[
        int | None,
        typer.Option(help="Makes the run repeatable [default: random].", rich_help_panel=SOUND),
    ] = _DEFAULT.seed,
    f0_file: Annotated[
        Path | None,
        typer.Option(
            help="F0 to use instead, CSV time,Hz; not shifted [default: none].",
            rich_help_panel=FILES,
        ),
    ] = None,
    save_f0: Annotated[
        Path | None,
        typer.Option(
            help="Write the F0 that the voice gets, CSV time,Hz [default: none].",
            rich_help_panel=FILES,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Say on stderr what each stage took, as it ends.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
) -> None: ...
