"""The features of a voice's index, through whichever package reads indexes.

A package that reads index files offers a function from a path to float32 (n, width) under the
entry point group `mlx_rvc.index_vectors`; this package knows no index format.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

import numpy as np

from .voicefile import VoiceFile

GROUP = "mlx_rvc.index_vectors"


def read_index_vectors(path: Path, voice: VoiceFile) -> np.ndarray:
    """All vectors (n, width) of an index that fits `voice`.

    Raises ValueError where no package reads indexes, where the file is none, and for features of
    another width than the voice's.
    """
    readers = list(entry_points(group=GROUP))
    if not readers:
        raise ValueError("an index is read by mlx-rvc-index: pip install mlx-rvc-index")
    vectors = np.asarray(readers[0].load()(path))
    width = voice.config.feature_channels
    if vectors.ndim != 2 or vectors.shape[1] != width:
        raise ValueError(
            f"the vectors of {path} have shape {vectors.shape}, the voice takes features {width} "
            "wide: give the index that was made with this voice"
        )
    return vectors
