"""The toy network whose every layer is known (tools/golden_crepe.py), and the shipped one."""

from pathlib import Path

import numpy as np
import pytest

import mlx_fastops as fastops
from mlx_crepe import CREPE, CREPETiny

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="session")
def toy_path():
    return GOLDEN / "toy.pth"


@pytest.fixture(scope="session")
def golden():
    return {name: dict(np.load(GOLDEN / f"{name}.npz")) for name in ("toy", "decode", "tiny")}


@pytest.fixture(scope="session")
def toy(toy_path):
    return CREPE.from_pretrained(toy_path)


@pytest.fixture(scope="session")
def tiny():
    return CREPETiny.from_pretrained()


@pytest.fixture(params=["blas", "mlx"])
def backend(request):
    with fastops.use_backend(request.param):
        yield request.param


@pytest.fixture(autouse=True)
def no_weights_of_the_user(monkeypatch):
    monkeypatch.delenv("MLX_CREPE", raising=False)
