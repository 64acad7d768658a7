"""Files, folders, the environment: what a source may be when no network is needed."""

import hashlib

import pytest

import mlx_weights
from mlx_weights import HubFile, WeightsError, locate

DEFAULT = HubFile("owner/name", "model.pt")


def find(source):
    return locate(source, default=DEFAULT, env="MODEL_HOME", option="--model", filenames=("a", "b"))


def test_file_folder_and_environment(tmp_path, monkeypatch):
    (tmp_path / "b").write_bytes(b"")
    assert find(tmp_path / "b") == tmp_path / "b"
    assert find(str(tmp_path)) == tmp_path / "b"
    (tmp_path / "a").write_bytes(b"")
    assert find(tmp_path) == tmp_path / "a"
    monkeypatch.setenv("MODEL_HOME", str(tmp_path))
    assert find(None) == tmp_path / "a"
    assert find(tmp_path / "b") == tmp_path / "b"  # what is given wins over the environment


def test_home_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a").write_bytes(b"")
    assert find("~/a") == tmp_path / "a"


def test_a_path_that_looks_like_a_repository_wins(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "owner/name").mkdir(parents=True)
    (tmp_path / "owner/name/a").write_bytes(b"")
    assert find("owner/name").resolve() == tmp_path / "owner/name/a"


@pytest.mark.parametrize("source", ["voices/mine.pth", "/no/where", "nothing", "a/b/c", "./a/b"])
def test_missing_files_are_not_taken_for_repositories(source, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(WeightsError, match="does not exist") as caught:
        find(source)
    assert "--model" in str(caught.value)


def test_errors_name_the_environment_variable(tmp_path, monkeypatch):
    monkeypatch.setenv("MODEL_HOME", str(tmp_path))
    with pytest.raises(WeightsError, match=r"MODEL_HOME.*none of a, b"):
        find(None)


def test_sha256(tmp_path):
    (tmp_path / "x").write_bytes(b"abc" * 10**6)
    assert mlx_weights.sha256(tmp_path / "x") == hashlib.sha256(b"abc" * 10**6).hexdigest()


def test_cache_dir(tmp_path, monkeypatch):
    monkeypatch.setenv("MLX_WEIGHTS_CACHE", str(tmp_path / "own"))
    assert mlx_weights.cache_dir() == tmp_path / "own"
    monkeypatch.delenv("MLX_WEIGHTS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert mlx_weights.cache_dir() == tmp_path / "mlx-weights"


def test_public_names_are_sorted():
    assert list(mlx_weights.__all__) == sorted(mlx_weights.__all__)
    assert all(hasattr(mlx_weights, name) for name in mlx_weights.__all__)


def test_a_source_need_not_have_a_variable(tmp_path):
    """Errors then name the option alone."""
    with pytest.raises(WeightsError, match=r"\(given by VOICE\) does not exist"):
        locate("missing.pth", default=DEFAULT, env=None, option="VOICE", filenames=("a",))
    (tmp_path / "a").touch()
    found = locate(tmp_path, default=DEFAULT, env=None, option="VOICE", filenames=("a",))
    assert found == tmp_path / "a"
