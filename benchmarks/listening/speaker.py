"""Whose voice it is: Resemblyzer's embedding and its cosine."""

from collections.abc import Iterable

import numpy as np

from . import RATE


class Speaker:
    """Resemblyzer 0.1.4: one vector of length 1 for a recording, (256,)."""

    def __init__(self):
        from resemblyzer import VoiceEncoder

        self._encoder = VoiceEncoder("cpu", verbose=False)

    def embed(self, audio: np.ndarray) -> np.ndarray:
        """Embedding of (samples,) at 16 kHz; long silences are cut out first."""
        import torch
        from resemblyzer import preprocess_wav

        speech = preprocess_wav(audio.astype(np.float32), source_sr=RATE)
        if len(speech) < RATE // 2:  # nothing the detector takes for speech: then all of it
            speech = audio.astype(np.float32)
        threads = torch.get_num_threads()
        torch.set_num_threads(
            1
        )  # small LSTM: two threads beside other programs took 40 times as long
        try:
            return self._encoder.embed_utterance(speech)
        finally:
            torch.set_num_threads(threads)


def centre(embeddings: Iterable[np.ndarray]) -> np.ndarray:
    """The mean direction of several embeddings, length 1."""
    mean = np.mean(list(embeddings), axis=0)
    return mean / np.linalg.norm(mean)


def within(embeddings: list[np.ndarray]) -> list[float]:
    """Cosine of each recording to the centre of the others: what one's own voice reaches."""
    if len(embeddings) < 2:
        raise ValueError(f"{len(embeddings)} recordings of a speaker; expected at least 2")
    return [
        float(own @ centre(embeddings[:i] + embeddings[i + 1 :]))
        for i, own in enumerate(embeddings)
    ]
