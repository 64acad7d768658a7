"""What a voice file is, for people and for programs: the contents of `mlx-rvc info`."""

from __future__ import annotations

from typing import Any

from .config import HIFIGAN, REFINE, SynthConfig
from .voicefile import VoiceFile

COLUMNS = ("", "", "from")


def describe(voice: VoiceFile) -> dict[str, Any]:
    """What `info` shows, as plain values; `origins` says where each part of `config` came from."""
    config, metadata = voice.config, voice.metadata
    said = {
        key: value
        for key, value in metadata.items()
        if key not in ("f0", "version", "embedder", "embedder_layer", "vocoder", "speaker_names")
    }
    return {
        "input": str(voice.path),
        "kind": voice.kind,
        "version": config.version,
        "f0": config.f0,
        "sample_rate": config.sample_rate,
        "width": config.feature_channels,
        "speakers": config.speakers,
        "speaker_names": metadata.get("speaker_names"),
        "vocoder": _vocoder(config),
        "embedder": metadata.get("embedder"),
        "embedder_layer": metadata.get("embedder_layer"),
        "parameters": voice.parameters,
        "bytes": voice.path.stat().st_size,
        "config": config.to_dict(),
        "origins": voice.origins,
        "index_vectors": None if voice.index_vectors is None else len(voice.index_vectors),
        "metadata": said,
    }


def rows(data: dict[str, Any]) -> list[tuple[str, Any, str]]:
    """What people read of `describe`: name, value, and where it came from."""
    origins = data["origins"]
    names = data["speaker_names"] or {}
    speakers = str(data["speakers"])
    if names:
        speakers += ": " + ", ".join(f"{key} {name}" for key, name in names.items())
    embedder, layer = data["embedder"], data["embedder_layer"]
    encoder = (embedder or "not named") + (f", layer {layer}" if layer else "")
    found: list[tuple[str, Any, str]] = [
        ("file", data["input"], data["kind"]),
        ("version", data["version"], origins["version"]),
        ("F0", data["f0"], origins["f0"]),
        ("sample rate", f"{data['sample_rate']} Hz", origins["sample_rate"]),
        ("features", f"{data['width']} wide", origins["feature_channels"]),
        ("content encoder", encoder, "metadata" if embedder or layer else ""),
        ("speakers", speakers, origins["spk_embed_dim"]),
        ("vocoder", data["vocoder"], origins["vocoder"]),
        ("upsampling", _times(data["config"]["upsample_rates"]), origins["upsample_rates"]),
        *_kernels(data),
        ("parameters", f"{data['parameters']:,}", "tensors, weight norm folded"),
        ("size", megabytes(data["bytes"]), "file"),
    ]
    if data["index_vectors"] is not None:
        found.append(("index", f"{data['index_vectors']:,} vectors inside", "tensors"))
    found += [(key, _short(value), "metadata") for key, value in data["metadata"].items()]
    return found


def _vocoder(config: SynthConfig) -> str:
    if config.vocoder != HIFIGAN:
        return config.vocoder
    return "HiFi-GAN-NSF" if config.f0 else "HiFi-GAN"


def _kernels(data: dict[str, Any]) -> list[tuple[str, Any, str]]:
    if data["vocoder"] == REFINE:  # it interpolates
        return []
    config, origins = data["config"], data["origins"]
    shown = ", ".join(map(str, config["upsample_kernel_sizes"]))
    return [("kernels", shown, origins["upsample_kernel_sizes"])]


def _times(values: Any) -> str:
    return " × ".join(map(str, values))


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:59] + "…"


def megabytes(size: int) -> str:
    """A size in bytes as people read it."""
    return f"{size / 1e6:.1f} MB"
