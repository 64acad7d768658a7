"""Content features of audio, of the kind that a voice takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlx_rvc import chunks
from mlx_rvc.track import Padded, Samples

if TYPE_CHECKING:
    from mlx_rvc.interfaces import ContentEncoder

V1_LAYER = 9
"""v1 voices take hidden layer 9 through the encoder's final projection (256 wide)."""


def content_features(
    encoder: ContentEncoder,
    audio: np.ndarray,
    *,
    version: str,
    width: int | None = None,
    layer: int | None = None,
) -> np.ndarray:
    """Audio (samples,) at 16 kHz to features (frames, channels), 50 frames a second.

    version: "v1" or "v2". width: channels that the voice takes, None for the version's usual; a v1
    voice as wide as the encoder's layers takes the last layer as it is. layer: the one that the
    voice names (`encoder.output_layer`), None for the version's usual.
    """
    if version == "v1" and encoder.config.hidden_size != width:
        features = encoder.extract(audio.astype(np.float32), layer=layer or V1_LAYER, project=True)
    elif layer is not None:
        features = encoder.extract(audio.astype(np.float32), layer=layer)
    else:
        features = encoder.extract(audio.astype(np.float32))
    return np.asarray(features)[0]


def recording_features(
    encoder: ContentEncoder,
    audio: Samples,
    *,
    version: str,
    width: int | None = None,
    layer: int | None = None,
) -> np.ndarray:
    """Features (samples // 320, channels) of a whole recording at 16 kHz, chunk by chunk.

    Each chunk is encoded with its context, as in a conversion, and the context's features dropped.
    """
    padded = Padded(audio, chunks.PAD)
    context = chunks.PAD // chunks.GRID
    parts = []
    for chunk in chunks.plan(audio):
        stop = len(audio) if chunk.stop is None else chunk.stop
        features = content_features(
            encoder, chunk.audio(padded), version=version, width=width, layer=layer
        )
        parts.append(features[context : context + (stop - chunk.start) // chunks.GRID])
    return np.concatenate(parts)
