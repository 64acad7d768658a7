"""The shipped model, and what the original program says of a sound (tools/golden_swift_f0.py)."""

from pathlib import Path

import numpy as np
import pytest

import mlx_fastops as fastops
from mlx_swift_f0 import SwiftF0

GOLDEN = Path(__file__).parent / "golden" / "swift_f0.npz"


@pytest.fixture(scope="session")
def golden():
    """Arrays by name; audio as float32."""
    found = dict(np.load(GOLDEN))
    found["audio"] = found["audio"].astype(np.float32) / 32768
    return found


@pytest.fixture(scope="session")
def model():
    return SwiftF0.from_pretrained()


@pytest.fixture(params=["blas", "mlx"])
def backend(request):
    with fastops.use_backend(request.param):
        yield request.param


@pytest.fixture(autouse=True)
def no_weights_of_the_user(monkeypatch):
    monkeypatch.delenv("MLX_SWIFT_F0", raising=False)


@pytest.fixture(scope="session")
def noise():
    def noise(*shape, seed=0):
        return (0.1 * np.random.default_rng(seed).standard_normal(shape)).astype(np.float32)

    return noise


@pytest.fixture(scope="session")
def glide():
    """A tone with overtones whose logarithm of F0 rises evenly, with pauses if asked."""

    def glide(samples, low=110.0, high=440.0, *, pauses=False):
        hz = low * (high / low) ** (np.arange(samples) / max(samples - 1, 1))
        phase = 2 * np.pi * np.cumsum(hz) / 16000
        tone = sum(np.sin(k * phase) / k for k in range(1, 9))
        if pauses:
            tone = tone * (np.sin(2 * np.pi * 1.7 * np.arange(samples) / 16000) > -0.5)
        return (0.1 * tone).astype(np.float32)

    return glide


@pytest.fixture(scope="session")
def cents():
    """The largest distance in cents; both must be voiced at the same places."""

    def cents(found, expected):
        np.testing.assert_array_equal(found > 0, expected > 0)
        voiced = expected > 0
        ratio = found[voiced].astype(float) / expected[voiced].astype(float)
        return np.abs(1200 * np.log2(ratio)).max(initial=0)

    return cents
