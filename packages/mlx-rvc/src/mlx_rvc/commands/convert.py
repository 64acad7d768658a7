"""`mlx-rvc convert`: one recording, one voice, one converted recording."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlx_rvc_cli.console import emit, progress, reserve_stdout

if TYPE_CHECKING:
    from mlx_rvc.run import Conversion


def convert(
    input_path: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT", help="Recording or video: wav, mp3, m4a, mp4, ...; - = stdin."
        ),
    ],
    output_path: Annotated[
        Path,
        typer.Argument(
            metavar="OUTPUT", help="wav, flac, mp3, ogg, opus, m4a, aiff; - = wav to stdout."
        ),
    ],
    model: Annotated[
        str, typer.Option("--model", "-m", help="Voice: file, folder, owner/name, or 'demo'.")
    ],
    index: Annotated[
        Path | None, typer.Option("--index", "-i", help="The voice's .index file (added_*).")
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
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
    keep_stereo: Annotated[
        bool, typer.Option("--keep-stereo", help="Two channels, the voice where it was in them.")
    ] = False,
    keep_tags: Annotated[
        bool, typer.Option("--keep-tags", help="Keep title, artist, album, date, genre, cover.")
    ] = False,
    bit_depth: Annotated[
        int | None,
        typer.Option(help="wav, aiff: 16, 24 or 32 (float); flac: 16 or 24 [default: 16]."),
    ] = None,
) -> None:
    """Convert the voice in a recording.

    The words, the timing and the melody stay; the output is exactly as long as the input.
    """
    from mlx_rvc.pipeline import convert_voice

    if str(output_path) == "-":
        reserve_stdout()
    with progress(f"converting {input_path.name}", total=1.0) as shown:
        result = convert_voice(
            input_path,
            output_path,
            model,
            index=index,
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
            keep_stereo=keep_stereo,
            keep_tags=keep_tags,
            bit_depth=bit_depth,
        )
    emit(summary(result), as_json=as_json, text=lambda: sentence(result))


def summary(result: "Conversion") -> dict[str, object]:
    """The summary of a conversion as JSON shows it; times in seconds."""
    return {
        "output": str(result.output_path),
        "duration": round(result.duration, 6),
        "sample_rate": result.sample_rate,
        "seconds": round(result.seconds, 3),
        "real_time_factor": round(result.real_time_factor, 4),
        "f0_outside": result.f0_outside,
        "notes": list(result.notes),
        "stages": {stage: round(seconds, 3) for stage, seconds in result.stages.items()},
    }


def sentence(result: "Conversion") -> str:
    """The summary of a conversion for people."""
    stages = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in result.stages.items())
    output = "standard output" if str(result.output_path) == "-" else result.output_path
    text = (
        f"{output}: {result.duration:.1f} s at {result.sample_rate} Hz, converted in "
        f"{result.seconds:.1f} s ({result.real_time_factor:.2f} of real time: {stages})"
    )
    if result.f0_outside:
        from mlx_f0.curve import VOICE_RANGE_HZ

        low, high = VOICE_RANGE_HZ
        text += (
            f"; the pitch of {result.f0_outside} frames lies outside the {low:g} to {high:g} Hz "
            f"that RVC voices tell apart"
        )
    return "; ".join([text, *result.notes])
