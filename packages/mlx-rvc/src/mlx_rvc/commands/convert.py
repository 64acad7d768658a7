"""`mlx-rvc convert`: one recording, one voice, one converted recording."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlx_rvc.commands.options import Talk, VoiceFiles, conversion_flags
from mlx_rvc.options import ConversionOptions
from mlx_rvc_cli.console import emit, progress

if TYPE_CHECKING:
    from mlx_rvc.run import Conversion


@conversion_flags
def convert(
    input_path: Annotated[
        Path, typer.Argument(metavar="INPUT", help="Recording: wav, flac, ogg, mp3; any rate.")
    ],
    output_path: Annotated[
        Path, typer.Argument(metavar="OUTPUT", help="Converted recording; format by extension.")
    ],
    *,
    voice: VoiceFiles,
    options: ConversionOptions,
    talk: Talk,
) -> None:
    """Convert the voice in a recording.

    The words, the timing and the melody stay; the output is exactly as long as the input.
    """
    from mlx_rvc.pipeline import convert_voice

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
            on_stage=(lambda *end: shown.note(stage_line(*end))) if talk.verbose else None,
        )
    emit(summary(result), as_json=talk.as_json, text=lambda: sentence(result))


def stage_line(stage: str, seconds: float) -> str:
    """What a stage took, as `--verbose` says it."""
    return f"{stage}: {seconds:.2f} s"


def summary(result: "Conversion") -> dict[str, object]:
    """The summary of a conversion as JSON shows it; times in seconds, shifts in semitones."""
    return {
        "output": str(result.output_path),
        "duration": round(result.duration, 6),
        "sample_rate": result.sample_rate,
        "seconds": round(result.seconds, 3),
        "real_time_factor": round(result.real_time_factor, 4),
        "speaker": result.speaker,
        "auto_pitch": result.auto_shift,
        "silence": round(result.silence_s, 3),
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
    if result.auto_shift is not None:
        text += f"; auto pitch shifted by {result.auto_shift:+g} semitones"
    if result.silence_s:
        text += f"; {result.silence_s:.1f} s of silence not converted"
    if result.f0_outside:
        from mlx_f0.curve import VOICE_RANGE_HZ

        low, high = VOICE_RANGE_HZ
        text += (
            f"; the pitch of {result.f0_outside} frames lies outside the {low:g} to {high:g} Hz "
            f"that RVC voices tell apart"
        )
    return text
