"""The toy network whose every stage is known (tools/golden_rmvpe.py)."""

from pathlib import Path

import numpy as np
import pytest

import mlx_fastops as fastops
from mlx_rmvpe import RMVPE

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="session")
def toy_path():
    return GOLDEN / "toy_rmvpe.pt"


@pytest.fixture(scope="session")
def golden():
    return {name: dict(np.load(GOLDEN / f"{name}.npz")) for name in ("network", "mel", "decode")}


@pytest.fixture(scope="session")
def toy(toy_path):
    return RMVPE.from_pretrained(toy_path)


@pytest.fixture(params=["blas", "mlx"])
def backend(request):
    with fastops.use_backend(request.param):
        yield request.param


@pytest.fixture(autouse=True)
def no_weights_of_the_user(monkeypatch, tmp_path):
    monkeypatch.delenv("MLX_RMVPE", raising=False)
    monkeypatch.setenv("MLX_WEIGHTS_CACHE", str(tmp_path / "cache"))
