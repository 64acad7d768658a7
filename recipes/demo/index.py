"""The `.index` of a speaker: centres of its features, as RVC makes it of long recordings."""

from pathlib import Path

import numpy as np
from sklearn.cluster import MiniBatchKMeans


def write(path: Path, features: np.ndarray, vectors: int, seed: int) -> None:
    """(frames, width) to an IVF-Flat file of `vectors` points: RVC's number of lists, one probe."""
    import faiss

    kmeans = MiniBatchKMeans(vectors, batch_size=4096, n_init=1, max_iter=40, random_state=seed)
    centres = np.ascontiguousarray(
        kmeans.fit(features.astype(np.float32)).cluster_centers_, np.float32
    )
    lists = min(int(16 * np.sqrt(vectors)), vectors // 39)
    index = faiss.index_factory(features.shape[1], f"IVF{lists},Flat")
    faiss.extract_index_ivf(index).nprobe = 1
    index.train(centres)
    index.add(centres)
    faiss.write_index(index, str(path))
