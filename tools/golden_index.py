"""Make the golden files of mlx-rvc-index with faiss: small index files, queries, neighbours.

Run in an environment with faiss: python tools/golden_index.py. Each `NAME.index` is written by
faiss; `expected.npz` holds the queries and, for each file, faiss' squared distances and ids and
the features blended at rate 0.75 by the reference's formula in float64.
"""

from pathlib import Path

import faiss
import numpy as np

FOLDER = Path(__file__).parents[1] / "packages/mlx-rvc-index/tests/golden"
DIM, K, RATE = 16, 8, 0.75


def make_vectors(rng):
    """Clustered vectors, some of them twice, as silence gives in real features."""
    centres = 3 * rng.standard_normal((20, DIM))
    vectors = centres[rng.integers(0, 20, 400)] + rng.standard_normal((400, DIM))
    vectors[50:60] = vectors[10:20]
    return vectors.astype(np.float32)


def make_ivf(vectors, nprobe, direct_map=None):
    """Build as RVC does: IVF-Flat, trained and filled with the same features."""
    index = faiss.index_factory(DIM, "IVF20,Flat")
    index.train(vectors)
    index.nprobe = nprobe
    if direct_map is not None:
        index.set_direct_map_type(direct_map)
    index.add(vectors)
    return index


def make_sparse(vectors):
    """Few vectors in many lists: faiss then writes the sizes of the sparse kind."""
    quantiser = faiss.IndexFlatL2(DIM)
    quantiser.add(vectors[::4])
    index = faiss.IndexIVFFlat(quantiser, DIM, quantiser.ntotal)
    index.is_trained = True
    index.add(vectors[:30])
    return index


def make_shuffled_ids(vectors, rng):
    """Ids that are not the order of adding; no vector twice, whose order would be by chance."""
    vectors = np.delete(vectors, np.arange(50, 60), axis=0)
    index = faiss.index_factory(DIM, "IVF20,Flat")
    index.train(vectors)
    index.add_with_ids(vectors, rng.permutation(len(vectors)) + 1000)
    return index


def main():
    """Write all files."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(20)
    vectors = make_vectors(rng)
    queries = vectors[rng.integers(0, 400, 60)] + 0.5 * rng.standard_normal((60, DIM))
    queries = np.concatenate([queries, 6 * rng.standard_normal((10, DIM)), vectors[[3, 12, 55]]])
    queries = queries.astype(np.float32)
    flat = faiss.IndexFlatL2(DIM)
    flat.add(vectors)
    product = faiss.index_factory(DIM, "PQ4x4")
    product.train(vectors)
    product.add(vectors)
    empty = faiss.index_factory(DIM, "IVF20,Flat")
    empty.train(vectors)
    indexes = {
        "full": make_ivf(vectors, 1),
        "probe4": make_ivf(vectors, 4),
        "map_array": make_ivf(vectors, 1, faiss.DirectMap.Array),
        "map_hashtable": make_ivf(vectors, 2, faiss.DirectMap.Hashtable),
        "sparse": make_sparse(vectors),
        "ids": make_shuffled_ids(vectors, rng),
        "flat": flat,
        "trained": empty,
        "product": product,
    }
    expected = {"queries": queries, "vectors": vectors}
    for name, index in indexes.items():
        faiss.write_index(index, str(FOLDER / f"{name}.index"))
        if not index.ntotal:
            continue
        distances, ids = index.search(queries, K)
        expected[f"{name}_distances"], expected[f"{name}_ids"] = distances, ids
        if name in ("full", "probe4", "sparse", "flat"):
            expected[f"{name}_blended"] = blend(queries, distances, ids, vectors)
    np.savez_compressed(FOLDER / "expected.npz", **expected)


def blend(queries, distances, ids, vectors):
    """Weigh by (1/squared distance)², as RVC; at distance zero the limit instead of NaN."""
    out = np.empty(queries.shape)
    for i, x in enumerate(queries.astype(float)):
        found = ids[i] >= 0
        d, rows = distances[i][found].astype(float), ids[i][found]
        if not len(rows):
            out[i] = x
            continue
        weights = (d == 0).astype(float) if (d == 0).any() else 1 / d**2
        out[i] = RATE * (weights / weights.sum()) @ vectors[rows] + (1 - RATE) * x
    return out.astype(np.float32)


if __name__ == "__main__":
    main()
