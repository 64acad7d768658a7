"""Flat files of tensors (safetensors, `.npz`) of other programs, one program per file.

Each turns its own names and configuration into RVC's, before anything is folded or arranged.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlx_weights

from ..declared import declared_in, foreign_config
from ..refusal import refuse_other_files
from ..sanitizing import detect_layout
from . import acelogic, hugging_face, lancelotblanchard
from .reading import Reading, Tensors

__all__ = ["Reading", "Tensors", "read_flat"]


def read_flat(path: Path, container: str, tensors: Tensors, embedded: dict[str, str]) -> Reading:
    """The tensors of a flat file under RVC's names, what it declares, and its kind in words.

    `container` is "safetensors" or "npz", `embedded` the header of a safetensors file. Raises
    ValueError for what is no voice of the program that made it.
    """
    if embedded.get("format") == lancelotblanchard.FORMAT:
        return lancelotblanchard.read(path, tensors, embedded)
    if container == "npz":
        acelogic.refuse_shared(path, tensors)
    refuse_other_files({}, tensors, path)
    if hugging_face.made(embedded):
        return hugging_face.read(path, tensors, embedded)
    ace = acelogic.made(tensors)
    if ace:
        tensors = acelogic.renamed(tensors)
    declared, metadata = _beside(path, embedded)
    layout = detect_layout(tensors)
    maker = (
        "Acelogic" if ace else {"lexandstuff": "lexandstuff", "torch": "RVC's names"}.get(layout)
    )
    if maker is None and container == "npz":
        maker = "Acelogic, older converter"
    kind = container + (f" ({maker})" if maker else "")
    return Reading(kind, tensors, layout, declared, metadata)


def _beside(path: Path, embedded: dict[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What `<stem>.json` or `<stem>.config.json` says, or else the header and config.json."""
    for own in (path.with_suffix(".json"), path.with_suffix(".config.json")):
        if own.is_file() and own.name != "config.json":
            said = mlx_weights.read_json(own)
            try:
                return declared_in(said), foreign_config(path, {}, embedded)[1]
            except ValueError as error:
                raise ValueError(f"{own}: {error}") from error
    shared = path.parent / "config.json"
    return foreign_config(
        path, mlx_weights.read_config(shared) if shared.is_file() else {}, embedded
    )
