"""Content features of the target voices, of their own speech and of its pseudo-speakers."""

import numpy as np
import torch

from encoder import Student


@torch.no_grad()
def features(model: Student, audio: list[np.ndarray]) -> list[np.ndarray]:
    """One (frames, 192) float16 array for each (samples,) int16."""
    out = []
    for samples in audio:
        heard = model.features(torch.from_numpy(samples.astype(np.float32) / 32767)[None])
        out.append(heard[0].numpy().astype(np.float16))
    return out
