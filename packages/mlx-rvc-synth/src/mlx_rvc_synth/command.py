"""`mlx-rvc info`, `export`, `blend` and `extract`: what a voice file is, and new ones out of it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import pushing

if TYPE_CHECKING:
    from .voicefile import VoiceFile


class Precision(StrEnum):
    """In what the numbers of a written voice are stored."""

    FLOAT32 = "float32"
    FLOAT16 = "float16"


class Version(StrEnum):
    """Which features a voice takes."""

    V1 = "v1"
    V2 = "v2"


VoiceArgument = Annotated[
    str,
    typer.Argument(
        metavar="VOICE",
        help="A .pth or .safetensors file, a folder, owner/name on the hub, or a name of the "
        "library (mlx-rvc voices).",
    ),
]
OutputOption = Annotated[
    Path,
    typer.Option("--output", "-o", metavar="OUT", help="A .pth, a .safetensors, or a folder."),
]
DtypeOption = Annotated[
    Precision, typer.Option(help="float16 is half the size and rounds the weights.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def info(voice: VoiceArgument, as_json: JsonOption = False) -> None:
    """Show what a voice is: version, F0, rate, speakers, vocoder, encoder, and who says so.

    Examples:
      mlx-rvc info voice.pth
    """
    from mlx_rvc_cli.console import emit, format_table

    from .describing import COLUMNS, describe, rows
    from .voice_names import locate_named
    from .voicefile import read_voice

    data = describe(read_voice(locate_named(voice)))
    emit(data, as_json=as_json, text=lambda: format_table(rows(data), COLUMNS))


def export(
    voice: VoiceArgument,
    output: Annotated[
        Path | None,
        typer.Argument(
            metavar="[OUT]",
            help="A .safetensors, a .pth, or a folder (no such ending); not needed with --push.",
        ),
    ] = None,
    dtype: DtypeOption = Precision.FLOAT32,
    index: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Store the vectors of this index as well, in a .safetensors, a folder or what is "
            "pushed.",
        ),
    ] = None,
    push: pushing.PushOption = None,
    public: pushing.PublicOption = False,
    overwrite: pushing.OverwriteOption = False,
    license: pushing.LicenseOption = None,
    token: pushing.TokenOption = None,
    assured: pushing.RightsOption = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write a voice in another form: a folder, one .safetensors, or the .pth of RVC-WebUI.

    A folder (config.json and model.safetensors) and a .safetensors hold folded weight norm. The
    .pth has it apart, as RVC-WebUI and Applio load it. --push sends a folder to a hub.

    Examples:
      mlx-rvc export voice.pth voice.safetensors --index voice.index
      mlx-rvc export singer for-webui.pth --dtype float16
      mlx-rvc export singer --push me/singer --license cc-by-4.0
    """
    from mlx_rvc_cli.console import emit
    from mlx_rvc_cli.errors import CommandError

    from .index_vectors import read_index_vectors
    from .voice_names import locate_named
    from .voicefile import read_voice
    from .weights import form_of

    if output is None and push is None:
        raise typer.BadParameter("give OUT, what to write, or --push OWNER/NAME", param_hint="OUT")
    if quiet and as_json:
        raise typer.BadParameter("--quiet and --json contradict each other; leave one out")
    if index is not None and output is not None and form_of(output) == "small model":
        raise CommandError(
            f"--index is stored in a .safetensors or a folder, not in {output}: give an output "
            "of that kind"
        )
    if output is not None:
        _check_output(output, [])
    request = pushing.push_request(
        push, public=public, overwrite=overwrite, license=license, token=token, assured=assured
    )
    located = locate_named(voice)
    if output is not None:
        _check_output(output, [located])
    read = read_voice(located)
    vectors = None if index is None else read_index_vectors(index, read)
    data, said, notes = _about(read, dtype, vectors) | {"pushed": None}, [], []
    if read.index_vectors is not None and vectors is None:
        notes.append(f"the index in {read.path} is left out; --index {read.path} keeps it")
    if output is not None:
        written, sentence, more = _written(read, output, dtype, vectors)
        data, said, notes = data | written, [sentence], [*notes, *more]
    if request is not None:
        pushed = request.send(read, dtype=dtype.value, index_vectors=vectors, quiet=quiet)
        data |= {"pushed": pushed}
        said.append(pushing.sentence(pushed))
    if not quiet:
        data |= {"notes": notes}
        emit({"input": read.path, **data}, as_json=as_json, text="; ".join([*said, *notes]))


def blend(
    voices: Annotated[
        list[str],
        typer.Argument(
            metavar="VOICE:WEIGHT",
            help="Two voices or more, each with its weight (a.pth:0.7 b.pth:0.3), or all without "
            "(equal shares).",
        ),
    ],
    output: OutputOption,
    dtype: DtypeOption = Precision.FLOAT32,
    as_json: JsonOption = False,
) -> None:
    """Mix voices of one architecture: the mean of their tensors, by weights.

    Weights are brought to a sum of 1. As in RVC-WebUI the magnitude and the direction of weight
    norm are mixed each for itself; if a voice has it folded (.safetensors of this program), the
    folded weights of all are mixed.

    Examples:
      mlx-rvc blend a.pth:0.7 b.pth:0.3 -o between.pth
    """
    from .blending import blend as mix
    from .blending import normalised_weights, voices_and_weights
    from .voice_names import locate_named
    from .voicefile import read_voice

    given = voices_and_weights(voices)
    shares = normalised_weights([weight for _, weight in given])
    located = [locate_named(name) for name, _ in given]
    _check_output(output, located)
    mixed = mix([read_voice(path) for path in located], shares)
    parts = [
        {"input": path, "weight": weight, "share": share}
        for path, (_, weight), share in zip(located, given, shares, strict=True)
    ]
    notes = [
        ("weights brought to a sum of 1: " if _rescaled(given) else "shares: ")
        + ", ".join(f"{part['input']} {part['share']:.4g}" for part in parts),
        mixed.kind.removeprefix("blend, "),
    ]
    _write(mixed, output, dtype, as_json, {"parts": parts, "kind": mixed.kind}, notes)


def extract(
    checkpoints: Annotated[
        list[Path],
        typer.Argument(
            metavar="CHECKPOINT...",
            help="A training checkpoint, G_*.pth; several of one training are averaged.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="OUT.pth", help="The voice to write.")
    ],
    name: Annotated[
        str | None, typer.Option(help="The voice's name, stored in the file [default: none].")
    ] = None,
    sample_rate: Annotated[
        str | None,
        typer.Option(metavar="HZ", help="40000 or 40k, where the tensors leave the rate open."),
    ] = None,
    version: Annotated[
        Version | None, typer.Option(help="Where the width of the features leaves it open.")
    ] = None,
    f0: Annotated[
        bool | None,
        typer.Option("--f0/--no-f0", help="Refuse a checkpoint without (with) F0."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a voice out of a training checkpoint: the small .pth of RVC-WebUI and Applio.

    The posterior encoder and the optimizer are left out, numbers are float16 as RVC writes them.
    Rate, version, F0 and speakers are read from the tensors; an option that contradicts them is an
    error.

    Several checkpoints of one training become the mean of their weights. Late epochs differ by what
    was learned last; their mean evens that out, and needs no choice of the best. Listen: it can be
    better than each of them, or not. To mix voices, see blend.

    Examples:
      mlx-rvc extract G_2333.pth -o voice.pth --name singer
      mlx-rvc extract G_2200.pth G_2333.pth -o mean.pth
    """
    from mlx_rvc_cli.errors import CommandError

    from .config import parse_sample_rate
    from .extraction import extract_mean
    from .weights import form_of

    if form_of(output) != "small model":
        raise CommandError(f"{output}: a voice is extracted as .pth; mlx-rvc export writes others")
    _check_output(output, checkpoints)
    hertz = None if sample_rate is None else parse_sample_rate(sample_rate)
    kind = None if version is None else version.value
    voice = extract_mean(checkpoints, sample_rate=hertz, version=kind, f0=f0)
    if name is not None:
        voice.metadata["name"] = name
    config = voice.config
    about = {
        "inputs": checkpoints,
        "version": config.version,
        "f0": config.f0,
        "sample_rate": config.sample_rate,
        "speakers": config.speakers,
    }
    notes = [
        f"{config.version}, {'with' if config.f0 else 'without'} F0, {config.sample_rate} Hz, "
        f"{config.speakers} speakers"
    ]
    if len(checkpoints) > 1:
        notes.insert(0, f"the mean of {len(checkpoints)} checkpoints")
    _write(voice, output, Precision.FLOAT16, as_json, about, notes)


def _write(
    voice: VoiceFile,
    output: Path,
    dtype: Precision,
    as_json: bool,
    about: dict[str, Any],
    notes: list[str],
) -> None:
    """Write `voice` and say so; `about` and `notes` are what the command adds to that."""
    from mlx_rvc_cli.console import emit

    written, sentence, more = _written(voice, output, dtype, None)
    notes = [*notes, *more]
    data = {**about, **_about(voice, dtype, None), **written, "notes": notes}
    emit(data, as_json=as_json, text="; ".join([sentence, *notes]))


def _written(
    voice: VoiceFile, output: Path, dtype: Precision, vectors: Any
) -> tuple[dict[str, Any], str, list[str]]:
    """Write `voice`: what JSON says of it, what people read, and remarks."""
    from .describing import megabytes
    from .weights import write_voice

    form = write_voice(voice, output, dtype=dtype.value, index_vectors=vectors)
    file = output / "model.safetensors" if form == "folder" else output
    size = file.stat().st_size
    width = voice.config.feature_channels
    notes = []
    if form == "small model" and width not in (256, 768):
        notes = [f"its features are {width} wide, which RVC's own programs do not load"]
    sentence = f"{output}: {voice.parameters:,} parameters in {dtype.value}, {megabytes(size)}"
    if vectors is not None:
        sentence += f", with {len(vectors):,} vectors of an index"
    return {"output": output, "form": form, "bytes": size}, sentence, notes


def _about(voice: VoiceFile, dtype: Precision, vectors: Any) -> dict[str, Any]:
    return {
        "output": None,
        "form": None,
        "dtype": dtype.value,
        "parameters": voice.parameters,
        "index_vectors": None if vectors is None else len(vectors),
        "bytes": None,
    }


def _check_output(output: Path, inputs: list[Path]) -> None:
    """Refuse, before anything is read, what cannot be written and what would replace an input."""
    from mlx_rvc_cli.errors import CommandError
    from mlx_rvc_cli.files import check_folder

    from .weights import form_of

    if form_of(output) != "folder":
        check_folder(output)
    elif output.exists() and not output.is_dir():
        raise CommandError(f"{output} is a file; give a folder for the exported voice")
    for path in inputs:
        if output.exists() and path.exists() and output.samefile(path):
            raise CommandError(f"{output} is an input, which would be lost; name another output")


def _rescaled(given: list[tuple[str, float]]) -> bool:
    return abs(sum(weight for _, weight in given) - 1) > 1e-9
