"""Neighbours and blended features, against files and results that faiss made."""

from pathlib import Path

import numpy as np
import pytest

from mlx_rvc_index import FeatureIndex
from mlx_rvc_index.index import neighbour_weights
from mlx_rvc_index.nearest import MISSING, nearest

GOLDEN = Path(__file__).parent / "golden"
EXPECTED = np.load(GOLDEN / "expected.npz")
QUERIES, VECTORS = EXPECTED["queries"], EXPECTED["vectors"]


def load(name):
    return FeatureIndex.load(GOLDEN / f"{name}.index")


@pytest.mark.parametrize(
    "name", ["full", "probe4", "map_array", "map_hashtable", "sparse", "ids", "flat"]
)
def test_neighbours_are_those_of_faiss(name):
    distances, ids = load(name).search(QUERIES, k=8)
    assert distances.dtype == np.float32
    assert ids.dtype == np.int64
    np.testing.assert_array_equal(ids, EXPECTED[f"{name}_ids"])
    np.testing.assert_allclose(distances, EXPECTED[f"{name}_distances"], rtol=3e-6, atol=3e-5)


def test_golden_files_cover_what_they_are_for():
    assert b"sprs" in (GOLDEN / "sparse.index").read_bytes()
    assert b"full" in (GOLDEN / "full.index").read_bytes()
    assert (EXPECTED["sparse_ids"] < 0).any()  # lists with fewer than k vectors
    assert (EXPECTED["flat_distances"] == 0).any()  # exact hits, some twice
    assert (EXPECTED["full_ids"] != EXPECTED["probe4_ids"]).any()  # nprobe matters


@pytest.mark.parametrize("name", ["full", "probe4", "sparse", "flat"])
def test_blend_is_the_reference_formula(name):
    blended = load(name).blend(QUERIES, rate=0.75, k=8)
    assert blended.dtype == np.float32
    np.testing.assert_allclose(blended, EXPECTED[f"{name}_blended"], rtol=1e-5, atol=1e-5)


def test_exact_finds_all_lists_what_nprobe_misses():
    index = load("full")
    _, ids = index.search(QUERIES, k=8, exact=True)
    np.testing.assert_array_equal(ids, EXPECTED["flat_ids"])
    assert (index.search(QUERIES, k=8)[1] != ids).any()


def test_properties():
    index = load("probe4")
    assert (index.kind, index.dim, index.ntotal, index.nlist, index.nprobe) == (
        "IVF-Flat", 16, 400, 20, 4,
    )  # fmt: skip
    assert index.list_sizes.sum() == 400
    assert load("flat").kind == "Flat"
    assert load("flat").nlist == 1


def test_npy_of_all_features_is_a_flat_index(tmp_path):
    path = tmp_path / "total_fea.npy"
    np.save(path, VECTORS)
    index = FeatureIndex.load(path)
    _, ids = index.search(QUERIES)
    np.testing.assert_array_equal(ids, EXPECTED["flat_ids"])
    np.testing.assert_allclose(index.blend(QUERIES), EXPECTED["flat_blended"], rtol=1e-5, atol=1e-5)
    np.save(path, VECTORS.astype(np.float16))
    assert FeatureIndex.load(path).blend(QUERIES).dtype == np.float32


def test_other_kinds_are_read_through_faiss():
    index = load("product")
    assert index.kind == "IndexPQ"
    distances, ids = index.search(QUERIES, k=8)
    np.testing.assert_array_equal(ids[:, 0], EXPECTED["product_ids"][:, 0])
    np.testing.assert_allclose(distances, EXPECTED["product_distances"], rtol=1e-5)
    assert np.isfinite(index.blend(QUERIES)).all()
    assert index.search(QUERIES, k=8, exact=True)[0].shape == (73, 8)


# --- defects that other implementations have --------------------------------------------------


def test_vectors_come_before_ids_in_the_file():
    # Reading ids first gives vectors that are not those that were added.
    index = load("full")
    _, ids = index.search(VECTORS, k=1)
    found = index.blend(VECTORS, rate=1.0, k=1)
    np.testing.assert_array_equal(found, VECTORS)
    np.testing.assert_array_equal(VECTORS[ids[:, 0]], VECTORS)


def two_neighbours(tmp_path):
    """A query at distance 1 and 2 from two vectors: squared 1 and 4."""
    path = tmp_path / "two.npy"
    np.save(path, np.array([[1, 0], [0, 2]], np.float32))
    return FeatureIndex.load(path), np.zeros((1, 2), np.float32)


def test_weights_are_one_over_the_squared_distance_squared(tmp_path):
    index, query = two_neighbours(tmp_path)
    heavy, light = 16 / 17, 1 / 17  # 1/1² : 1/4²
    expected = [[heavy, 2 * light]]
    np.testing.assert_allclose(index.blend(query, rate=1.0, k=2), expected, rtol=1e-6)
    # 1/d of the squared distance would be 4/5 : 1/5, 1/d² of the plain distance the same.
    assert abs(index.blend(query, rate=1.0, k=2)[0, 0] - 4 / 5) > 0.1


def test_distances_are_squared_and_keep_the_query_s_norm(tmp_path):
    index, query = two_neighbours(tmp_path)
    np.testing.assert_array_equal(index.search(query, k=2)[0], [[1, 4]])


def test_exact_hit_takes_all_weight_and_is_not_nan():
    index = load("full")
    np.testing.assert_array_equal(index.blend(VECTORS[[3]], rate=1.0), VECTORS[[3]])
    np.testing.assert_array_equal(
        index.blend(VECTORS[[12]], rate=1.0), VECTORS[[12]]
    )  # stored twice


def test_weights_at_distance_zero_share_and_never_overflow():
    distances = np.array([[0, 0, 1, 3], [0, 2, 3, 4], [1e-30, 2e-30, 1, 3e38]], np.float32)
    weights = neighbour_weights(distances, np.zeros((3, 4), int))
    np.testing.assert_allclose(weights[:2], [[0.5, 0.5, 0, 0], [1, 0, 0, 0]])
    np.testing.assert_allclose(weights[2], [0.8, 0.2, 0, 0], rtol=1e-5, atol=1e-12)
    none = neighbour_weights(distances, np.full((3, 4), -1))
    np.testing.assert_array_equal(none, 0)


def test_tiny_distances_do_not_overflow(tmp_path):
    path = tmp_path / "near.npy"
    np.save(path, np.array([[1e-12, 0], [1, 0]], np.float32))
    blended = FeatureIndex.load(path).blend(np.zeros((1, 2), np.float32), rate=1.0)
    np.testing.assert_allclose(blended, [[1e-12, 0]])


def test_missing_neighbours_weigh_nothing():
    index = load("sparse")
    distances, ids = index.search(QUERIES)
    missing = ids < 0
    assert missing.any()
    assert (distances[missing] == MISSING).all()
    none = missing.all(axis=1)
    assert none.any()
    np.testing.assert_array_equal(index.blend(QUERIES)[none], QUERIES[none])


# --- arguments --------------------------------------------------------------------------------


def test_rate_zero_changes_nothing_and_copies():
    index = load("full")
    blended = index.blend(QUERIES, rate=0)
    np.testing.assert_array_equal(blended, QUERIES)
    assert blended is not QUERIES


@pytest.mark.parametrize("rate", [-0.1, 1.01, float("nan")])
def test_rate_outside_its_range_is_refused(rate):
    with pytest.raises(ValueError, match="outside 0 to 1"):
        load("full").blend(QUERIES, rate=rate)


def test_another_width_names_both(tmp_path):
    path = tmp_path / "v1.npy"
    np.save(path, np.zeros((3, 256), np.float32))
    with pytest.raises(ValueError, match=r"256-wide features \(v1\).*768-wide features \(v2\)"):
        FeatureIndex.load(path).blend(np.zeros((5, 768), np.float32))


def test_nan_features_and_k_zero_are_refused():
    bad = QUERIES.copy()
    bad[5, 3] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        load("full").blend(bad)
    with pytest.raises(ValueError, match="k is 0"):
        load("full").search(QUERIES, k=0)


def test_batches_and_no_frames_keep_their_shape():
    index = load("full")
    batch = np.stack([QUERIES, QUERIES[::-1]])
    assert index.blend(batch).shape == batch.shape
    np.testing.assert_array_equal(index.blend(batch)[0], index.blend(QUERIES))
    assert index.blend(QUERIES[:0]).shape == (0, 16)
    for exact in (False, True):
        assert index.search(QUERIES[:0], exact=exact)[1].shape == (0, 8)
    assert index.search(QUERIES[0])[1].shape == (8,)


def test_the_input_is_not_changed():
    queries = QUERIES.copy()
    load("probe4").blend(queries, exact=True)
    np.testing.assert_array_equal(queries, QUERIES)


@pytest.fixture(params=["by candidates", "by all differences"])
def way(request, monkeypatch):
    """Small searches look at all differences, large ones at candidates of a product: test both."""
    monkeypatch.setattr(
        "mlx_rvc_index.nearest._SMALL", 0 if request.param == "by candidates" else 1 << 30
    )


# --- nearest ----------------------------------------------------------------------------------


def slow(x, y, k):
    distances = ((x[:, None].astype(float) - y) ** 2).sum(-1)
    return np.argsort(distances, axis=1, kind="stable")[:, :k]


@pytest.mark.parametrize("offset", [0.0, 3000.0])
def test_nearest_is_exact_far_from_the_origin(offset, way):
    # ‖x‖² − 2xy + ‖y‖² alone loses all digits at this offset.
    rng = np.random.default_rng(0)
    y = (rng.standard_normal((700, 32)) + offset).astype(np.float32)
    x = (rng.standard_normal((40, 32)) + offset).astype(np.float32)
    np.testing.assert_array_equal(nearest(x, y, 8)[1], slow(x, y, 8))


def test_nearest_doubts_its_candidates_where_the_product_cancels(way):
    # Two groups far from their common centre: the product cannot tell neighbours within a group.
    rng = np.random.default_rng(1)
    side = np.where(np.arange(500) % 2, 1e4, -1e4)[:, None]
    y = (rng.standard_normal((500, 8)) + side).astype(np.float32)
    x = (rng.standard_normal((20, 8)) + 1e4).astype(np.float32)
    np.testing.assert_array_equal(nearest(x, y, 4)[1], slow(x, y, 4))


def test_nearest_passes_over_vectors_that_are_not_finite(way):
    y = np.random.default_rng(2).standard_normal((100, 4)).astype(np.float32)
    y[::2] = np.nan
    y[1] = 3e38
    distances, rows = nearest(y[3:13:2].copy(), y, 5)
    assert np.isfinite(distances).all()
    assert (rows % 2 == 1).all()
    np.testing.assert_array_equal(rows[:, 0], [3, 5, 7, 9, 11])


def test_features_of_no_number_are_refused():
    with pytest.raises(ValueError, match="pass float32"):
        load("full").blend([["a"] * 16])
