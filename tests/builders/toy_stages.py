"""A pipeline without models: its voice repeats the middle sample of each frame. Cheap and exact."""

from types import SimpleNamespace

import numpy as np

from mlx_rvc import RVCPipeline


class Encoder:
    """One feature: the audio in the middle of each 20 ms frame."""

    config = SimpleNamespace(hidden_size=2, classifier_proj_size=2)

    def extract(self, audio, layer=None, project=False):
        frames = (len(audio) - 80) // 320
        middle = audio[160 + 320 * np.arange(frames)]
        return np.stack([middle, np.ones(frames)], axis=1)[None].astype(np.float32)


class Synthesizer:
    """Holds the first feature for one hop; a voice without F0."""

    config = SimpleNamespace(
        sample_rate=16000, f0=False, version="v2", feature_channels=2, speakers=2
    )

    def __init__(self):
        self.metadata = {}

    def infer(self, features, f0_hz=None, *, speaker=0, seed=None, noise=None, phase=0.0):
        return np.repeat(features[:, :, 0], self.config.sample_rate // 100, axis=1)


def toy_pipeline():
    return RVCPipeline(Synthesizer(), Encoder())
