"""The flags of a conversion: one list, which every command that converts shows and reads alike.

    @conversion_flags
    def convert(input_path: ..., *, voice: VoiceFiles, options: ConversionOptions) -> None:

The command's help shows its own parameters, then the flags in groups; what the flags say arrives in
`voice` and `options`. `--model` takes names of the library too, with their index and preset, and
`--config` and `--preset` take flags from files (`stored.py`): a command that says what was used has
a parameter `stored`.
"""

import functools
import inspect
from collections.abc import Callable, Collection
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlx_rvc.commands.stored import Stored, take_config, take_preset, take_voice, used
from mlx_rvc.options import ConversionOptions
from mlx_rvc.voice import find_voice

if TYPE_CHECKING:
    from mlx_rvc.pipeline import RVCPipeline

VOICE, PITCH, TIMBRE, SOUND, FILES = "Voice", "Pitch", "Timbre", "Sound", "Files"
"""Groups of flags in the help."""

BitDepth = Annotated[
    int | None,
    typer.Option(
        help="wav, aiff: 16, 24 or 32 (float); flac: 16 or 24 [default: 16].",
        rich_help_panel=SOUND,
    ),
]
KeepTags = Annotated[
    bool,
    typer.Option(
        "--keep-tags",
        help="Keep title, artist, album, date, genre, cover [default: none].",
        rich_help_panel=SOUND,
    ),
]
"""Flags of commands that write audio files."""

_DEFAULT = ConversionOptions  # its defaults: an object would check itself, and import NumPy
_SETTINGS_FILES = ("config", "preset")
_ANYWHERE = inspect.Parameter.POSITIONAL_OR_KEYWORD


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


def conversion_flags(
    command: Callable[..., None] | None = None, *, without: Collection[str] = ()
) -> Callable[..., Any]:
    """Give a command the flags of a conversion, in place of `voice`, `options` and `stored`.

    without: fields of `ConversionOptions` for which the command has no flag; they keep their
    defaults.
    """
    if command is None:
        return functools.partial(conversion_flags, without=without)
    own = inspect.signature(command, eval_str=True).parameters
    flags = inspect.signature(_flags).parameters
    shown = {name: flag for name, flag in flags.items() if name not in without}
    sources = [field.name for field in fields(VoiceFiles)]

    @functools.wraps(command)
    def run(context: typer.Context, **given: Any) -> None:
        taken = {name: given.pop(name) for name in shown if name not in _SETTINGS_FILES}
        files = {name: taken.pop(name) for name in sources}
        chosen = find_voice(files["model"], files["index"])
        files |= {"model": str(chosen.model), "index": chosen.index}
        if "stored" in own:
            given["stored"] = Stored(chosen.name, chosen.index, used(context))
        for name in _SETTINGS_FILES:
            given.pop(name, None)  # their callbacks have taken them
        command(**given, voice=VoiceFiles(**files), options=ConversionOptions(**taken))

    mine = [one for name, one in own.items() if name not in ("voice", "options", "stored")]
    arguments = [one for one in mine if one.default is one.empty]
    rest = [one.replace(kind=one.KEYWORD_ONLY) for one in mine if one.default is not one.empty]
    context = inspect.Parameter("context", _ANYWHERE, annotation=typer.Context)
    signature = inspect.Signature([context, *arguments, *shown.values(), *rest])
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
            is_eager=True,
            callback=take_voice,
            help="A name of the library, file, folder, owner/name, or 'demo'.",
            rich_help_panel=VOICE,
        ),
    ],
    speaker: Annotated[
        int,
        typer.Option("--speaker", "-s", help="Speaker number.", rich_help_panel=VOICE),
    ] = _DEFAULT.speaker,
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
            help="The voice's .index file (added_*) [default: the library's, if any].",
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
    rms_mix_rate: Annotated[
        float,
        typer.Option(help="0 = loudness of the input, 1 = of the voice.", rich_help_panel=SOUND),
    ] = _DEFAULT.rms_mix_rate,
    output_rate: Annotated[
        int | None,
        typer.Option(
            "--sample-rate",
            help="Output rate in Hz [default: the voice's].",
            rich_help_panel=SOUND,
        ),
    ] = _DEFAULT.output_rate,
    keep_stereo: Annotated[
        bool,
        typer.Option(
            "--keep-stereo",
            help="Two channels, the voice where it was in them [default: mono].",
            rich_help_panel=SOUND,
        ),
    ] = _DEFAULT.keep_stereo,
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
    config: Annotated[
        Path | None,
        typer.Option(
            is_eager=True,
            callback=take_config,
            help="TOML file of these flags (pitch = 12); flags go first [default: none].",
            rich_help_panel=FILES,
        ),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            is_eager=True,
            callback=take_preset,
            help="The same by name, from the folder of presets; --config goes first "
            "[default: none].",
            rich_help_panel=FILES,
        ),
    ] = None,
) -> None: ...
