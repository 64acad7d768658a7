"""From a voice file to a `Synthesizer` and back: locating, strict loading, saving."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from mlx.utils import tree_flatten

import mlx_pth
from mlx_weights import HubFile, load_strict, locate, save_model, save_tensors

from .small_model import small_model, stored
from .voicefile import FORMAT, FORMAT_VERSION, INDEX_VECTORS, VoiceFile, read_voice

if TYPE_CHECKING:
    from .synthesizer import Synthesizer

DTYPES = ("float32", "float16")
# Endings of files that other programs write; a folder of such a name would be a surprise.
_NOT_WRITTEN = (".pt", ".ckpt", ".bin", ".npz", ".npy", ".onnx", ".json", ".index", ".zip", ".gguf")


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
    index_vectors: np.ndarray | None = None,
) -> None:
    """Write sanitized tensors and what belongs to them as our own folder."""
    everything = _with_index(dtype, tensors, index_vectors)
    save_model(folder, everything, _description(config, metadata))


def write_voice(
    voice: VoiceFile,
    output: str | Path,
    *,
    dtype: str = "float32",
    index_vectors: np.ndarray | None = None,
) -> str:
    """Write a voice in the form that the name of `output` asks for; return that form in words.

    `.pth`: the small model of RVC-WebUI and Applio, weight norm apart; `.safetensors`: one file,
    weight norm folded, the configuration in its header; a name without one of these: a folder,
    whose model.safetensors holds the same. The last two take `index_vectors` (n, width), stored
    beside the weights as `index.vectors`. All numbers in `dtype`, float32 or float16. Files appear
    when they are whole. The tensors pass the strict loading of the network first. Raises
    ValueError for what cannot be written so.
    """
    form = form_of(output)
    if index_vectors is not None and form == "small model":
        raise ValueError(f"a .pth holds no index beside the voice, as {output} would")
    build(voice)
    config, metadata = voice.config.to_dict(), voice.metadata
    if form == "small model":
        _check_dtype(dtype)
        mlx_pth.save(output, small_model(voice, dtype=dtype))
    elif form == "safetensors":
        tensors = _with_index(dtype, voice.tensors, index_vectors)
        save_tensors(output, tensors, metadata=_description(config, metadata))
    else:
        write_folder(output, voice.tensors, config, metadata, dtype, index_vectors)
    return form


def form_of(output: str | Path) -> str:
    """ "small model", "safetensors" or "folder": what the name of an output asks for."""
    path = Path(output)
    form = {".pth": "small model", ".safetensors": "safetensors"}.get(path.suffix.lower(), "folder")
    if form == "folder" and path.suffix.lower() in _NOT_WRITTEN:
        raise ValueError(
            f"{path}: a voice is written as .pth, .safetensors, or a folder, not as {path.suffix}"
        )
    return form


def _in(dtype: str, tensors: Any) -> dict[str, np.ndarray]:
    _check_dtype(dtype)
    return stored({name: np.asarray(value) for name, value in tensors.items()}, dtype)


def _with_index(dtype: str, tensors: Any, vectors: np.ndarray | None) -> dict[str, np.ndarray]:
    return _in(dtype, tensors) | ({} if vectors is None else _in(dtype, {INDEX_VECTORS: vectors}))


def _check_dtype(dtype: str) -> None:
    if dtype not in DTYPES:
        raise ValueError(f"dtype {dtype!r} is not known; choose {' or '.join(DTYPES)}")


def _description(config: dict[str, Any], metadata: dict[str, Any]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "config": config,
        "metadata": metadata,
    }
