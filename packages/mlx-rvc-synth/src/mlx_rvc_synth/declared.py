"""What other programs write beside a voice's tensors: configurations and metadata.

Read leniently on purpose: these formats are not ours and grow. What counts is checked against the
tensors afterwards.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

import mlx_weights

from .config import LIST_FIELDS, config_from_list, parse_sample_rate


def foreign_config(
    path: Path, beside: dict[str, Any], embedded: dict[str, str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Declared configuration and metadata of somebody else's safetensors file."""
    own = path.with_suffix(".json")
    metadata: dict[str, Any] = {name: _parsed(value) for name, value in embedded.items()}
    listed = metadata.pop("config_json", None)
    if own.is_file() and own.name != "config.json":
        return constructor_fields(mlx_weights.read_config(own)), metadata
    if isinstance(listed, list):
        return config_from_list(listed), metadata
    entries = {key: value for key, value in beside.items() if isinstance(value, dict)}
    if entries and len(entries) == len(beside):
        return constructor_fields(_entry(path, entries)), metadata
    return constructor_fields(beside), metadata


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
        raise ValueError(
            f"config.json beside {path.name} has entries {', '.join(entries)}; "
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


def normalised(metadata: dict[str, Any]) -> dict[str, Any]:
    """The file's metadata, with `embedder` and `speaker_names` whatever a program calls them."""
    metadata = dict(metadata)
    for name in ("embedder_model", "embedder_name"):
        if metadata.get(name) and "embedder" not in metadata:
            metadata["embedder"] = metadata[name]
    names = _speaker_names(metadata.get("speaker_info", metadata.get("speaker_info_json")))
    if names:
        metadata["speaker_names"] = names
    elif not isinstance(metadata.get("speaker_names"), dict):
        metadata.pop("speaker_names", None)
    return metadata


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


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
