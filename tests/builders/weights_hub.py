"""A hub on this machine with toy weights at the addresses of the real ones."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from mlx_weights.testing import LocalHub

ENCODER = "IAHispano/Applio"
RMVPE_FILE = Path(__file__).parents[2] / "packages/mlx-rmvpe/tests/golden/toy_rmvpe.pt"
F0 = "lj1995/VoiceConversionWebUI"


@contextmanager
def serve(caches: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    """A hub with the demo's encoder and a toy RMVPE; caches of this test alone."""
    import mlx_contentvec.loading
    import mlx_rmvpe.rmvpe
    import mlx_rvc_demo

    for name in ("MLX_CONTENTVEC", "MLX_RMVPE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    use_caches(monkeypatch, caches)
    encoder = mlx_rvc_demo.bundle().encoder
    rmvpe = RMVPE_FILE.read_bytes()
    folder = "Resources/embedders/contentvec"
    default = replace(mlx_contentvec.loading.DEFAULT, filename=f"{folder}/model.safetensors")
    monkeypatch.setattr("mlx_contentvec.loading.DEFAULT", default)
    published = replace(
        mlx_rmvpe.rmvpe.DEFAULT_WEIGHTS,
        sha256=hashlib.sha256(rmvpe).hexdigest(),
    )
    monkeypatch.setattr("mlx_rmvpe.rmvpe.DEFAULT_WEIGHTS", published)
    repos = {
        ENCODER: {
            f"{folder}/model.safetensors": encoder / "model.safetensors",
            f"{folder}/config.json": encoder / "config.json",
        },
        F0: {"rmvpe.pt": rmvpe},
    }
    with LocalHub(repos) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


def use_caches(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let the hub client and mlx-weights keep their files below `folder`."""
    monkeypatch.setenv("HF_HUB_CACHE", str(folder / "hub"))
    monkeypatch.setenv("MLX_WEIGHTS_CACHE", str(folder / "weights"))
