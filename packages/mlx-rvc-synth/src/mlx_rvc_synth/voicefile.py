"""Every kind of file a voice comes in, read into one form, or refused by name.

    small model         .pth {weight, config, sr, f0, version, info ...}     RVC, Applio, w-okada
    training checkpoint .pth {model, iteration, optimizer ...}, G_*.pth      RVC's pretrained bases
    safetensors, .npz   other programs' (layouts/), our own folder or file

Where the configuration a file declares and its tensors disagree, the tensors are right: they are
what the network computes with. `VoiceFile.origins` keeps where every value came from.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import mlx_weights
from mlx_weights.errors import shown

from .config import LIST_FIELDS, SynthConfig
from .declared import maker, normalised, plain, small_model_says
from .layouts import hugging_face, read_flat
from .refusal import refuse_odd_names, refuse_other_files, refuse_other_vocoders
from .resolve import resolve
from .sanitizing import Layout, sanitize
from .shapes import OpenRateError, observe
from .strangers import refuse_strangers

FORMAT = "mlx-rvc-synth"
FORMAT_VERSION = 1

INDEX_PREFIX = "index."
INDEX_VECTORS = "index.vectors"
"""The tensor of a safetensors file that holds the features of the voice's index, (n, width)."""

Tensors = dict[str, np.ndarray]

_WRAPPERS = ("module.", "_orig_mod.")


@dataclass(frozen=True)
class VoiceFile:
    """A voice as read: sanitized tensors, configuration, and what else the file says.

    `originals` are the tensors as they are stored, in `layout`; `index_vectors` (n, width) the
    features of an index in the same file, if any.
    """

    path: Path
    kind: str
    config: SynthConfig
    tensors: Tensors
    metadata: dict[str, Any]
    origins: dict[str, str]
    originals: Tensors = field(repr=False)
    layout: Layout
    index_vectors: np.ndarray | None = field(default=None, repr=False)

    @property
    def parameters(self) -> int:
        """How many numbers the voice has, weight norm folded."""
        return sum(tensor.size for tensor in self.tensors.values())


def read_voice(path: Path, *, sample_rate: int | None = None) -> VoiceFile:
    """Read a voice file, or a folder that holds one.

    `sample_rate`, in Hz, decides where a file without configuration leaves its rate open. Raises
    ValueError that says what the file is instead, or what is missing or contradictory.
    """
    path = find_in_folder(path) if path.is_dir() else path
    refuse_strangers(path)
    content = mlx_weights.read_checkpoint(path)
    refuse_odd_names(content if isinstance(content, dict) else (), path)
    if is_safetensors(path):
        return _read_safetensors(path, content)
    if mlx_weights.is_npz(path):
        return _read_foreign(path, "npz", content, {})
    return _read_torch(path, content, sample_rate)


def find_in_folder(folder: Path) -> Path:
    """The one voice of a folder: model.safetensors, or the only file with a voice's ending."""
    if (folder / "model.safetensors").is_file():
        return folder / "model.safetensors"
    hugging = hugging_face.model_in(folder)
    if hugging is not None:
        return hugging
    voices = [
        path
        for ending in (".safetensors", ".pth", ".npz")
        for path in sorted(folder.glob(f"*{ending}"))
        if not path.name.startswith((".", "D_"))
    ]
    if len(voices) != 1:
        found = ", ".join(path.name for path in voices[:5]) or "none"
        raise ValueError(
            f"{folder} should hold model.safetensors or exactly one .pth, .safetensors or .npz "
            f"file, found {found}: give the file itself"
        )
    return voices[0]


def is_safetensors(path: Path) -> bool:
    """Whether a file that could be read is safetensors: a length, then a JSON object."""
    with path.open("rb") as file:
        return file.read(9)[8:] == b"{"


def _read_torch(path: Path, content: Any, sample_rate: int | None) -> VoiceFile:
    tensors, declared, metadata, kind = _open(content, path)
    refuse_other_vocoders(tensors, metadata, path)
    return _assemble(path, kind, tensors, "torch", declared, metadata, sample_rate=sample_rate)


def _open(content: Any, path: Path) -> tuple[Tensors, dict[str, Any], dict[str, Any], str]:
    """Tensors, declared configuration, metadata and kind of a torch file."""
    if not isinstance(content, dict):
        raise ValueError(f"{path} holds a {type(content).__name__}, not a voice")
    if str(content.get("version", "")).startswith("voras"):
        raise ValueError(
            f"{path} is a {shown(content['version'])} voice, another architecture than RVC v1 "
            "and v2; convert with the program that made it"
        )
    if isinstance(content.get("weight"), dict):
        tensors, kind = content["weight"], "small model"
    elif isinstance(content.get("generator_state_dict"), dict):  # Hugging Face RVC's .pth
        tensors, kind = content["generator_state_dict"], "small model"
    elif isinstance(content.get("model"), dict):
        tensors, kind = content["model"], "training checkpoint"
    else:
        tensors, kind = content, "state dict"
    refuse_odd_names(tensors, path)
    refuse_other_files(content, tensors, path)
    tensors = {
        _without_wrappers(name): value
        for name, value in tensors.items()
        if isinstance(name, str) and isinstance(value, np.ndarray)
    }
    declared: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    if kind == "small model":
        try:
            declared, metadata = small_model_says(content)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
        kind += maker(metadata)
    elif kind == "training checkpoint":
        metadata = {k: plain(content[k]) for k in ("iteration", "learning_rate") if k in content}
    return tensors, declared, metadata, kind


def _without_wrappers(name: str) -> str:
    """A tensor's name without what torch's wrappers (several GPUs, compilation) put before it."""
    while name.startswith(_WRAPPERS):
        name = name.partition(".")[2]
    return name


def _read_safetensors(path: Path, tensors: Tensors) -> VoiceFile:
    embedded = mlx_weights.read_metadata(path)
    vectors = tensors.get(INDEX_VECTORS)
    tensors = {k: v for k, v in tensors.items() if not k.startswith(INDEX_PREFIX)}
    if embedded.get("format") == FORMAT:
        refuse_other_files({}, tensors, path)
        return _read_own(path, tensors, _own_header(path, embedded), path, vectors)
    shared = path.parent / "config.json"
    beside = mlx_weights.read_config(shared) if shared.is_file() else {}
    if beside.get("format") == FORMAT:
        return _read_own(path, tensors, beside, shared, vectors)
    return _read_foreign(path, "safetensors", tensors, embedded, vectors)


def _read_foreign(
    path: Path,
    container: str,
    tensors: Tensors,
    embedded: dict[str, str],
    vectors: np.ndarray | None = None,
) -> VoiceFile:
    """A flat file of another program (see layouts/)."""
    try:
        kind, tensors, layout, declared, metadata = read_flat(path, container, tensors, embedded)
    except ValueError as error:
        if str(path.parent) in str(error):
            raise
        raise ValueError(f"{path}: {error}") from error
    refuse_other_vocoders(tensors, metadata, path)
    return _assemble(path, kind, tensors, layout, declared, metadata, vectors=vectors)


def _own_header(path: Path, embedded: dict[str, str]) -> dict[str, Any]:
    """The values of our own single file, each JSON in the header of the safetensors."""
    try:
        return {"format": FORMAT} | {k: json.loads(v) for k, v in embedded.items() if k != "format"}
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"the header of {path} cannot be read ({error!s:.80}): export the voice again"
        ) from None


def _read_own(
    path: Path,
    tensors: Tensors,
    saved: dict[str, Any],
    place: Path,
    vectors: np.ndarray | None,
) -> VoiceFile:
    """Our own folder or file; `place` is the file that says the configuration."""
    version = saved.get("format_version")
    if version != FORMAT_VERSION:
        raise ValueError(
            f"{place} has format_version {version}; this package reads "
            f"{FORMAT_VERSION}: install a matching version or export the voice again"
        )
    if not isinstance(saved.get("config"), dict):
        raise ValueError(f"{place} has no config: export the voice again")
    try:
        config = SynthConfig.from_dict(saved["config"])
        _check_sizes(config, observe(tensors))
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error
    clean = {name: np.asarray(value, np.float32) for name, value in tensors.items()}
    origins = dict.fromkeys(config.to_dict(), "header" if place == path else "config.json")
    if not isinstance(saved.get("metadata"), dict | None):
        raise ValueError(f"{place} has metadata that is no object: export the voice again")
    metadata = normalised(saved.get("metadata") or {})
    kind = "mlx-rvc safetensors"
    return VoiceFile(path, kind, config, clean, metadata, origins, tensors, "mlx", vectors)


def _check_sizes(config: SynthConfig, observed: dict[str, Any]) -> None:
    """ValueError where the configuration is of another network than the tensors.

    Before that network is built: a configuration of a few bytes may ask for any amount of memory.
    """
    for name, value in observed.items():
        if name != "version" and getattr(config, name) != value:
            raise ValueError(
                f"its configuration says {name} {getattr(config, name)!r:.60}, its tensors are of "
                f"{value!r:.60}: export the voice again"
            )


def _assemble(
    path: Path,
    kind: str,
    tensors: Tensors,
    layout: Layout,
    declared: dict[str, Any],
    metadata: dict[str, Any],
    *,
    sample_rate: int | None = None,
    vectors: np.ndarray | None = None,
) -> VoiceFile:
    try:
        posterior = tensors.get("enc_q.pre.weight")
        if posterior is not None and posterior.ndim != 3:
            raise ValueError(f"enc_q.pre.weight has shape {posterior.shape}, expected 3 axes")
        spec = None if posterior is None else posterior.shape[1 if layout == "torch" else 2]
        clean = sanitize(tensors, layout)
        config, origins = resolve(clean, declared, metadata, spec, sample_rate)
    except OpenRateError as error:
        if layout == "torch" and not is_safetensors(path):
            raise ValueError(f"{path}: {error}") from error
        raise ValueError(
            f"{path}: {error.found}: put {path.stem}.json with the voice's configuration beside it "
            f"(RVC's list of {len(LIST_FIELDS)} values), or give the .pth it was made of"
        ) from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    said = normalised(metadata)
    return VoiceFile(path, kind, config, clean, said, origins, tensors, layout, vectors)
