"""Noise: less of it before the conversion, by `noisereduce` (extra `clean`), block by block.

The noise floor is followed over about two seconds (spectral gating, not stationary), so a block
with a few seconds of context on both sides gives what the whole recording would.
"""

import importlib.util

import numpy as np

from mlx_rvc.recording import MODEL_RATE
from mlx_rvc.track import Padded, Track, spans

BLOCK = 20 * MODEL_RATE
CONTEXT = 6 * MODEL_RATE
_EDGE = 1024
"""Samples of silence around a block, for one window of the transform."""


def check_installed() -> None:
    """Raise ValueError, which says what to install, where `noisereduce` is missing."""
    if importlib.util.find_spec("noisereduce") is None:
        raise ValueError(
            "clean needs noisereduce, which is not installed: pip install 'mlx-rvc[clean]', or "
            "leave clean at 0"
        )


def clean(audio: Track, strength: float) -> Track:
    """Reduce the noise in audio (n,) at 16 kHz; the same length and type.

    strength: above 0 (nothing is done) to 1 (noise is removed as far as it is told apart).
    """
    from noisereduce import noisereduce

    padded = Padded(audio, CONTEXT)
    result = Track(audio.dtype)
    for part in spans(len(audio), BLOCK):
        block = padded[part.start : part.stop + 2 * CONTEXT]
        if block.any():  # the level of digital silence would be divided by itself
            block = noisereduce.reduce_noise(
                block, MODEL_RATE, prop_decrease=strength, chunk_size=None, padding=_EDGE
            )
        result.append(np.asarray(block)[CONTEXT : CONTEXT + part.stop - part.start])
    return result
