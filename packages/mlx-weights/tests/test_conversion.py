"""The cache of converted weights: made once, whole or not at all."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest

from mlx_weights import WeightsError, cache_dir, converted, load_model_folder, read_metadata, sha256


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(b"weights")
    return path


class Convert:
    def __init__(self):
        self.calls = 0

    def __call__(self, path):
        self.calls += 1
        return {"w": np.full(4, len(path.read_bytes()), np.float32)}, {"calls": self.calls}


def test_made_once(source):
    convert = Convert()
    folder = converted(source, name="thing", version=1, convert=convert)
    assert converted(source, name="thing", version=1, convert=convert) == folder
    assert convert.calls == 1
    tensors, config = load_model_folder(folder)
    assert (tensors["w"].tolist(), config) == ([7.0] * 4, {"calls": 1})
    assert folder.is_relative_to(cache_dir() / "thing")
    metadata = read_metadata(folder / "model.safetensors")
    assert metadata["source_sha256"] == sha256(source)
    assert metadata["source"] == "model.pt"


def test_keyed_by_contents_not_by_place(source, tmp_path):
    convert = Convert()
    folder = converted(source, name="thing", version=1, convert=convert)
    copy = tmp_path / "elsewhere"
    copy.write_bytes(b"weights")
    assert converted(copy, name="thing", version=1, convert=convert) == folder
    source.write_bytes(b"Weights")  # the same size
    os.utime(source, ns=(1, 1))
    assert converted(source, name="thing", version=1, convert=convert) != folder


def test_keyed_by_version_and_by_the_configuration_beside(source):
    convert = Convert()
    folders = {converted(source, name="thing", version=v, convert=convert) for v in (1, 2)}
    (source.parent / "config.json").write_text("{}")
    folders.add(converted(source, name="thing", version=1, convert=convert))
    (source.parent / "config.json").write_text('{"a": 1}')
    folders.add(converted(source, name="thing", version=1, convert=convert))
    assert len(folders) == 4


@pytest.mark.parametrize("damage", ["cut", "gone", "config", "file"])
def test_a_damaged_result_is_made_again(source, damage):
    convert = Convert()
    folder = converted(source, name="thing", version=1, convert=convert)
    weights = folder / "model.safetensors"
    if damage == "cut":
        weights.write_bytes(weights.read_bytes()[:-1])
    elif damage == "gone":
        weights.unlink()
    elif damage == "config":
        (folder / "config.json").write_text("{")
    else:
        weights.unlink()
        (folder / "config.json").unlink()
        folder.rmdir()
        folder.write_bytes(b"")
    assert converted(source, name="thing", version=1, convert=convert) == folder
    assert convert.calls == 2
    assert load_model_folder(folder)[0]["w"].tolist() == [7.0] * 4
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_conversion_that_fails_leaves_nothing(source):
    def fail(path):
        raise ValueError("no decoder")

    with pytest.raises(ValueError, match="no decoder"):
        converted(source, name="thing", version=1, convert=fail)

    def unfit(path):
        return {"w": np.zeros(1)}, {"unfit": object()}

    with pytest.raises(TypeError):
        converted(source, name="thing", version=1, convert=unfit)
    assert not (cache_dir() / "thing").exists() or not any((cache_dir() / "thing").iterdir())


def test_remains_are_cleaned_when_old(source):
    old, new = cache_dir() / "thing/.making-old", cache_dir() / "thing/.making-new"
    for folder in (old, new):
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes(b"half")
    past = time.time() - 10_000
    os.utime(old / "model.safetensors", (past, past))
    os.utime(old, (past, past))
    converted(source, name="thing", version=1, convert=Convert())
    assert not old.exists()
    assert new.exists()  # another process may be at it


def test_missing_source_and_bad_names(tmp_path, source):
    with pytest.raises(WeightsError, match="does not exist"):
        converted(tmp_path / "none", name="thing", version=1, convert=Convert())
    with pytest.raises(ValueError, match="plain file names"):
        converted(source, name="../thing", version=1, convert=Convert())


def test_a_cache_that_cannot_be_written(source, tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("MLX_WEIGHTS_CACHE", str(tmp_path / "file"))
    with pytest.raises(WeightsError, match="MLX_WEIGHTS_CACHE"):
        converted(source, name="thing", version=1, convert=Convert())


def test_two_processes_at_once(source):
    code = (
        "import sys, time, numpy as np\n"
        "from pathlib import Path\n"
        "from mlx_weights import converted, load_model_folder\n"
        "me = Path(sys.argv[2])\n"
        "def convert(path):\n"
        "    me.touch()\n"
        "    while not all(Path(p).exists() for p in sys.argv[2:]):\n"
        "        time.sleep(0.01)\n"
        "    return {'w': np.zeros(250_000, np.float32)}, {}\n"
        "folder = converted(sys.argv[1], name='both', version=1, convert=convert)\n"
        "assert load_model_folder(folder)[0]['w'].size == 250_000\n"
        "print(folder)\n"
    )
    signs = [str(source.parent / name) for name in ("one", "two")]
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(source), *order], stdout=subprocess.PIPE, text=True
        )
        for order in (signs, signs[::-1])
    ]
    results = [run.communicate(timeout=60)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0]
    assert results[0] == results[1]
    assert len(list((cache_dir() / "both").iterdir())) == 1
