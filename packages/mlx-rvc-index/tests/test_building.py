"""Indexes built here: read by faiss and by our reader with the same neighbours."""

import builtins
from pathlib import Path

import faiss
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from mlx_rvc_index import FeatureIndex, IndexFileError, build_index, holds_vectors, save_vectors
from mlx_rvc_index.building import lists_for


def features(count=3000, dim=24, seed=0):
    rng = np.random.default_rng(seed)
    centres = 3 * rng.standard_normal((40, dim))
    return (centres[rng.integers(0, 40, count)] + rng.standard_normal((count, dim))).astype("f4")


def test_neighbours_are_those_of_faiss(tmp_path):
    path = tmp_path / "voice.index"
    vectors = features()
    built = build_index(vectors, path)
    theirs, ours = faiss.read_index(str(path)), FeatureIndex.load(path)
    assert (ours.kind, ours.ntotal, ours.nprobe, ours.nlist) == ("IVF-Flat", 3000, 1, 76)
    assert (built.lists, built.features, theirs.nlist) == (76, 3000, 76)
    queries = features(200, seed=1)
    distances, ids = theirs.search(queries, 8)
    found = ours.search(queries, 8)
    np.testing.assert_array_equal(found[1], ids)
    np.testing.assert_allclose(found[0], np.where(ids < 0, found[0], distances), rtol=1e-5)
    np.testing.assert_array_equal(ours.vectors(), built.vectors)
    np.testing.assert_array_equal(theirs.reconstruct_n(0, 3000), built.vectors)
    assert sorted(map(bytes, built.vectors)) == sorted(map(bytes, vectors))
    assert (built.vectors != vectors).any()  # shuffled


def test_lists_have_the_centroids_of_kmeans(tmp_path):
    """Every vector lies in the list of its nearest centroid, and no list is much too large."""
    build_index(features(), tmp_path / "v.index")
    sizes = FeatureIndex.load(tmp_path / "v.index").list_sizes
    assert sizes.sum() == 3000
    assert (sizes > 0).mean() > 0.9
    assert sizes.max() < 400


def test_rvcs_number_of_lists():
    assert [lists_for(n) for n in (39, 77, 78, 1000, 25_000, 200_000)] == [1, 1, 2, 25, 641, 5128]
    assert lists_for(10_000_000) == int(16 * 10_000_000**0.5)


def test_the_seed_repeats_a_build(tmp_path):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        build_index(features(500), tmp_path / name, seed=seed)
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_many_features_are_reduced_to_means(tmp_path):
    vectors = features(1000)
    built = build_index(vectors, tmp_path / "v.index", reduce_above=999, centres=100)
    assert (len(built.vectors), built.features) == (100, 1000)
    nearest = ((vectors[:, None] - built.vectors) ** 2).sum(axis=2).min(axis=1)
    random = ((vectors[:, None] - vectors[:100]) ** 2).sum(axis=2)
    random = np.where(random > 0, random, np.inf).min(axis=1)
    assert nearest.mean() < random.mean()
    kept = build_index(vectors, tmp_path / "v.index", reduce_above=None, centres=100)
    assert len(kept.vectors) == 1000


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (features(38), "38 features; an index needs 39"),
        (np.zeros((100,), np.float32), r"shape \(100,\)"),
        (np.zeros((100, 3), np.int32), "int32"),
        (np.full((100, 3), np.nan, np.float32), "NaN"),
    ],
)
def test_features_that_cannot_be(tmp_path, array, words):
    with pytest.raises(IndexFileError, match=words):
        build_index(array, tmp_path / "v.index")
    assert list(tmp_path.iterdir()) == []


def test_float16_features(tmp_path):
    vectors = features(200).astype(np.float16)
    build_index(vectors, tmp_path / "v.index")
    assert FeatureIndex.load(tmp_path / "v.index").ntotal == 200


def test_without_faiss_one_line_says_so(tmp_path, monkeypatch):
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name == "faiss":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(IndexFileError, match=r"pip install 'mlx-rvc-index\[faiss\]'"):
        build_index(features(100), tmp_path / "v.index")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full(tmp_path, monkeypatch):
    (tmp_path / "v.index").write_bytes(b"before")

    def full(index, path):
        raise RuntimeError("Error in virtual size_t faiss::FileIOWriter: write error\nno space")

    monkeypatch.setattr(faiss, "write_index", full)
    with pytest.raises(IndexFileError, match=r"cannot be written \(no space\)"):
        build_index(features(100), tmp_path / "v.index")
    assert (tmp_path / "v.index").read_bytes() == b"before"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("ending", ["npy", "safetensors"])
def test_vectors_alone(tmp_path, ending):
    path = tmp_path / f"v.{ending}"
    vectors = features(100)
    save_vectors(path, vectors)
    index = FeatureIndex.load(path)
    assert (index.kind, index.dim, index.ntotal, index.nlist) == (ending, 24, 100, 1)
    np.testing.assert_array_equal(index.vectors(), vectors)
    flat = faiss.IndexFlatL2(24)
    flat.add(vectors)
    queries = features(20, seed=1)
    np.testing.assert_array_equal(index.search(queries)[1], flat.search(queries, 8)[1])


def test_a_voice_with_its_index_and_other_programs_features(tmp_path):
    vectors = features(50).astype(np.float16)
    path = tmp_path / "voice.safetensors"
    others = {"a.weight": np.zeros(3, np.float32), "b": np.zeros(1, np.int8)}
    for name in ("index.vectors", "features"):
        save_file({**others, name: vectors}, path)
        np.testing.assert_array_equal(FeatureIndex.load(path).vectors(), vectors.astype("f4"))
        assert holds_vectors(path) is (name == "index.vectors")  # not any voice's "features"
    for tensors, words in (
        (others, "without index.vectors: export the voice with --index"),
        ({"index.vectors": np.zeros(3, np.float32)}, r"shape \(3,\)"),
        ({"index.vectors": np.zeros((3, 2), np.int32)}, "I32"),
        ({"index.vectors": np.zeros((0, 2), np.float32)}, "holds no vectors"),
    ):
        save_file(tensors, path)
        with pytest.raises(IndexFileError, match=words) as error:
            FeatureIndex.load(path)
        assert str(path) in str(error.value)
    save_file({"index.vectors": vectors}, path)
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(IndexFileError, match="damaged safetensors"):
        FeatureIndex.load(path)
    assert not any(map(holds_vectors, (path, tmp_path, tmp_path / "none", Path(__file__))))
    assert list(load_file_names(tmp_path)) == ["voice.safetensors"]


def load_file_names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_vectors_come_by_id(tmp_path):
    rng = np.random.default_rng(0)
    vectors = features(300)
    index = faiss.index_factory(24, "IVF5,Flat")
    index.train(vectors)
    order = rng.permutation(300)
    index.add_with_ids(vectors[order], order)
    faiss.write_index(index, str(tmp_path / "v.index"))
    np.testing.assert_array_equal(FeatureIndex.load(tmp_path / "v.index").vectors(), vectors)
    save_vectors(tmp_path / "v.safetensors", vectors)
    np.testing.assert_array_equal(load_file(tmp_path / "v.safetensors")["index.vectors"], vectors)


def test_places_that_cannot_be(tmp_path):
    with pytest.raises(IndexFileError, match="does not exist"):
        save_vectors(tmp_path / "none/v.npy", features(3))
    with pytest.raises(IndexFileError, match=r"as \.npy or \.safetensors"):
        save_vectors(tmp_path / "v.txt", features(3))
    (tmp_path / "v.npy").mkdir()
    with pytest.raises(IndexFileError, match="is a folder"):
        save_vectors(tmp_path / "v.npy", features(3))
