"""Recordings and the demo voice, shared by the tests of the whole chain."""

from pathlib import Path

import numpy as np
import pytest

from mlx_rvc import RVCPipeline
from mlx_rvc_cli.audio import read_audio, resample

AUDIO = Path(__file__).parent / "audio"


@pytest.fixture(scope="session")
def demo():
    """The demo voice, loaded once."""
    return RVCPipeline.from_pretrained("demo")


@pytest.fixture(scope="session")
def clip():
    """A function: clip name, seconds, rate in Hz and channels to float32 (samples, channels)."""

    def load(name, seconds=None, rate=16000, channels=1):
        audio, own_rate = read_audio(AUDIO / f"{name}.flac")
        mono = resample(audio[:, 0], own_rate, rate)
        if seconds is not None:
            mono = np.resize(mono, round(seconds * rate))
        return np.repeat(mono[:, None], channels, axis=1)

    return load
