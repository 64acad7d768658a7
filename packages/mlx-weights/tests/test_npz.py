"""`.npz` files: what NumPy and MLX write is read, what harms is refused in a line."""

import io
import zipfile

import mlx.core as mx
import numpy as np
import pytest

import mlx_weights
from mlx_weights import WeightsError


def npy(array, **options):
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def archive(path, packing=zipfile.ZIP_STORED, **entries):
    with zipfile.ZipFile(path, "w", packing) as file:
        for name, data in entries.items():
            file.writestr(f"{name}.npy", data)
    return path


def test_what_numpy_and_mlx_write(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {
        "a.weight": rng.standard_normal((3, 4, 5)).astype(np.float16),
        "b": np.asfortranarray(rng.standard_normal((4, 3))),
        "c": np.arange(6, dtype=">i4"),
        "none": np.zeros((0, 3), np.float32),
        "one": np.float32(7),
    }
    np.savez(tmp_path / "stored.npz", **arrays)
    np.savez_compressed(tmp_path / "packed.npz", **arrays)
    for name in ("stored", "packed"):
        found = mlx_weights.read_tensors(tmp_path / f"{name}.npz")
        assert set(found) == set(arrays)
        for key, value in arrays.items():
            assert found[key].dtype == np.asarray(value).dtype
            np.testing.assert_array_equal(found[key], value)
            assert not found[key].flags.writeable
    mx.savez(str(tmp_path / "mlx.npz"), **{"x.y": mx.arange(3)})
    np.testing.assert_array_equal(mlx_weights.read_tensors(tmp_path / "mlx.npz")["x.y"], [0, 1, 2])


def header(descr="'<f4'", shape="(1,)", order="False", tail=bytes(4)):
    text = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + tail


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (npy(np.array([{}], object), allow_pickle=True), "no array of numbers"),
        (npy(np.array(["text"])), "no array of numbers"),
        (npy(np.zeros(2, np.complex64)), "no array of numbers"),
        (header("[('a', '<f4')]"), "no array of numbers"),
        (header(shape="(2,)"), "another size"),
        (header(shape="(-1,)"), "no array of numbers"),
        (header(shape="(True,)"), "no array of numbers"),
        (header(descr="'<f4'*9"), "no array of numbers"),
        (header(shape=str((10**17, 10**17))), "another size"),
        (header(shape=str((1,) * 70)), "damaged"),
        (header(descr="__import__('os')"), "damaged"),
        (header(shape="(" * 3000), "damaged"),
        (b"\x93NUMPY\x01\x00\xff\xff" + b" " * 70_000, "header of 65,535"),
        (b"no array", "damaged"),
        (b"", "damaged"),
    ],
)
def test_arrays_that_lie(data, words, tmp_path):
    archive(tmp_path / "a.npz", weight=data)
    with pytest.raises(WeightsError, match=words) as caught:
        mlx_weights.read_checkpoint(tmp_path / "a.npz")
    assert "\n" not in str(caught.value) and "a.npz" in str(caught.value)


def test_bombs_and_damage(tmp_path):
    bomb = archive(tmp_path / "bomb.npz", zipfile.ZIP_DEFLATED, a=bytes(200 * 2**20))
    assert bomb.stat().st_size < 2**20
    with pytest.raises(WeightsError, match="would unfold to 209,715,200 bytes"):
        mlx_weights.read_checkpoint(bomb)
    whole = archive(tmp_path / "a.npz", a=npy(np.ones(9))).read_bytes()
    at = whole.rindex(b"PK\x01\x02")
    damaged = {
        "cut": whole[:-30],
        "encrypted": whole[: at + 8] + b"\x01" + whole[at + 9 :],
        "size": whole[: at + 24] + b"\x01\x00\x00\x00" + whole[at + 28 :],
        "method": whole[: at + 10] + b"\x63" + whole[at + 11 :],
        "values": whole.replace(npy(np.ones(9)), npy(np.zeros(9))),
    }
    for name, content in damaged.items():
        (tmp_path / f"{name}.npz").write_bytes(content)
        with pytest.raises(WeightsError, match=name):
            mlx_weights.read_checkpoint(tmp_path / f"{name}.npz")
    for packing in (zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2):  # lzma may ask for any memory
        path = archive(tmp_path / "packed.npz", packing, a=npy(np.ones(9)))
        with pytest.raises(WeightsError, match=f"packed by method {packing}"):
            mlx_weights.read_checkpoint(path)
    path = archive(tmp_path / "odd.npz", **{"\x1b[2J\n": b"no array"})
    with pytest.raises(WeightsError, match="does not start as an array") as caught:
        mlx_weights.read_checkpoint(path)
    assert str(caught.value).isprintable()
    with (
        pytest.warns(UserWarning, match="Duplicate"),
        zipfile.ZipFile(tmp_path / "t.npz", "w") as t,
    ):
        t.writestr("a.npy", npy(np.ones(1)))
        t.writestr("a.npy", npy(np.ones(1)))
    with pytest.raises(WeightsError, match="twice"):
        mlx_weights.read_checkpoint(tmp_path / "t.npz")
