"""`mlx-rvc convert`: one recording, one voice, one converted recording."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlx_rvc.commands.flags import FILES, BitDepth, KeepTags
from mlx_rvc.commands.options import Talk, VoiceFiles, conversion_flags
from mlx_rvc.commands.stored import Stored
from mlx_rvc.options import ConversionOptions
from mlx_rvc_cli.console import emit, progress, reserve_stdout

if TYPE_CHECKING:
    from mlx_rvc.run import Conversion


@conversion_flags
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
    *,
    voice: VoiceFiles,
    options: ConversionOptions,
    stored: Stored,
    talk: Talk,
    bit_depth: BitDepth = None,
    keep_tags: KeepTags = False,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="PNG",
            help="Draw input and output side by side: waveform, spectrogram, F0 [default: none].",
            rich_help_panel=FILES,
        ),
    ] = None,
) -> None:
    """Convert the voice in a recording.

    The words, the timing and the melody stay; the output is exactly as long as the input.

    Examples:
      mlx-rvc convert me.wav them.wav --model voice.pth --index voice.index
      mlx-rvc convert song.mp3 sung.mp3 -m voice.pth --auto-pitch 220 --keep-tags
      mlx-rvc convert me.wav them.wav -m singer --preset live --plot them.png
      ffmpeg -i talk.mkv -f wav - | mlx-rvc convert - - -m demo > talk.wav
    """
    from mlx_rvc.pipeline import convert_voice

    if plot is not None:
        _check_plot(plot, input_path, output_path)
    if str(output_path) == "-":
        reserve_stdout()
    with progress(f"converting {input_path.name}", total=1.0) as shown:
        result = convert_voice(
            input_path,
            output_path,
            voice.model,
            index=voice.index,
            contentvec=voice.contentvec,
            rmvpe=voice.rmvpe,
            options=options,
            progress=shown.update,
            bit_depth=bit_depth,
            keep_tags=keep_tags,
            on_stage=(lambda *end: shown.note(stage_line(*end))) if talk.verbose else None,
        )
        if plot is not None:
            shown.describe("drawing")
            _draw(plot, input_path, result, options)
    emit(
        {"input": input_path, **summary(result), **stored.to_dict(), "picture": plot},
        as_json=talk.as_json,
        text=lambda: sentence(result) + stored.sentence(),
    )


def _check_plot(plot: Path, input_path: Path, output_path: Path) -> None:
    from mlx_rvc_cli.picture import check_picture

    check_picture(plot)
    if "-" in (str(input_path), str(output_path)):
        raise ValueError("a picture needs files, and - is a pipe: leave out --plot, or name files")


def _draw(plot: Path, input_path: Path, result: "Conversion", options: ConversionOptions) -> None:
    """Draw input and output; behind the output's F0 the input's, where it is only shifted."""
    from mlx_rvc.comparison import Shown, draw_comparison

    only_shifted = options.f0_file is None and not options.autotune
    pitch = options.pitch + (result.auto_shift or 0) if only_shifted else None
    both = [Shown(input_path, "input"), Shown(result.output_path, "output", pitch)]
    draw_comparison(plot, both)


def stage_line(stage: str, seconds: float) -> str:
    """What a stage took, as `--verbose` says it."""
    return f"{stage}: {seconds:.2f} s"


def summary(result: "Conversion") -> dict[str, Any]:
    """The summary of a conversion as JSON shows it (docs/json)."""
    return {
        "output": str(result.output_path),
        "duration_s": round(result.duration, 6),
        "sample_rate": result.sample_rate,
        "elapsed_s": round(result.seconds, 3),
        "real_time_factor": round(result.real_time_factor, 4),
        "speaker": result.speaker,
        "auto_pitch_semitones": result.auto_shift,
        "silence_s": round(result.silence_s, 3),
        "frames_outside_voice_range": result.f0_outside,
        "notes": list(result.notes),
        "stages_s": {stage: round(seconds, 3) for stage, seconds in result.stages.items()},
    }


def sentence(result: "Conversion") -> str:
    """The summary of a conversion for people."""
    stages = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in result.stages.items())
    output = "standard output" if str(result.output_path) == "-" else result.output_path
    text = (
        f"{output}: {result.duration:.1f} s at {result.sample_rate} Hz, converted in "
        f"{result.seconds:.1f} s ({result.real_time_factor:.2f} of real time: {stages})"
    )
    return "; ".join([text, *remarks(summary(result))])


def remarks(made: Mapping[str, Any]) -> list[str]:
    """What people should know of a conversion besides that it is done, from its summary."""
    said: list[str] = []
    if made["auto_pitch_semitones"] is not None:
        said.append(f"auto pitch shifted by {made['auto_pitch_semitones']:+g} semitones")
    if made["silence_s"]:
        said.append(f"{made['silence_s']:.1f} s of silence not converted")
    outside = made["frames_outside_voice_range"]
    if outside:
        from mlx_f0.curve import VOICE_RANGE_HZ

        low, high = VOICE_RANGE_HZ
        said.append(
            f"the pitch of {outside} frames lies outside the {low:g} to {high:g} Hz "
            f"that RVC voices tell apart"
        )
    return [*said, *made["notes"]]
