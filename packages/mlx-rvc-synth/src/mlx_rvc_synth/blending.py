"""A new voice between others: the weighted mean of their tensors.

RVC (`merge` in `infer/lib/train/process_ckpt.py`) takes the mean of the tensors as they are stored:
of the magnitude g and the direction v of a weight norm each for itself, which is not the mean of
the weights g·v / ‖v‖. So does this. A file whose weight norm is folded no longer has v; if one of
the voices is such a file, the weights of all are folded and their mean is taken.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .sanitizing import Layout, Tensors, sanitize
from .torch_layout import keeps_weight_norm, to_torch
from .voicefile import VoiceFile

_TRAINING_ONLY = ("spec_channels", "segment_size", "p_dropout")
# True of one training or one file, not of a mixture, even where two files agree.
_OF_ONE_VOICE = (
    *("epoch", "step", "iteration", "learning_rate", "creation_date", "timestamp", "info"),
    *("name", "model_name", "model_hash", "hash", "id"),
)


def voices_and_weights(given: list[str]) -> list[tuple[str, float]]:
    """(voice, weight) of "voice:weight", or of bare names, which weigh the same.

    Raises ValueError for a single voice, and where some have a weight and others have none.
    """
    parts = [_split_weight(text) for text in given]
    weighted = [weight is not None for _, weight in parts]
    if len(parts) < 2:
        raise ValueError("one voice alone is no blend: give two or more, such as a.pth:0.7 b.pth")
    if any(weighted) and not all(weighted):
        bare = next(voice for voice, weight in parts if weight is None)
        raise ValueError(f"{bare} has no weight, others do: give each voice one ({bare}:0.5)")
    return [(voice, 1.0 if weight is None else weight) for voice, weight in parts]


def _split_weight(text: str) -> tuple[str, float | None]:
    name, colon, end = text.rpartition(":")
    if not colon or Path(text).exists():
        return text, None
    try:
        return name, float(end)
    except ValueError:
        return text, None


def normalised_weights(weights: Sequence[float]) -> list[float]:
    """Shares that add up to 1. Raises ValueError for negative ones, and for nothing to share."""
    if any(not math.isfinite(weight) or weight < 0 for weight in weights):
        raise ValueError(f"weights {_list(weights)}: expected numbers of 0 or more")
    total = sum(weights)
    if not total > 0:
        raise ValueError("the weights add up to 0: give at least one voice more than 0")
    return [weight / total for weight in weights]


def blend(voices: Sequence[VoiceFile], weights: Sequence[float]) -> VoiceFile:
    """The mean of two or more voices of one architecture, by `weights` (brought to a sum of 1).

    `originals` of the result are float32, `kind` says whether weight norm was kept. Its metadata is
    what all voices say alike. Raises ValueError that names the first difference between voices.
    """
    if len(voices) < 2 or len(voices) != len(weights):
        raise ValueError(
            f"{len(voices)} voices with {len(weights)} weights: two voices or more are blended, "
            "each with a weight"
        )
    shares = normalised_weights(weights)
    first = voices[0]
    for other in voices[1:]:
        found = difference(first, other)
        if found is not None:
            raise ValueError(
                f"{other.path} does not fit {first.path}: {found}; voices of one architecture "
                "can be blended"
            )
    kept = all(keeps_weight_norm(voice.originals) for voice in voices)
    layout: Layout = "torch" if kept else "mlx"
    sources = [_tensors(voice, kept) for voice in voices]
    for voice, tensors in zip(voices[1:], sources[1:], strict=True):
        _check_same(first, sources[0], voice, tensors)
    mixed = {name: _mean([source[name] for source in sources], shares) for name in sources[0]}
    parts = ", ".join(
        f"{voice.path.name} {share:.4g}" for voice, share in zip(voices, shares, strict=True)
    )
    metadata = {**_said_alike(voices), "info": f"blend of {parts}"}
    return VoiceFile(
        path=first.path,
        kind="blend, weight norm " + ("kept" if kept else "folded"),
        config=first.config,
        tensors=sanitize(mixed, layout),
        metadata=metadata,
        origins=first.origins,
        originals=mixed,
        layout=layout,
    )


def difference(one: VoiceFile, other: VoiceFile) -> str | None:
    """The first thing in which two voices differ so that they cannot be blended, in words."""
    mine, theirs = one.config.to_dict(), other.config.to_dict()
    names = ["version", "f0", "sample_rate", "spk_embed_dim"]
    for name in [*names, *(name for name in mine if name not in names)]:
        if name not in _TRAINING_ONLY and mine[name] != theirs[name]:
            shown = "speakers" if name == "spk_embed_dim" else name
            return f"{shown} {_shown(theirs[name])}, not {_shown(mine[name])}"
    encoders = [voice.metadata.get("embedder") or "contentvec" for voice in (one, other)]
    if encoders[0] != encoders[1]:
        return f"content encoder {encoders[1]}, not {encoders[0]}"
    return None


def _tensors(voice: VoiceFile, kept: bool) -> Tensors:
    return to_torch(voice.originals, voice.layout) if kept else voice.tensors


def _check_same(first: VoiceFile, mine: Tensors, other: VoiceFile, theirs: Tensors) -> None:
    for name in sorted(set(mine) ^ set(theirs)):
        where = other if name in theirs else first
        raise ValueError(f"only {where.path} has the tensor {name}: the voices cannot be blended")
    for name, value in mine.items():
        if value.shape != theirs[name].shape:
            raise ValueError(
                f"{name} has shape {theirs[name].shape} in {other.path}, {value.shape} in "
                f"{first.path}: the voices cannot be blended"
            )


def _mean(values: Sequence[np.ndarray], shares: Sequence[float]) -> np.ndarray:
    total = np.zeros(values[0].shape, np.float64)
    for value, share in zip(values, shares, strict=True):
        total += share * value.astype(np.float64)
    return total.astype(np.float32)


def _said_alike(voices: Sequence[VoiceFile]) -> dict[str, Any]:
    first, *others = (voice.metadata for voice in voices)
    return {
        name: value
        for name, value in first.items()
        if name not in _OF_ONE_VOICE
        and all(name in other and other[name] == value for other in others)
    }


def _shown(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _list(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)
