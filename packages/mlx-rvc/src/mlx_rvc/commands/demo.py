"""`mlx-rvc demo`: hear a conversion on a machine without any model."""

from pathlib import Path
from typing import Annotated

import typer

from mlx_rvc.commands.convert import sentence, summary
from mlx_rvc.speakers import Speakers
from mlx_rvc_cli.console import emit, progress


def demo(
    output_path: Annotated[
        Path, typer.Argument(metavar="[OUTPUT]", help="Where to write; the picture goes beside it.")
    ] = Path("mlx-rvc-demo.wav"),
    speaker: Annotated[
        str, typer.Option("--speaker", "-s", help="Speaker of the bundled voice, number or name.")
    ] = "0",
    recording: Annotated[
        str, typer.Option("--recording", "-r", help="Which recording: speech or singing.")
    ] = "speech",
    seed: Annotated[int | None, typer.Option(help="Makes the run repeatable.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Convert a bundled recording, speech or singing, with a bundled voice; downloads nothing.

    Writes the converted recording and a picture (PNG) of input and output: waveform, spectrogram
    and F0. The voice is small and blurs words: it shows the way, not the quality of RVC.

    Examples:
      mlx-rvc demo
      mlx-rvc demo sung.wav --recording singing --speaker 1
    """
    import mlx_rvc_demo

    if str(output_path) == "-":
        raise ValueError("the demo draws a picture beside its output, which is -; name a file")
    bundle = mlx_rvc_demo.bundle()
    number = Speakers.bundled(bundle).number(int(speaker) if speaker.isdecimal() else speaker)
    recordings = {known.name: known for known in bundle.recordings}
    if recording not in recordings:
        raise ValueError(f"recording is {recording!r}; the bundle has {', '.join(recordings)}")
    source = recordings[recording]
    target = next(known for known in bundle.speakers if known.id == number)
    pitch = source.pitch[number]
    picture_path = output_path.with_suffix(".png")

    from mlx_rvc.comparison import Shown, draw_comparison
    from mlx_rvc.pipeline import convert_voice

    with progress("converting the demo", total=1.0) as shown:
        result = convert_voice(
            source.path,
            output_path,
            bundle.voice,
            index=target.index,
            progress=shown.update,
            pitch=pitch,
            f0_method=bundle.f0_method,
            index_rate=bundle.index_rate,
            speaker=number,
            seed=seed,
        )
        both = [
            Shown(source.path, "input"),
            Shown(output_path, f"output, {target.name}", pitch),
        ]
        draw_comparison(picture_path, both, bundle.f0_method)
    emit(
        {
            "input": source.path,
            **summary(result),
            "speaker_name": target.name,
            "picture": picture_path,
        },
        as_json=as_json,
        text=lambda: (
            f"{sentence(result)}\n{picture_path}: waveform, spectrogram and F0\n"
            f"{bundle.description}"
        ),
    )
