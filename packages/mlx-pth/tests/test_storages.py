"""Storages, offsets, strides and byte orders in files made by hand."""

import zipfile

import numpy as np
import pytest

import mlx_pth


@pytest.mark.parametrize("root", ["archive/", "voice v2/", "a/b/", "", "ü/"])
def test_any_root_name(make, root):
    one = make.tensor(make.storage("0", "Float", 2), 0, (2,), (1,))
    path = make.zip({"w": one}, {"0": make.floats(1, 2)}, root=root)
    np.testing.assert_array_equal(mlx_pth.load(path)["w"], [1, 2])


def test_deflated_entries(make):
    one = make.tensor(make.storage("0", "Float", 1000), 0, (10, 100), (100, 1))
    data = np.arange(1000, dtype="<f4").tobytes()
    path = make.zip({"w": one}, {"0": data}, compression=zipfile.ZIP_DEFLATED)
    np.testing.assert_array_equal(
        mlx_pth.load(path)["w"], np.arange(1000, dtype="f4").reshape(10, 100)
    )


def test_big_endian_zip(make):
    content = {
        "f": make.tensor(make.storage("0", "Float", 2), 1, (1,), (1,)),
        "b": make.tensor(make.storage("1", "BFloat16", 1), 0, (), ()),
        "c": make.tensor(make.storage("2", "ComplexFloat", 1), 0, (1,), (1,)),
    }
    storages = {
        "0": np.array([1.5, -2.25], ">f4").tobytes(),
        "1": b"\x40\x20",
        "2": np.array([1 + 2j], ">c8").tobytes(),
    }
    found = mlx_pth.load(make.zip(content, storages, byteorder=b"big"))
    assert (found["f"][0], found["b"], found["c"][0]) == (-2.25, 2.5, 1 + 2j)
    assert found["f"].dtype.isnative


def test_big_endian_legacy(make):
    one = make.tensor(make.storage("0", "Short", 2), 0, (2,), (1,))
    data = np.array([1, -2], ">i2").tobytes()
    path = make.legacy({"w": one}, {"0": (2, data)}, little=False)
    np.testing.assert_array_equal(mlx_pth.load(path)["w"], [1, -2])


def test_unknown_byte_order(make):
    with pytest.raises(mlx_pth.DamagedFileError, match="middle"):
        mlx_pth.load(make.zip({}, byteorder=b"middle"))


def test_legacy_storage_that_is_a_window_of_another(make):
    window = make.storage("0", "Float", 6, view=(("v", 2, 3),))
    path = make.legacy(
        {"w": make.tensor(window, 1, (2,), (1,))}, {"0": (6, make.floats(*range(6)))}
    )
    np.testing.assert_array_equal(mlx_pth.load(path)["w"], [3, 4])


def test_legacy_window_is_a_bound_too(make):
    window = make.storage("0", "Float", 6, view=(("v", 2, 3),))
    path = make.legacy(
        {"w": make.tensor(window, 1, (3,), (1,))}, {"0": (6, make.floats(*range(6)))}
    )
    with pytest.raises(mlx_pth.DamagedFileError, match="storage of 3"):
        mlx_pth.load(path)


def test_bool_storages_with_other_bytes_than_0_and_1(make):
    one = make.tensor(make.storage("0", "Bool", 3), 0, (3,), (1,))
    found = mlx_pth.load(make.zip({"w": one}, {"0": b"\x00\x02\xff"}))["w"]
    assert found.tolist() == [False, True, True]
    assert found.view(np.uint8).max() == 1


def test_one_storage_under_two_dtypes(make):
    content = {
        "f": make.tensor(make.storage("0", "Float", 2), 0, (2,), (1,)),
        "i": make.tensor(make.storage("0", "Int", 2), 0, (2,), (1,)),
    }
    found = mlx_pth.load(make.zip(content, {"0": make.floats(1, 2)}))
    np.testing.assert_array_equal(found["f"].view(np.int32), found["i"])


@pytest.mark.parametrize(
    ("offset", "size", "stride"),
    [
        (0, (5,), (1,)),
        (1, (4,), (1,)),
        (0, (2, 2), (3, 1)),
        (4, (), ()),
        (0, (2,), (2**61,)),
        (2**61, (1,), (1,)),
    ],
)
def test_a_tensor_that_reaches_beyond_its_storage(make, offset, size, stride):
    one = make.tensor(make.storage("0", "Float", 4), offset, size, stride)
    with pytest.raises(mlx_pth.DamagedFileError, match="reaches element"):
        mlx_pth.load(make.zip({"w": one}, {"0": make.floats(1, 2, 3, 4)}))


@pytest.mark.parametrize(
    ("offset", "size", "stride"),
    [
        (-1, (1,), (1,)),
        (0, (-1,), (1,)),
        (3, (2,), (-1,)),
        (0, (2**64,), (0,)),
        (0, (1.0,), (1,)),
        (0, (True,), (1,)),
        (0, (1,), ()),
        (0, [1], [1]),
        (None, (1,), (1,)),
    ],
)
def test_sizes_that_are_no_sizes(make, offset, size, stride):
    one = make.tensor(make.storage("0", "Float", 4), offset, size, stride)
    with pytest.raises(mlx_pth.DamagedFileError):
        mlx_pth.load(make.zip({"w": one}, {"0": make.floats(1, 2, 3, 4)}))


@pytest.mark.parametrize(
    ("size", "stride"),
    [((2**40,), (0,)), ((2**31, 2**31), (0, 0)), ((2**61, 0), (1, 1)), ((1,) * 40, (1,) * 40)],
)
def test_expanded_to_terabytes(make, size, stride):
    one = make.tensor(make.storage("0", "Float", 1), 0, size, stride)
    with pytest.raises(mlx_pth.TooLargeError):
        mlx_pth.load(make.zip({"w": one}, {"0": make.floats(1)}))


def test_the_sum_of_all_tensors_is_capped(make):
    one = make.tensor(make.storage("0", "Float", 100), 0, (100,), (1,))
    path = make.zip([one] * 10, {"0": bytes(400)})
    assert len(mlx_pth.load(path, max_bytes=4000)) == 10
    with pytest.raises(mlx_pth.TooLargeError, match="max_bytes"):
        mlx_pth.load(path, max_bytes=3999)


def test_a_deflated_bomb_is_capped_before_it_unfolds(make):
    one = make.tensor(make.storage("0", "Byte", 10**7), 0, (1,), (1,))
    path = make.zip({"w": one}, {"0": bytes(10**7)}, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(mlx_pth.TooLargeError, match="compressed"):
        mlx_pth.load(path, max_bytes=10**6)


def test_storage_of_another_size_than_stated(make):
    one = make.tensor(make.storage("0", "Float", 4), 0, (4,), (1,))
    with pytest.raises(mlx_pth.DamagedFileError, match="12 bytes"):
        mlx_pth.load(make.zip({"w": one}, {"0": bytes(12)}))


def test_missing_storage(make):
    one = make.tensor(make.storage("7", "Float", 1), 0, (1,), (1,))
    with pytest.raises(mlx_pth.DamagedFileError, match="'7'"):
        mlx_pth.load(make.zip({"w": one}))
    with pytest.raises(mlx_pth.DamagedFileError, match="'7'"):
        mlx_pth.load(make.legacy({"w": one}, {}))


def test_storage_keys_are_names_not_paths(make):
    one = make.tensor(make.storage("../version", "Byte", 2), 0, (2,), (1,))
    with pytest.raises(mlx_pth.DamagedFileError, match="missing"):
        mlx_pth.load(make.zip({"w": one}))


def test_legacy_sizes_that_contradict_each_other(make):
    one = make.tensor(make.storage("0", "Float", 2), 0, (2,), (1,))
    with pytest.raises(mlx_pth.DamagedFileError, match="3 elements"):
        mlx_pth.load(make.legacy({"w": one}, {"0": (3, bytes(12))}))
    with pytest.raises(mlx_pth.DamagedFileError, match="cut off"):
        mlx_pth.load(make.legacy({"w": one}, {"0": (2, bytes(7))}))
