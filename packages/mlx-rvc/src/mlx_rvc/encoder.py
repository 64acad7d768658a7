"""Which content encoder a voice needs: the one it was trained with, or the one the user names."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlx_rvc_demo

if TYPE_CHECKING:
    from mlx_contentvec import ContentvecModel

DEFAULT = "contentvec"
"""What a voice means that names no encoder: nearly every shared voice."""

LAYER_KEY = "embedder_layer"
"""How a voice of the w-okada fork names the encoder's layer that it takes."""


def load_encoder(embedder: str | None, source: str | Path | None) -> "ContentvecModel":
    """Load the content encoder of a voice.

    embedder: the voice's own word for it (`embedder_model` in its metadata), or None.
    source: the user's choice (file, folder, hub repository or name), which goes first.

    Raises ValueError when the voice names an encoder that is not known and no source is given.
    """
    from mlx_contentvec import ContentvecModel, known, loading

    if source is not None:
        return ContentvecModel.from_pretrained(source)
    if embedder == mlx_rvc_demo.NAME:
        return ContentvecModel.from_pretrained(mlx_rvc_demo.bundle().encoder)
    name = encoder_name(embedder)
    if name == DEFAULT:
        return ContentvecModel.from_pretrained()  # which MLX_CONTENTVEC may replace
    encoder = known.find(name)
    if encoder is None:
        raise ValueError(
            f"the voice was trained with the content encoder {embedder!r}, which is none of "
            f"{', '.join(known.names())}; give its file, folder or hub repository with "
            f"--contentvec (in Python: contentvec=)"
        )
    # By its name alone: a folder that happens to be called so is not what the voice means.
    return loading.load_known(encoder)


def encoder_name(embedder: Any) -> str:
    """Give the usual name of what a voice calls its encoder; an unknown one comes back."""
    from mlx_contentvec import known

    if embedder in (None, ""):
        return DEFAULT
    encoder = known.find(str(embedder))
    return str(embedder) if encoder is None else encoder.name


def contradiction(embedder: str | None, source: str | Path | None) -> str | None:
    """Say that the user's choice is another encoder than the voice's own, where both have names."""
    from mlx_contentvec import known

    if not embedder or not isinstance(source, str) or Path(source).expanduser().exists():
        return None
    chosen, own = known.find(source), encoder_name(embedder)
    if chosen is None or chosen.name == own:
        return None
    return f"the voice names the content encoder {own}, converted with {chosen.name} as asked"


def output_layer(metadata: Mapping[str, Any]) -> int | None:
    """Give the encoder's layer that a voice names, None where it names none.

    Raises ValueError for one that is no layer.
    """
    layer = metadata.get(LAYER_KEY)
    if layer is None or (type(layer) is int and layer > 0):
        return layer
    raise ValueError(
        f"the voice's metadata has {LAYER_KEY} {layer!r:.60}; the number of a layer is expected, "
        f"such as 9 or 12"
    )
