"""Which content encoder a voice needs: the one it was trained with, or the one the user names."""

from pathlib import Path
from typing import TYPE_CHECKING

import mlx_rvc_demo

if TYPE_CHECKING:
    from mlx_contentvec import ContentvecModel

DEFAULT = "contentvec"
"""What a voice means that names no encoder: nearly every shared voice."""


def load_encoder(embedder: str | None, source: str | Path | None) -> "ContentvecModel":
    """Load the content encoder of a voice.

    embedder: the voice's own word for it (`embedder_model` in its metadata), or None.
    source: the user's choice (file, folder or hub repository), which goes first.

    Raises ValueError when the voice names an encoder that is not known and no source is given.
    """
    from mlx_contentvec import ContentvecModel

    if source is not None:
        return ContentvecModel.from_pretrained(source)
    if embedder == mlx_rvc_demo.NAME:
        return ContentvecModel.from_pretrained(mlx_rvc_demo.bundle().encoder)
    if embedder in (None, "", DEFAULT):
        return ContentvecModel.from_pretrained()
    raise ValueError(
        f"the voice was trained with the content encoder {embedder!r}, which is not bundled; "
        f"give its file or folder with --contentvec (in Python: contentvec=)"
    )
