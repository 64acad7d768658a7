"""`mlx-rvc convert`: one recording, one voice, one converted recording."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlx_rvc.commands.stored import COMMAND_LINE, take_config, take_preset, take_voice, used
from mlx_rvc_cli.console import emit, progress

if TYPE_CHECKING:
    from mlx_rvc.run import Conversion
    from mlx_rvc.voice import ChosenVoice


def convert(
    context: typer.Context,
    input_path: Annotated[
        Path, typer.Argument(metavar="INPUT", help="Recording: wav, flac, ogg, mp3; any rate.")
    ],
    output_path: Annotated[
        Path, typer.Argument(metavar="OUTPUT", help="Converted recording; format by extension.")
    ],
    model: Annotated[
        str,
        typer.Option(
            "--model",
            "-m",
            is_eager=True,
            callback=take_voice,
            help="Voice: a name of the library, file, folder, owner/name, or 'demo'.",
        ),
    ],
    index: Annotated[
        Path | None,
        typer.Option(
            "--index",
            "-i",
            help="The voice's .index file (added_*) [default: the library's, for its voices].",
        ),
    ] = None,
    index_rate: Annotated[
        float, typer.Option(help="0 = own features, 1 = those of the index.")
    ] = 0.75,
    pitch: Annotated[
        float, typer.Option("--pitch", "-p", help="Shift in semitones, fractions allowed.")
    ] = 0.0,
    f0_method: Annotated[
        str | None,
        typer.Option(
            metavar="M",
            help="rmvpe, fcpe, crepe, swift-f0, harvest, dio, pm, ... or hybrid[a+b] "
            "[default: rmvpe; swift-f0 for the demo voice].",
        ),
    ] = None,
    f0_min: Annotated[
        float | None, typer.Option(help="Lowest F0 in Hz [default: the method's].")
    ] = None,
    f0_max: Annotated[
        float | None, typer.Option(help="Highest F0 in Hz [default: the method's].")
    ] = None,
    filter_radius: Annotated[
        int | None,
        typer.Option(help="Above 2: median of F0 over 3 frames [default: for harvest alone]."),
    ] = None,
    unvoiced: Annotated[
        str, typer.Option(help="F0 of unvoiced frames: zero, or interp to fill them.")
    ] = "zero",
    f0_file: Annotated[
        Path | None, typer.Option(help="F0 to use instead, CSV time,Hz; not shifted.")
    ] = None,
    save_f0: Annotated[
        Path | None, typer.Option(help="Write the F0 that the voice gets, CSV time,Hz.")
    ] = None,
    protect: Annotated[
        float, typer.Option(help="Share of the index that consonants keep, 0 to 0.5 (off).")
    ] = 0.33,
    rms_mix_rate: Annotated[
        float, typer.Option(help="0 = loudness of the input, 1 = of the voice.")
    ] = 0.25,
    speaker: Annotated[int, typer.Option("--speaker", "-s", help="Speaker number.")] = 0,
    sample_rate: Annotated[
        int | None, typer.Option(help="Output rate in Hz [default: the voice's].")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Makes the run repeatable.")] = None,
    contentvec: Annotated[
        str | None, typer.Option(help="Content encoder: file, folder or owner/name.")
    ] = None,
    rmvpe: Annotated[str | None, typer.Option(help="RMVPE: file, folder or owner/name.")] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            is_eager=True,
            callback=take_config,
            help="TOML file of these options (pitch = 12); what is given here goes first.",
        ),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            is_eager=True,
            callback=take_preset,
            help="The same by name, from the folder of presets; --config goes first.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Convert the voice in a recording.

    The words, the timing and the melody stay; the output is exactly as long as the input.
    """
    from mlx_rvc.pipeline import convert_voice
    from mlx_rvc.voice import find_voice

    voice = find_voice(model, index)
    settings = used(context)
    with progress(f"converting {input_path.name}", total=1.0) as shown:
        result = convert_voice(
            input_path,
            output_path,
            voice.model,
            index=voice.index,
            contentvec=contentvec,
            rmvpe=rmvpe,
            progress=shown.update,
            pitch=pitch,
            f0_method=f0_method,
            f0_min=f0_min,
            f0_max=f0_max,
            filter_radius=filter_radius,
            unvoiced=unvoiced,
            f0_file=f0_file,
            save_f0=save_f0,
            index_rate=index_rate,
            protect=protect,
            rms_mix_rate=rms_mix_rate,
            speaker=speaker,
            output_rate=sample_rate,
            seed=seed,
        )
    emit(
        {**summary(result), "voice": voice.name, "index": voice.index, "settings": settings},
        as_json=as_json,
        text=lambda: sentence(result) + _taken(voice, settings),
    )


def _taken(voice: "ChosenVoice", settings: dict[str, dict[str, Any]]) -> str:
    """What was taken from the library and from files of settings, for people."""
    parts = [
        f"{key} {setting['value']} ({setting['from']})"
        for key, setting in settings.items()
        if setting["from"] != COMMAND_LINE
    ]
    if voice.name is not None and voice.index is not None:
        parts.insert(0, f"index {Path(voice.index).name}")
    return f"; with {', '.join(parts)}" if parts else ""


def summary(result: "Conversion") -> dict[str, object]:
    """The summary of a conversion as JSON shows it; times in seconds."""
    return {
        "output": str(result.output_path),
        "duration": round(result.duration, 6),
        "sample_rate": result.sample_rate,
        "seconds": round(result.seconds, 3),
        "real_time_factor": round(result.real_time_factor, 4),
        "f0_outside": result.f0_outside,
        "stages": {stage: round(seconds, 3) for stage, seconds in result.stages.items()},
    }


def sentence(result: "Conversion") -> str:
    """The summary of a conversion for people."""
    stages = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in result.stages.items())
    text = (
        f"{result.output_path}: {result.duration:.1f} s at {result.sample_rate} Hz, converted in "
        f"{result.seconds:.1f} s ({result.real_time_factor:.2f} of real time: {stages})"
    )
    if result.f0_outside:
        from mlx_f0.curve import VOICE_RANGE_HZ

        low, high = VOICE_RANGE_HZ
        text += (
            f"; the pitch of {result.f0_outside} frames lies outside the {low:g} to {high:g} Hz "
            f"that RVC voices tell apart"
        )
    return text
