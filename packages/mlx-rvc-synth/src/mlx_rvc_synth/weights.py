"""From a voice file to a `Synthesizer` and back: locating, strict loading, saving."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from mlx.utils import tree_flatten

from mlx_weights import HubFile, load_strict, locate, save_model

from .voicefile import FORMAT, FORMAT_VERSION, VoiceFile, read_voice

if TYPE_CHECKING:
    from .synthesizer import Synthesizer

DTYPES = ("float32", "float16")


def locate_voice(source: str | Path) -> Path:
    """The file or folder that `source` means; "owner/name" is fetched from the hub.

    A repository must hold model.safetensors and config.json, as `save_pretrained` writes them.
    """
    path = Path(source).expanduser()
    if path.exists():
        return path
    own = HubFile(repo="", filename="model.safetensors", companions=("config.json",))
    return locate(
        str(source),
        default=own,
        env=None,  # there is no default voice that a variable could replace
        option="the voice argument",
        filenames=[own.filename],
    )


def load_voice(source: str | Path) -> Synthesizer:
    """Read a voice of any known kind into a `Synthesizer`; see `Synthesizer.from_pretrained`."""
    return build(read_voice(locate_voice(source)))


def build(voice: VoiceFile) -> Synthesizer:
    """The network of a voice that has been read; every tensor must find its place."""
    from .synthesizer import Synthesizer

    synthesizer = Synthesizer(voice.config)
    load_strict(synthesizer, voice.tensors, source=voice.path)
    synthesizer._metadata = voice.metadata
    return synthesizer


def save_voice(synthesizer: Synthesizer, folder: str | Path, *, dtype: str = "float32") -> None:
    """Write a folder that `load_voice` reads: config.json and model.safetensors.

    `dtype` is float32 or float16 (half the size; what small models hold anyway, but rounded again
    after folding the weight norm).
    """
    tensors = dict(tree_flatten(synthesizer.parameters()))
    write_folder(folder, tensors, synthesizer.config.to_dict(), synthesizer.metadata, dtype)


def write_folder(
    folder: str | Path,
    tensors: Any,
    config: dict[str, Any],
    metadata: dict[str, Any],
    dtype: str,
) -> None:
    """Write sanitized tensors and what belongs to them as our own folder."""
    if dtype not in DTYPES:
        raise ValueError(f"dtype {dtype!r} is not known; choose {' or '.join(DTYPES)}")
    arrays = {name: np.asarray(value).astype(dtype) for name, value in tensors.items()}
    description = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "config": config,
        "metadata": metadata,
    }
    save_model(folder, arrays, description)
