"""Files that torch wrote (tools/golden_pth.py), with what torch reads from them."""

from pathlib import Path

import numpy as np
import pytest

import mlx_pth

GOLDEN = Path(__file__).parent / "golden"
FILES = ("zip.pth", "legacy.pth", "protocol4.pth")


@pytest.fixture(scope="module")
def expected() -> dict[str, np.ndarray]:
    with np.load(GOLDEN / "expected.npz") as arrays:
        return dict(arrays)


@pytest.mark.parametrize("name", FILES)
def test_every_tensor_is_bit_for_bit_what_torch_reads(name, expected):
    content = mlx_pth.load(GOLDEN / name)
    found = {**content["tensors"], **content["state"]}
    assert found.keys() == expected.keys()
    for key, array in found.items():
        assert array.dtype == expected[key].dtype, key
        assert array.shape == expected[key].shape, key
        assert array.tobytes() == expected[key].tobytes(), key


@pytest.mark.parametrize("name", FILES)
def test_plain_values(name):
    content = mlx_pth.load(GOLDEN / name)
    assert type(content) is dict
    assert type(content["state"]) is dict
    text = "F0 ≥ 50 Hz"
    assert content["plain"] == {"int": 2**70, "float": 0.1, "text": text, "none": None, "yes": True}
    assert content["config"] == [1025, 32, [[1, 3, 5]] * 3, "1", (1, (2,)), b"\x00\xff"]
    assert (content["size"], content["device"], content["dtype"]) == (
        (2, 3),
        "cuda:1",
        "torch.float16",
    )
    numpy = content["numpy"]
    assert (numpy["scalar"], numpy["integer"]) == (2.5, -3)
    np.testing.assert_array_equal(numpy["array"], np.arange(6).reshape(2, 3))
    np.testing.assert_array_equal(numpy["fortran"], np.arange(6.0).reshape(2, 3))
    np.testing.assert_array_equal(numpy["big"], [0, 1, 2])
    assert content["optimizer"]["state"][0]["step"] == 3.0


@pytest.mark.parametrize("name", FILES)
def test_tensors_that_shared_memory_still_do(name):
    tensors = mlx_pth.load(GOLDEN / name)["tensors"]
    for view in ("transposed", "row", "column", "steps"):
        assert np.shares_memory(tensors["whole"], tensors[view]), view
    assert tensors["expanded"].strides == (4, 0)
    assert not np.shares_memory(tensors["whole"], tensors["float32"])


@pytest.mark.parametrize("name", FILES)
def test_arrays_cannot_be_written_through(name):
    for key, array in mlx_pth.load(GOLDEN / name)["tensors"].items():
        assert not array.flags.writeable, key


def test_stored_entries_are_views_of_the_mapped_file(tmp_path):
    path = tmp_path / "copy.pth"
    data = (GOLDEN / "zip.pth").read_bytes()
    path.write_bytes(data)
    array = mlx_pth.load(path)["tensors"]["float32"]
    at = data.index(array.tobytes())
    with path.open("r+b") as file:  # a change of the file shows: nothing was copied
        file.seek(at)
        file.write(np.float32(123.0).tobytes())
    assert array[0] == 123.0


def test_untyped_storage_is_bytes():
    np.testing.assert_array_equal(mlx_pth.load(GOLDEN / "untyped.pth").view("<i8"), [0, 1, 2, 3, 4])


def test_torchscript_is_refused():
    with pytest.raises(mlx_pth.NotATorchFileError, match="TorchScript"):
        mlx_pth.load(GOLDEN / "torchscript.pt")


@pytest.mark.parametrize("name", FILES)
def test_cut_at_any_place_is_an_error_of_ours(name, tmp_path):
    data = (GOLDEN / name).read_bytes()
    path = tmp_path / name
    for length in range(0, len(data), 97):
        path.write_bytes(data[:length])
        with pytest.raises(mlx_pth.PthError):
            mlx_pth.load(path)


@pytest.mark.parametrize("name", FILES)
def test_damage_anywhere_never_escapes_as_another_error(name, tmp_path):
    data = bytearray((GOLDEN / name).read_bytes())
    random = np.random.default_rng(0)
    path = tmp_path / name
    for _ in range(400):
        broken = bytearray(data)
        for at in random.integers(0, len(data), 3):
            broken[at] = random.integers(256)
        path.write_bytes(broken)
        try:
            mlx_pth.load(path, max_bytes=2**24)
        except mlx_pth.PthError as error:
            assert "\n" not in str(error)
