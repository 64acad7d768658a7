"""huggingface-hub-rvc: a folder of a pipeline, the voice in `voice_transform/`.

    config.json                            the pipeline's, nothing about the network
    voice_transform/manifest.json          model_name, speaker_info
    voice_transform/model.safetensors      tensors as torch has them, weight norm apart
    voice_transform/features.safetensors   "features", what index.index was made of
    voice_transform/index.index

The header of the model has `config_json`: RVC's list, or for voices that it trained itself RVC's
training configuration (`data`, `model`, `train`). Source: huggingface_hub_rvc 0.1.4, _runtime.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlx_weights

from ..declared import declared_in, parsed
from ..sanitizing import detect_layout
from .reading import Reading, Tensors

FOLDER = "voice_transform"


def made(embedded: dict[str, str]) -> bool:
    """Whether the header is this program's."""
    return "config_json" in embedded


def model_in(folder: Path) -> Path | None:
    """The voice's file in such a folder, or None where `folder` is none."""
    for name in ("model.safetensors", "model.pth"):
        path = folder / FOLDER / name
        if path.is_file():
            return path
    return None


def read(path: Path, tensors: Tensors, embedded: dict[str, str]) -> Reading:
    """The voice's model file, with what the manifest beside it says."""
    metadata = {name: parsed(value) for name, value in embedded.items()}
    try:
        declared = declared_in(metadata.pop("config_json"))
    except ValueError as error:
        raise ValueError(f"{path}: its header: {error}") from error
    said = {**_manifest(path.with_name("manifest.json")), **metadata}
    kind = "safetensors (Hugging Face RVC)"
    return Reading(kind, tensors, detect_layout(tensors), declared, said)


def _manifest(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    found = mlx_weights.read_config(path)
    voice = found.get("voice_model")
    said = {**found, **voice} if isinstance(voice, dict) else found
    return {name: said[name] for name in ("model_name", "speaker_info") if said.get(name)}
