"""Golden models of tools/golden_contentvec.py, as files and as loaded models."""

import json
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest

from mlx_contentvec import ContentvecConfig, ContentvecModel, sanitize

GOLDEN = Path(__file__).parent / "golden"


class Golden:
    """One golden model: what goes in, what every step makes of it, and ours with its weights."""

    def __init__(self, name: str):
        with np.load(GOLDEN / f"{name}.npz") as file:
            data = {key: file[key] for key in file.files}
        self.hf_config = json.loads(str(data.pop("config")))
        self.audio = data.pop("audio")
        self.weights = {k[7:]: data.pop(k) for k in list(data) if k.startswith("weight:")}
        self.steps = data
        self.config = ContentvecConfig.from_hf(self.hf_config)

    def model(self) -> ContentvecModel:
        model = ContentvecModel(self.config)
        model.load_weights([(k, mx.array(v)) for k, v in sanitize(self.weights).items()])
        return model

    def folder(self, path: Path, weights=None, **hf_config) -> Path:
        """A Hugging Face folder, of these weights or others."""
        path.mkdir(exist_ok=True)
        (path / "config.json").write_text(json.dumps(self.hf_config | hf_config))
        tensors = self.weights if weights is None else weights
        arrays = {k: mx.array(v) for k, v in tensors.items()}
        mx.save_safetensors(str(path / "model.safetensors"), arrays)
        return path


@pytest.fixture(scope="session")
def post_norm() -> Golden:
    return Golden("post_norm")


@pytest.fixture(scope="session")
def pre_norm() -> Golden:
    return Golden("pre_norm")


@pytest.fixture
def model(post_norm) -> ContentvecModel:
    return post_norm.model()


@pytest.fixture
def golden_folder() -> Path:
    return GOLDEN


@pytest.fixture(autouse=True)
def no_environment(monkeypatch, tmp_path):
    """No test reads the user's encoder or writes to the user's cache."""
    monkeypatch.delenv("MLX_CONTENTVEC", raising=False)
    monkeypatch.setenv("MLX_WEIGHTS_CACHE", str(tmp_path / "cache"))
