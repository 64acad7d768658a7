"""The list of a conversion's flags, in the groups and the order in which the help shows them."""

from pathlib import Path
from typing import Annotated

import typer

from mlx_rvc.commands.stored import take_config, take_preset, take_voice
from mlx_rvc.options import ConversionOptions

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

_DEFAULT = ConversionOptions  # the class holds the defaults; an object would check itself


def flags(
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
        str,
        typer.Option(
            "--speaker", "-s", help="Speaker, number from 0 or name.", rich_help_panel=VOICE
        ),
    ] = str(_DEFAULT.speaker),
    contentvec: Annotated[
        str | None,
        typer.Option(
            help="Content encoder: file, folder, owner/name or name [default: the voice's].",
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
            help="The voice's .index file (added_*) [default: the one with it in the library or "
            "inside its file].",
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
    keep_stereo: Annotated[
        bool,
        typer.Option(
            "--keep-stereo",
            help="Two channels, the voice where it was in them [default: mono].",
            rich_help_panel=SOUND,
        ),
    ] = _DEFAULT.keep_stereo,
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
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Say on stderr what each stage took, as it ends.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
) -> None:
    """Hold the list as a signature (`conversion_flags` reads it); this is never called."""
