"""What other programs write beside a voice's tensors: configurations and metadata.

Read leniently on purpose: these formats are not ours and grow. What counts is checked against the
tensors afterwards.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from mlx_weights.errors import shown

from .config import LIST_FIELDS, config_from_list, parse_sample_rate

_SECTIONS = {"data", "model", "train"}  # of RVC's training configuration
_FORK_LAYER = 9
_MAKERS = {
    "Hugging Face RVC": ("training",),
    "w-okada, ddPn08": ("embedder_name", "embedder_output_layer"),
    "rvc-next": ("f0_median",),
    "Applio": ("model_hash", "creation_date", "speakers_id", "dataset_length"),
}
_MOST_LAYERS, _MOST_SHOWN = 64, 10


def foreign_config(
    path: Path, beside: dict[str, Any], embedded: dict[str, str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Declared configuration and metadata of somebody else's safetensors file."""
    metadata: dict[str, Any] = {name: parsed(value) for name, value in embedded.items()}
    entries = {key: value for key, value in beside.items() if isinstance(value, dict)}
    if entries and len(entries) == len(beside) and not set(entries) <= _SECTIONS:
        return constructor_fields(_entry(path, entries)), metadata
    return declared_in(beside), metadata


def declared_in(said: Any) -> dict[str, Any]:
    """`SynthConfig` fields in any form that programs write them in.

    RVC's list, an object of its constructors' names, RVC's training configuration (`data`,
    `model`, `train`), or one of these under `config`. Raises ValueError for a list of another
    length and for what is neither list nor object.
    """
    if isinstance(said, list | tuple):
        return config_from_list(said)
    if not isinstance(said, dict):
        raise ValueError(
            f"the configuration is a {type(said).__name__}, expected RVC's list of "
            f"{len(LIST_FIELDS)} values or an object of their names"
        )
    declared = constructor_fields(said)
    for part in ("data", "model"):
        if isinstance(said.get(part), dict):
            declared |= constructor_fields(said[part])
    window = said["data"].get("filter_length") if isinstance(said.get("data"), dict) else None
    if isinstance(window, int):
        declared.setdefault("spec_channels", window // 2 + 1)
    inner = said.get("config")
    if isinstance(inner, list) or (
        isinstance(inner, dict) and not isinstance(inner.get("config"), dict)
    ):
        declared = declared_in(inner) | declared
    return declared


def _entry(path: Path, entries: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The entry of a shared config.json for this file: its key or its rate is in the name."""
    stem = path.stem
    fitting = {}
    for key, value in entries.items():
        rate = value.get("sample_rate", value.get("sr"))
        spellings = [key]
        if rate is not None:
            hertz = parse_sample_rate(rate)
            spellings += [str(hertz), f"{hertz / 1000:g}k"]
        if any(spelling in stem for spelling in spellings):
            fitting[key] = value
    if len(fitting) != 1:
        names = ", ".join(map(shown, list(entries)[:_MOST_SHOWN]))
        raise ValueError(
            f"config.json beside {path.name} has {len(entries)} entries, {names}; "
            f"{'several fit' if fitting else 'none fits'} this name: rename the file or put "
            f"{path.stem}.json beside it"
        )
    return next(iter(fitting.values()))


def constructor_fields(values: dict[str, Any]) -> dict[str, Any]:
    """The fields RVC's constructors know; other programs write more, which is not for us."""
    declared = {name: values[name] for name in LIST_FIELDS if name in values}
    rate = values.get("sample_rate", values.get("sampling_rate", values.get("sr")))
    if rate is not None:
        declared["sample_rate"] = parse_sample_rate(rate)
    return declared


def small_model_says(content: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Declared configuration and metadata of a dict with `weight`, `config` and more.

    The fork of ddPn08 and w-okada has the width of the features in its list, which makes it 19
    long, and the same values with their names in `params`. Where it names no layer of the encoder,
    its program takes the ninth. Raises ValueError for a configuration that says nothing.
    """
    tensors = ("weight", "generator_state_dict", "config", "params")
    metadata = {str(k): plain(v) for k, v in content.items() if k not in tensors}
    said, named = content.get("config"), content.get("params")
    if isinstance(said, list | tuple) and len(said) != len(LIST_FIELDS):
        if metadata.get("embedder_output_layer") is None:
            metadata["embedder_layer"] = _FORK_LAYER
        said = named if isinstance(named, dict) else said
    if said is None:
        said = named
    return {} if said is None else declared_in(said), metadata


def maker(metadata: dict[str, Any]) -> str:
    """The program that wrote a small model, by what only it writes; "" for RVC and its like."""
    for program, names in _MAKERS.items():
        if any(metadata.get(name) is not None for name in names):
            return f" ({program})"
    return ""


def normalised(metadata: dict[str, Any]) -> dict[str, Any]:
    """The file's metadata, with `embedder` and `speaker_names` whatever a program calls them.

    `embedder_layer` is the layer of the content encoder whose output the voice was trained on,
    counted from 1, where a file says it (the fork of ddPn08 and w-okada does).
    """
    metadata = dict(metadata)
    if metadata.get("embedder_model"):
        metadata.setdefault("embedder", metadata["embedder_model"])
    elif metadata.get("embedder_name"):
        # The fork marks an encoder without its projection to 256 by its width.
        metadata.setdefault("embedder", str(metadata["embedder_name"]).removesuffix("768"))
    layer = _layer(metadata.get("embedder_layer", metadata.get("embedder_output_layer")))
    metadata.pop("embedder_layer", None)
    if layer is not None:
        metadata["embedder_layer"] = layer
    names = _speaker_names(metadata.get("speaker_info", metadata.get("speaker_info_json")))
    if names:
        metadata["speaker_names"] = names
    elif not isinstance(metadata.get("speaker_names"), dict):
        metadata.pop("speaker_names", None)
    return metadata


def _layer(said: Any) -> int | None:
    if isinstance(said, str) and said.strip().isdecimal() and len(said) < 4:
        said = int(said)
    if isinstance(said, bool) or not isinstance(said, int):
        return None
    return said if 0 < said <= _MOST_LAYERS else None


def _speaker_names(info: Any) -> dict[str, str]:
    if isinstance(info, dict):
        pairs = [
            (key, value.get("name") if isinstance(value, dict) else value)
            for key, value in info.items()
        ]
    elif isinstance(info, list):
        pairs = [
            (row.get("id", i), row.get("name"))
            for i, row in enumerate(info)
            if isinstance(row, dict)
        ]
    else:
        return {}
    return {str(key): str(name) for key, name in pairs if name is not None}


def plain(value: Any) -> Any:
    """A value as JSON can hold it; arrays beside the weights are only named."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return value.item() if value.size == 1 else f"array {value.shape}"
    if isinstance(value, np.generic):
        return value.item()
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def parsed(text: str) -> Any:
    """A value of a header: JSON where it is JSON, else the text itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
