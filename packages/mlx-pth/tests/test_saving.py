"""`save`: what it writes is read back, is whole or absent, and what it cannot write is named."""

import zipfile
from collections import OrderedDict

import numpy as np
import pytest

import mlx_pth
from mlx_pth.pickling import STORAGES


def roundtrip(tmp_path, value):
    mlx_pth.save(tmp_path / "c.pth", value)
    return mlx_pth.load(tmp_path / "c.pth")


def test_plain_values(tmp_path):
    tree = {
        "text": "声", "empty": "", "int": -1, "big": 2**40, "huge": -(2**90), "float": 1e-300,
        "true": True, "false": False, "none": None, 7: [], 1.5: (), None: {}, False: [[{}, ((),)]],
    }  # fmt: skip
    found = roundtrip(tmp_path, tree)
    assert found == tree
    assert list(found) == list(tree)
    assert [type(value) for value in found.values()] == [type(value) for value in tree.values()]
    assert roundtrip(tmp_path, OrderedDict(b=1, a=OrderedDict())) == {"b": 1, "a": {}}
    assert roundtrip(tmp_path, np.float32(0.5)) == 0.5


@pytest.mark.parametrize("dtype", STORAGES)
def test_every_dtype(tmp_path, dtype):
    array = (np.random.default_rng(0).standard_normal((3, 4, 5)) * 50).astype(dtype)
    found = roundtrip(tmp_path, array)
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    assert found.tobytes() == array.tobytes()


@pytest.mark.parametrize(
    "array",
    [
        np.zeros(()), np.zeros((0,), np.float32), np.zeros((3, 0, 2), np.int8),
        np.arange(24.0).reshape(2, 3, 4).transpose(2, 0, 1), np.arange(9)[::-2],
        np.broadcast_to(np.float32(3), (4, 5)), np.arange(5, dtype=">f4"),
    ],
)  # fmt: skip
def test_every_shape(tmp_path, array):
    found = roundtrip(tmp_path, [array])[0]
    assert found.shape == array.shape
    assert found.dtype == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(found, array)


def test_an_array_in_two_places_is_stored_once(tmp_path):
    array = np.arange(1000.0)
    found = roundtrip(tmp_path, {"a": array, "b": array, "c": array.copy()})
    assert np.shares_memory(found["a"], found["b"])
    assert not np.shares_memory(found["a"], found["c"])
    with zipfile.ZipFile(tmp_path / "c.pth") as archive:
        assert sum(name.startswith("archive/data/") for name in archive.namelist()) == 2


def test_storages_are_aligned_and_equal_contents_are_equal_files(tmp_path):
    tree = {"a": np.arange(3, dtype=np.int8), "b": np.arange(5.0), "c": "x" * 77}
    mlx_pth.save(tmp_path / "1.pth", tree)
    mlx_pth.save(tmp_path / "2.pth", tree)
    data = (tmp_path / "1.pth").read_bytes()
    assert data == (tmp_path / "2.pth").read_bytes()
    assert data.index(np.arange(5.0).tobytes()) % 64 == 0
    with zipfile.ZipFile(tmp_path / "1.pth") as archive:
        assert archive.testzip() is None


def test_a_file_is_replaced_whole_with_its_permissions(tmp_path):
    path = tmp_path / "c.pth"
    path.write_bytes(b"before")
    path.chmod(0o640)
    (tmp_path / "link.pth").symlink_to(path)
    mlx_pth.save(tmp_path / "link.pth", [1])
    assert (tmp_path / "link.pth").is_symlink()
    assert mlx_pth.load(path) == [1]
    assert path.stat().st_mode & 0o777 == 0o640
    assert len(list(tmp_path.iterdir())) == 2


def test_failing_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "c.pth"
    path.write_bytes(b"before")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(OSError, match="No space"):
        mlx_pth.save(path, [1])
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


class Odd:
    pass


def nested(depth):
    tree = []
    for _ in range(depth):
        tree = [tree]
    return tree


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"a": [1, {2}]}, "['a'][1] is a set"),
        (Odd(), "the object is a Odd"),
        ({"a": b"x"}, "['a'] is a bytes"),
        ({(1, 2): 3}, "the key [(1, 2)] is a tuple"),
        ([np.zeros(2, np.uint16)], "[0] is uint16"),
        (np.array(["x"]), "the array is <U1"),
        (np.array([None]), "the array is object"),
        (["\ud800"], "[0] is no valid Unicode"),
        ([2**3000], "whole number"),
        (nested(120), "nested deeper than 100"),
    ],
)
def test_what_cannot_be_written_is_named(tmp_path, value, words):
    with pytest.raises(mlx_pth.UnwritableError) as error:
        mlx_pth.save(tmp_path / "c.pth", value)
    assert words in str(error.value)
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_a_tree_that_contains_itself(tmp_path):
    tree = {}
    tree["again"] = tree
    with pytest.raises(mlx_pth.UnwritableError, match="contains itself"):
        mlx_pth.save(tmp_path / "c.pth", tree)


def test_no_folder(tmp_path):
    with pytest.raises(mlx_pth.MissingFileError, match="nowhere does not exist"):
        mlx_pth.save(tmp_path / "nowhere" / "c.pth", [])
    with pytest.raises(mlx_pth.MissingFileError, match="is a folder"):
        mlx_pth.save(tmp_path, [])


def test_as_deep_as_the_reader_reads(tmp_path):
    assert roundtrip(tmp_path, nested(99)) == nested(99)
