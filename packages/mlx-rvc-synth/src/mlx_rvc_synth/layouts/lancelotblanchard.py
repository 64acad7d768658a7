"""lancelotblanchard/rvc-mlx: one safetensors per voice, whose header says everything.

    format          "rvc-mlx"          format_version   "1"
    kind            "voice"; "hubert" and "rmvpe" for the models that all voices share
    config          JSON: RVC's constructor names, sr, version, f0
    name, info, version, f0 ("1"), sample_rate, index_size, merged_from

Names are RVC's, weight norm is folded, axes are MLX's; `index.vectors` (n, width) lie beside.
Source: docs/converting-models.md, rvc_mlx/io.py and rvc_mlx/voice.py there.
"""

from __future__ import annotations

from pathlib import Path

from ..declared import declared_in, parsed
from .reading import Reading, Tensors

FORMAT = "rvc-mlx"
_VERSION = "1"
_OTHER_KINDS = {
    "hubert": "content encoder: give --contentvec the file that it was converted from",
    "rmvpe": "RMVPE pitch model: give --rmvpe the file that it was converted from",
}


def read(path: Path, tensors: Tensors, embedded: dict[str, str]) -> Reading:
    """A voice of that program; ValueError for its other kinds of files."""
    kind = embedded.get("kind")
    if kind in _OTHER_KINDS:
        raise ValueError(f"{path} is no voice but rvc-mlx's {_OTHER_KINDS[kind]}")
    if embedded.get("format_version") != _VERSION or kind != "voice":
        raise ValueError(
            f"{path} is an rvc-mlx file of the kind {kind!r:.40}, format_version "
            f"{embedded.get('format_version')!r:.40}; read are voices of version {_VERSION}: "
            "convert the voice's .pth instead"
        )
    metadata = {name: parsed(value) for name, value in embedded.items()}
    config = metadata.pop("config", None)
    if not isinstance(config, dict):
        raise ValueError(f"{path}: its header has no config: convert the voice again")
    for name in ("format", "format_version", "kind", "index_size"):
        metadata.pop(name, None)
    return Reading("safetensors (rvc-mlx)", tensors, "mlx", declared_in(config), metadata)
