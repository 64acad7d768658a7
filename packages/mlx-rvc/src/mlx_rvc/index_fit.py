"""Whether an index holds features of the encoder in use, or of another that is as wide.

Features lie nearer to the vectors of their own encoder than the same numbers do with the channels
in another order, which mean nothing there; another encoder's features lie as far away as those.
Measured with two encoders of one width, as shares of that distance: speech and singing .21 to .56,
noise and silence .69 to .83 with their own index; .98 to 1.04 with that of the other encoder.
"""

from __future__ import annotations

import numpy as np

from mlx_rvc.interfaces import FeatureBlender

FAR = 0.92
CHUNKS = 2  # of a recording are looked at
FRAMES = 100  # of a chunk
_FEWEST = 25


def closeness(index: FeatureBlender, features: np.ndarray) -> list[float]:
    """Median squared distance of features (frames, width) to the index, over that of shuffled ones.

    One number; none for too few frames, and for an index that cannot be searched.
    """
    search = getattr(index, "search", None)
    if search is None or len(features) < _FEWEST:
        return []
    chosen = np.linspace(0, len(features) - 1, min(FRAMES, len(features))).astype(int)
    frames = features[chosen]
    order = np.random.default_rng(0).permutation(frames.shape[1])
    near, far = (np.median(search(x, k=1)[0]) for x in (frames, frames[:, order]))
    return [float(near / far)] if far > 0 else []


def notes(found: list[float]) -> tuple[str, ...]:
    """What to tell the user of the `closeness` of the chunks."""
    if not found or min(found) < FAR:
        return ()
    return (
        "the recording's features lie as far from the index as unrelated ones: it seems to be of "
        "another content encoder; give the index that was made with this voice, or index rate 0",
    )
