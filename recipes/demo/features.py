"""Content features of the target voices, of their own speech and of its pseudo-speakers."""

import numpy as np
import torch

from augment import recorded
from encoder import Student


def elsewhere(audio: list[np.ndarray], draw: np.random.Generator) -> list[np.ndarray]:
    """The same speech, (samples,) int16 each, through other microphones, in other rooms."""
    out = []
    for samples in audio:
        other = audio[draw.integers(len(audio))].astype(np.float32) / 32767
        made = recorded(samples.astype(np.float32) / 32767, other, draw)
        out.append((made * 32767).astype(np.int16))
    return out


@torch.no_grad()
def features(model: Student, audio: list[np.ndarray]) -> list[np.ndarray]:
    """One (frames, 192) float16 array for each (samples,) int16."""
    out = []
    for samples in audio:
        heard = model.features(torch.from_numpy(samples.astype(np.float32) / 32767)[None])
        out.append(heard[0].numpy().astype(np.float16))
    return out
