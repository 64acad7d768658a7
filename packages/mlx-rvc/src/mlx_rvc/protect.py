"""Consonants: give unvoiced frames back what the index took from them.

Source: RVC-WebUI, `infer/modules/vc/pipeline.py` (`protect`).
"""

import numpy as np

OFF = 0.5


def protect_unvoiced(
    blended: np.ndarray, original: np.ndarray, voiced: np.ndarray, protect: float
) -> np.ndarray:
    """Mix the encoder's own features back into unvoiced frames.

    blended, original: (frames, channels) after and before the index; voiced: (frames,), bool or F0
    in Hz, 0 = unvoiced. protect: share of the blend that unvoiced frames keep, from 0 (none) to
    0.5, which by the reference's convention means all.
    """
    if protect >= OFF:
        return blended
    keep = np.where(voiced > 0, 1.0, protect).astype(np.float32)[:, None]
    return blended * keep + original * (1 - keep)
