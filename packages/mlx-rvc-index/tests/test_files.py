"""Files that lie, end early, or are something else: each has its own clear error."""

import builtins
import contextlib
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from mlx_rvc_index import FeatureIndex, IndexFileError

GOLDEN = Path(__file__).parent / "golden"
FULL = (GOLDEN / "full.index").read_bytes()
SPARSE = (GOLDEN / "sparse.index").read_bytes()
FLAT = (GOLDEN / "flat.index").read_bytes()
LISTS = FULL.index(b"ilar")
SPARSE_LISTS = SPARSE.index(b"ilar")
BIG = 1 << 62


def changed(data, place, form, value):
    packed = struct.pack(f"<{form}", value)
    return data[:place] + packed + data[place + len(packed) :]


def refuse(tmp_path, data, match, name="added.index"):
    path = tmp_path / name
    path.write_bytes(data)
    start = time.perf_counter()
    with pytest.raises(IndexFileError, match=match) as error:
        FeatureIndex.load(path)
    assert time.perf_counter() - start < 5
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (changed(FULL, 4, "i", 0), "width 0"),
        (changed(FULL, 4, "i", -5), "width -5"),
        (changed(FULL, 4, "i", 1 << 30), "width 1073741824"),
        (changed(FULL, 4, "i", 17), "width 17"),
        (changed(FULL, 8, "q", -1), "-1 vectors"),
        (changed(FULL, 8, "q", BIG), "announces 4611686018427387904 vectors"),
        (changed(FULL, 8, "q", 399), "its lists hold 400"),
        (changed(FULL, 32, "B", 0), "not trained"),
        (changed(FULL, 32, "B", 77), "damaged"),
        (changed(FULL, 33, "i", 0), "inner product"),
        (changed(FULL, 33, "i", 99), "number 99"),
        (changed(FULL, 37, "Q", BIG), "centroids"),
        (changed(FULL, 37, "Q", 0), "centroids"),
        (changed(FULL, 45, "Q", 0), "nprobe is 0"),
        (changed(FULL, 53 + 37, "Q", BIG), "floats"),
        (changed(FULL, 53 + 8, "Q", BIG), "floats"),
        (changed(FULL, LISTS - 9, "B", 9), "type 9"),
        (changed(FULL, LISTS - 8, "Q", BIG), "direct map needs"),
        (changed(FULL, LISTS + 4, "Q", 7), "7 lists of 64"),
        (changed(FULL, LISTS + 12, "Q", 12), "lists of 12"),
        (changed(FULL, LISTS + 20, "I", 0), "sizes of lists are damaged"),
        (changed(FULL, LISTS + 24, "Q", BIG), "sizes of the lists needs"),
        (changed(FULL, LISTS + 32, "Q", BIG), "its lists hold"),
        (changed(FULL, len(FULL) - 8, "q", -1), "negative ids"),
        (changed(SPARSE, SPARSE_LISTS + 24, "Q", 3), "damaged"),
        (changed(SPARSE, SPARSE_LISTS + 32, "Q", 1 << 63), "lists that do not exist"),
        (changed(FLAT, 8, "q", BIG), "floats"),
        (changed(FLAT, 37, "Q", BIG), "floats"),
    ],
)
def test_a_header_that_lies_is_found_before_memory_is_taken(tmp_path, data, match):
    refuse(tmp_path, data, match)


def test_sizes_that_overflow_64_bits_do_not_add_up(tmp_path):
    # The sum modulo 2**64 would be right.
    sizes = struct.unpack_from("<20Q", FULL, LISTS + 32)
    data = changed(FULL, LISTS + 32, "Q", (1 << 63) + sizes[0])
    data = changed(data, LISTS + 40, "Q", (1 << 63) + sizes[1])
    refuse(tmp_path, data, "its lists hold")


@pytest.mark.parametrize("source", [FULL, SPARSE, FLAT])
def test_a_file_cut_anywhere_is_refused(tmp_path, source):
    path = tmp_path / "cut.index"
    for size in [*range(1, 200, 7), *range(200, len(source), 997), len(source) - 1]:
        path.write_bytes(source[:size])
        with pytest.raises(IndexFileError):
            FeatureIndex.load(path)


def test_random_damage_never_ends_in_another_error(tmp_path):
    rng = np.random.default_rng(3)
    path = tmp_path / "damaged.index"
    query = np.zeros((2, 16), np.float32)
    for _ in range(300):
        data = bytearray(FULL)
        for place in rng.integers(4, LISTS + 192, 3):
            if not 90 <= place < LISTS - 9:  # the centroids are numbers, not structure
                data[place] = rng.integers(256)
        path.write_bytes(bytes(data))
        with contextlib.suppress(ValueError):
            FeatureIndex.load(path).search(query)


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html>", "HTML page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        (b"PK\x03\x04" + bytes(100), "zip archive"),
        (b"\x93NUMPY" + bytes(100), "npy"),
    ],
)
def test_something_else_is_named(tmp_path, data, match):
    refuse(tmp_path, data, match)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(IndexFileError, match="no such index file"):
        FeatureIndex.load(tmp_path / "none.index")
    with pytest.raises(IndexFileError, match="is a folder"):
        FeatureIndex.load(tmp_path)


def test_trained_file_without_vectors_points_to_added(tmp_path):
    trained = (GOLDEN / "trained.index").read_bytes()
    refuse(tmp_path, trained, "use the added_", name="trained_IVF20.index")
    (tmp_path / "added_IVF20.index").write_bytes(FULL)
    refuse(tmp_path, trained, "use added_IVF20.index, which lies beside", "trained_IVF20.index")


@pytest.mark.parametrize("array", [np.zeros(5), np.zeros((5, 4), int), np.zeros((2, 3, 4))])
def test_npy_of_another_shape_is_refused(tmp_path, array):
    path = tmp_path / "x.npy"
    np.save(path, array)
    with pytest.raises(IndexFileError, match="expected floats"):
        FeatureIndex.load(path)


@pytest.mark.parametrize(
    "header",
    [
        b"(" * 9000,
        b"-" * 9000 + b"1",
        b"[" * 150 + b"]" * 150,
        b"{'descr': '<f4",
        b"{\t'descr'\n\\",
        b"{'descr': '\0'}",
        b"9" * 9000,
        b"{'descr': 'nonsense', 'fortran_order': False, 'shape': (4, 4)}",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4)}",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (-4, -4)}",
        b"__import__('os').abort()",
        b"",
    ],
)
def test_npy_with_a_damaged_header_is_refused(tmp_path, header):
    """NumPy's parser ends in a dozen kinds of errors, none of which is the user's to read."""
    data = b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + bytes(64)
    refuse(tmp_path, data, "cannot be read", name="total_fea.npy")


def test_a_name_in_an_error_of_safetensors_breaks_no_line(tmp_path):
    """Found by fuzzing: the library quotes it as it is."""
    header = b'{"w\x7f": {"dtype": "F32", "shape": [4], "data_offsets": [2, 16]}}'
    data = struct.pack("<Q", len(header)) + header + bytes(16)
    with pytest.raises(IndexFileError, match=r"damaged safetensors.*w\\x7f") as caught:
        (tmp_path / "v.safetensors").write_bytes(data)
        FeatureIndex.load(tmp_path / "v.safetensors")
    assert str(caught.value).isprintable()


def test_npy_that_holds_objects_is_not_unpickled(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.array([{"a": 1}], object), allow_pickle=True)
    with pytest.raises(IndexFileError, match="cannot be read"):
        FeatureIndex.load(path)


@pytest.mark.parametrize("place", [61, 69 + 4 * 256])  # of PQ's centroids, and of its codes
def test_faiss_makes_no_array_that_is_larger_than_the_file(tmp_path, place):
    """Found by fuzzing: faiss made an array of 13 GB of a file of two kilobytes."""
    import faiss

    before = faiss.get_deserialization_vector_byte_limit(), faiss.get_deserialization_loop_limit()
    product = (GOLDEN / "product.index").read_bytes()
    assert struct.unpack_from("<Q", product, place)[0] in (256, 800)
    refuse(tmp_path, changed(product, place, "Q", 13 * 10**9), "deserialization_vector_byte_limit")
    after = faiss.get_deserialization_vector_byte_limit(), faiss.get_deserialization_loop_limit()
    assert after == before


def test_other_kinds_name_the_extra_when_faiss_is_missing(monkeypatch):
    real = builtins.__import__

    def without_faiss(name, *rest, **named):
        if name.split(".")[0] == "faiss":
            raise ModuleNotFoundError("No module named 'faiss'")
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without_faiss)
    with pytest.raises(IndexFileError, match=r"kind 'IxPq'.*mlx-rvc-index\[faiss\]"):
        FeatureIndex.load(GOLDEN / "product.index")
    assert FeatureIndex.load(GOLDEN / "full.index").ntotal == 400  # needs no faiss


def test_unknown_bytes_are_refused_by_faiss_too(tmp_path):
    refuse(tmp_path, b"ABCD" + bytes(200), "kind 'ABCD'")


def test_importing_the_package_imports_no_numpy_and_no_mlx():
    code = (
        "import sys, mlx_rvc_index;"
        "print([m for m in ('numpy', 'mlx', 'faiss') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_public_names_are_sorted_and_exist():
    import mlx_rvc_index

    assert sorted(mlx_rvc_index.__all__) == mlx_rvc_index.__all__
    for name in mlx_rvc_index.__all__:
        assert getattr(mlx_rvc_index, name)
    with pytest.raises(AttributeError, match="nonsense"):
        mlx_rvc_index.nonsense  # noqa: B018
