"""Neighbours at full size against faiss itself: 768 and 256 wide, tens of thousands of vectors.

pytest packages/mlx-rvc-index/parity --import-mode=importlib
"""

import faiss
import numpy as np
import pytest

from mlx_rvc_index import FeatureIndex, build_index
from mlx_rvc_verify import compare_index
from mlx_rvc_verify.verdict import PASS


def features(rng, count, dim):
    """Clustered, off-centre and of uneven scale, as the features of an encoder are."""
    centres = rng.standard_normal((200, dim))
    scale = np.exp(0.5 * rng.standard_normal(dim))
    noise = rng.standard_normal((count, dim), dtype=np.float32)
    return ((centres[rng.integers(0, 200, count)] + 0.5 * noise + 0.3) * scale).astype(np.float32)


def build(path, vectors, nprobe):
    """Save an index as RVC makes it (16·√n lists, at least 39 vectors each), but fast."""
    count, dim = vectors.shape
    lists = min(int(16 * np.sqrt(count)), count // 39)
    quantiser = faiss.IndexFlatL2(dim)
    quantiser.add(vectors[:: count // lists][:lists])
    index = faiss.IndexIVFFlat(quantiser, dim, lists)
    index.is_trained = True
    index.nprobe = nprobe
    index.add(vectors)
    faiss.write_index(index, str(path))
    return index


@pytest.mark.parametrize(("dim", "nprobe"), [(768, 1), (768, 5), (256, 1), (256, 9)])
def test_neighbours_are_those_of_faiss(tmp_path, dim, nprobe):
    rng = np.random.default_rng(dim + nprobe)
    vectors = features(rng, 20_000, dim)
    queries = vectors[rng.integers(0, len(vectors), 700)]
    queries = (queries + 0.3 * rng.standard_normal(queries.shape)).astype(np.float32)
    theirs = build(tmp_path / "added.index", vectors, nprobe)
    ours = FeatureIndex.load(tmp_path / "added.index")
    distances, ids = theirs.search(queries, 8)
    found = ours.search(queries, 8)
    np.testing.assert_array_equal(found[1], ids)
    np.testing.assert_allclose(found[0], distances, rtol=1e-5)
    row = compare_index(tmp_path / "added.index", queries)
    assert row.verdict == PASS, row


def test_exact_is_the_flat_search_of_faiss(tmp_path):
    rng = np.random.default_rng(7)
    vectors = features(rng, 20_000, 768)
    queries = features(rng, 200, 768)
    build(tmp_path / "added.index", vectors, 1)
    flat = faiss.IndexFlatL2(768)
    flat.add(vectors)
    found = FeatureIndex.load(tmp_path / "added.index").search(queries, 8, exact=True)
    np.testing.assert_array_equal(found[1], flat.search(queries, 8)[1])


def test_an_index_built_here_is_one_that_rvc_builds(tmp_path):
    """The same neighbours in faiss and here, and as many true ones as through index_factory."""
    rng = np.random.default_rng(3)
    vectors = features(rng, 20_000, 768)
    queries = (vectors[:300] + 0.3 * rng.standard_normal((300, 768))).astype(np.float32)
    built = build_index(vectors, tmp_path / "added.index")
    theirs = faiss.read_index(str(tmp_path / "added.index"))
    assert (theirs.nlist, theirs.nprobe, theirs.ntotal) == (512, 1, 20_000)
    distances, ids = theirs.search(queries, 8)
    found = FeatureIndex.load(tmp_path / "added.index").search(queries, 8)
    np.testing.assert_array_equal(found[1], ids)
    np.testing.assert_allclose(found[0], distances, rtol=1e-5)

    usual = faiss.index_factory(768, "IVF512,Flat")
    usual.train(built.vectors)
    usual.add(built.vectors)
    flat = faiss.IndexFlatL2(768)
    flat.add(built.vectors)
    true = flat.search(queries, 8)[1]
    shares = [
        np.mean([len(set(a) & set(b)) / 8 for a, b in zip(true, found_ids, strict=True)])
        for found_ids in (ids, usual.search(queries, 8)[1])
    ]
    print(f"true neighbours: {shares[0]:.3f} here, {shares[1]:.3f} through index_factory")
    assert shares[0] >= shares[1] - 0.02
