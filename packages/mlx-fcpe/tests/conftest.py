"""The toy network whose every stage is known (tools/golden_fcpe.py), and the shipped one."""

from pathlib import Path

import numpy as np
import pytest

import mlx_fastops as fastops
from mlx_fcpe import FCPE

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="session")
def toy_path():
    return GOLDEN / "toy_fcpe.pt"


@pytest.fixture(scope="session")
def golden():
    names = ("network", "mel", "decode", "clip")
    return {name: dict(np.load(GOLDEN / f"{name}.npz")) for name in names}


@pytest.fixture(scope="session")
def toy(toy_path):
    return FCPE.from_pretrained(toy_path)


@pytest.fixture(scope="session")
def shipped():
    from mlx_fcpe.weights import SHIPPED

    return FCPE.from_pretrained(SHIPPED)


@pytest.fixture(params=["blas", "mlx"])
def backend(request):
    with fastops.use_backend(request.param):
        yield request.param


@pytest.fixture(autouse=True)
def no_weights_of_the_user(monkeypatch):
    monkeypatch.delenv("MLX_FCPE", raising=False)
