"""Where weights come from: the hub, the environment, a folder."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from mlx_rmvpe import DEFAULT_WEIGHTS, RMVPE
from mlx_weights import WeightsError
from mlx_weights.testing import LocalHub, refused_url

REPO = "lj1995/VoiceConversionWebUI"


@pytest.fixture
def hub(toy_path, monkeypatch, tmp_path):
    """The toy file at the address of the real one."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with LocalHub({REPO: {"rmvpe.pt": toy_path}}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


@pytest.fixture
def right_hash(toy_path, monkeypatch):
    digest = hashlib.sha256(toy_path.read_bytes()).hexdigest()
    monkeypatch.setattr("mlx_rmvpe.rmvpe.DEFAULT_WEIGHTS", replace(DEFAULT_WEIGHTS, sha256=digest))


def test_the_default_is_the_published_file():
    assert (DEFAULT_WEIGHTS.repo, DEFAULT_WEIGHTS.filename) == (REPO, "rmvpe.pt")
    assert DEFAULT_WEIGHTS.sha256 is not None
    assert DEFAULT_WEIGHTS.sha256.startswith("6d62215f4306e3ca")


def test_the_file_is_fetched_and_converted_once(hub, right_hash, toy, tmp_path, monkeypatch):
    audio = np.sin(np.arange(3000) / 9).astype(np.float32)
    model = RMVPE.from_pretrained()
    np.testing.assert_array_equal(model.salience(audio), toy.salience(audio))
    assert len(hub.downloads()) >= 1
    [kept] = (tmp_path / "cache" / "rmvpe").iterdir()
    assert {file.name for file in kept.iterdir()} == {"config.json", "model.safetensors"}

    before = len(hub.requests)
    monkeypatch.setattr("mlx_rmvpe.rmvpe.sanitize", lambda checkpoint, source: dict(checkpoint))
    again = RMVPE.from_pretrained()  # from the cache: already sanitized
    np.testing.assert_array_equal(again.salience(audio), toy.salience(audio))
    assert len(hub.requests) == before


def test_another_file_than_the_published_is_refused(hub):
    with pytest.raises(WeightsError, match=r"SHA-256.*6d62215f"):
        RMVPE.from_pretrained()


def test_a_file_the_hub_lacks_is_named(hub, right_hash):
    hub.faults["rmvpe.pt"] = "missing"
    with pytest.raises(WeightsError, match=r"rmvpe\.pt"):
        RMVPE.from_pretrained()


def test_without_network_the_error_says_what_to_fetch(hub, right_hash, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", refused_url())
    with pytest.raises(WeightsError, match=r"lj1995/VoiceConversionWebUI") as caught:
        RMVPE.from_pretrained()
    for part in ("rmvpe.pt", "--rmvpe", "MLX_RMVPE"):
        assert part in str(caught.value)


def test_a_repository_of_saved_models_loads(hub, toy, tmp_path):
    toy.save_pretrained(tmp_path / "saved")
    hub.repos["me/toy"] = {
        name: tmp_path / "saved" / name for name in ("config.json", "model.safetensors")
    }
    assert RMVPE.from_pretrained("me/toy").config == toy.config


def test_the_environment_variable_names_a_file(toy_path, monkeypatch, tmp_path):
    monkeypatch.setenv("MLX_RMVPE", str(toy_path))
    assert RMVPE.from_pretrained().config.n_mels == 16
    assert not (tmp_path / "cache").exists()  # the user's own file is not copied


def test_a_folder_is_searched(toy_path, tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "rmvpe.pt").symlink_to(toy_path)
    assert RMVPE.from_pretrained(tmp_path / "models").config.n_mels == 16


def test_a_missing_path_is_named(tmp_path):
    with pytest.raises(WeightsError, match=r"nowhere\.pt"):
        RMVPE.from_pretrained(tmp_path / "nowhere.pt")
