"""`mlx-rvc info` and `mlx-rvc export`: what a voice file is, and our own format of it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from .voicefile import VoiceFile


class Precision(StrEnum):
    """In what the numbers of an exported voice are stored."""

    FLOAT32 = "float32"
    FLOAT16 = "float16"


VoiceArgument = Annotated[
    str,
    typer.Argument(
        metavar="VOICE",
        help="A .pth or .safetensors file, a folder, or a hub repository owner/name.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def info(voice: VoiceArgument, as_json: JsonOption = False) -> None:
    """Show what a voice is: version, F0, rate, speakers, vocoder, encoder, and who says so."""
    from mlx_rvc_cli.console import emit

    from .voicefile import read_voice
    from .weights import locate_voice

    data = describe(read_voice(locate_voice(voice)))
    emit(data, as_json=as_json, text=lambda: _text(data))


def export(
    voice: VoiceArgument,
    folder: Annotated[
        Path, typer.Argument(metavar="OUT_FOLDER", help="Gets config.json and model.safetensors.")
    ],
    dtype: Annotated[
        Precision, typer.Option(help="float16 is half the size and rounds the weights.")
    ] = Precision.FLOAT32,
    as_json: JsonOption = False,
) -> None:
    """Write a voice as config.json and model.safetensors, weight norm folded."""
    from mlx_rvc_cli.console import emit
    from mlx_rvc_cli.errors import CommandError

    from .voicefile import read_voice
    from .weights import build, locate_voice, save_voice

    if folder.exists() and not folder.is_dir():
        raise CommandError(f"{folder} is a file; give a folder for the exported voice")
    read = read_voice(locate_voice(voice))
    # Built first: what is written has then passed the strict loading.
    save_voice(build(read), folder, dtype=dtype.value)
    size = (folder / "model.safetensors").stat().st_size
    data = {
        "input": read.path,
        "output": folder,
        "dtype": dtype.value,
        "parameters": read.parameters,
        "bytes": size,
    }
    sentence = f"{folder}: {read.parameters:,} parameters in {dtype.value}, {_megabytes(size)}"
    emit(data, as_json=as_json, text=sentence)


def describe(voice: VoiceFile) -> dict[str, Any]:
    """What `info` shows, as plain values; `origins` says where each part of `config` came from."""
    config, metadata = voice.config, voice.metadata
    said = {
        key: value
        for key, value in metadata.items()
        if key not in ("f0", "version", "embedder", "vocoder", "speaker_names")
    }
    return {
        "file": str(voice.path),
        "kind": voice.kind,
        "version": config.version,
        "f0": config.f0,
        "sample_rate": config.sample_rate,
        "feature_channels": config.feature_channels,
        "speakers": config.speakers,
        "speaker_names": metadata.get("speaker_names"),
        "vocoder": "HiFi-GAN-NSF" if config.f0 else "HiFi-GAN",
        "embedder": metadata.get("embedder"),
        "parameters": voice.parameters,
        "bytes": voice.path.stat().st_size,
        "config": config.to_dict(),
        "origins": voice.origins,
        "metadata": said,
    }


def _text(data: dict[str, Any]) -> str:
    from mlx_rvc_cli.console import format_table

    origins = data["origins"]
    names = data["speaker_names"] or {}
    speakers = str(data["speakers"])
    if names:
        speakers += ": " + ", ".join(f"{key} {name}" for key, name in names.items())
    embedder = data["embedder"]
    rows: list[tuple[str, Any, str]] = [
        ("file", data["file"], data["kind"]),
        ("version", data["version"], origins["version"]),
        ("F0", data["f0"], origins["f0"]),
        ("sample rate", f"{data['sample_rate']} Hz", origins["sample_rate"]),
        ("features", f"{data['feature_channels']} wide", origins["feature_channels"]),
        ("content encoder", embedder or "not named", "metadata" if embedder else ""),
        ("speakers", speakers, origins["spk_embed_dim"]),
        ("vocoder", data["vocoder"], "tensors"),
        ("upsampling", _times(data["config"]["upsample_rates"]), origins["upsample_rates"]),
        (
            "kernels",
            ", ".join(map(str, data["config"]["upsample_kernel_sizes"])),
            origins["upsample_kernel_sizes"],
        ),
        ("parameters", f"{data['parameters']:,}", "tensors, weight norm folded"),
        ("size", _megabytes(data["bytes"]), "file"),
    ]
    rows += [(key, _short(value), "metadata") for key, value in data["metadata"].items()]
    return format_table(rows, ("", "", "from"))


def _times(values: Any) -> str:
    return " × ".join(map(str, values))


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
