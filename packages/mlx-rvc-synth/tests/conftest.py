"""The toy voices that tools/golden_synth.py made with torch, and what torch made of them."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from mlx_rvc_synth import Noise, Synthesizer

GOLDEN = Path(__file__).parent / "golden"
CASES = ("v1_f0", "v1_nof0", "v2_f0", "v2_nof0", "resblock2", "odd_rates")


def load_case(name):
    arrays = dict(np.load(GOLDEN / f"{name}.npz"))
    voice = Synthesizer.from_pretrained(GOLDEN / f"{name}.pth")
    return SimpleNamespace(
        name=name,
        voice=voice,
        config=voice.config,
        arrays=arrays,
        phone=arrays["in_phone"],
        f0=arrays.get("in_f0"),
        noise=Noise(arrays["in_latent"], arrays.get("in_source")),
        speaker=1,
    )


@pytest.fixture(params=CASES)
def case(request):
    return load_case(request.param)


@pytest.fixture
def v1_f0():
    return load_case("v1_f0")


@pytest.fixture
def v2_nof0():
    return load_case("v2_nof0")


@pytest.fixture
def golden():
    return GOLDEN
