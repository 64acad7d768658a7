"""The layout of a faiss index file: where its vectors, ids and centroids lie.

An IVF-Flat file (faiss 1.5 to 1.15, little endian, nothing aligned):

    "IwFl" | d i32 | ntotal i64 | 2 x i64 unused | trained u8 | metric i32 [| argument f32]
    nlist u64 | nprobe u64
    "IxF2" quantiser: header as above | number of floats u64 | centroids f32
    direct map: type u8 | n u64 | n x i64 [| type 2: n u64 | n x (i64, i64)]
    "ilar" | nlist u64 | bytes per vector u64
    "full" | nlist u64 | nlist x size u64            every list
    "sprs" | 2m u64    | m x (list u64, size u64)    only lists that are not empty
    per list, in order:  size x vector f32,  then  size x id i64

A flat file is the quantiser alone. Every number is checked against the size of the file before
anything is made of it.
"""

import struct
from dataclasses import dataclass

import numpy as np

from mlx_rvc_index.errors import IndexFileError

_FLAT = {b"IxF2": "L2", b"IxFl": "L2", b"IxFI": "inner product"}
_METRICS = {
    0: "inner product",
    1: "L2",
    2: "L1",
    3: "Linf",
    4: "Lp",
    20: "Canberra",
    21: "Bray-Curtis",
    22: "Jensen-Shannon",
    23: "Jaccard",
}
_MAX_DIM = 1 << 16


class OtherKind(Exception):  # noqa: N818 - not an error: faiss may still read the file
    """A file, or a part of it, of a kind that this reader does not know; args: the kind."""


@dataclass(frozen=True)
class Layout:
    """Where things are in the file. Lists follow one another; a flat file is one list.

    `ids` is None for a flat file: a vector's id is its row.
    """

    kind: str  # "IVF-Flat" or "Flat"
    dim: int
    nprobe: int
    centroids: np.ndarray | None  # (nlist, dim) float32, aligned copy
    sizes: np.ndarray  # (nlist,) int64: vectors per list
    starts: np.ndarray  # (nlist,) int64: byte where a list's vectors start
    ids: np.ndarray | None  # (ntotal,) int64, list after list

    @property
    def ntotal(self) -> int:
        """Number of vectors."""
        return int(self.sizes.sum())


@dataclass(frozen=True)
class _Header:
    dim: int
    ntotal: int
    trained: bool


class _Reader:
    """A cursor over the bytes of a file that never promises more than the file holds."""

    def __init__(self, data: np.ndarray) -> None:
        self._data = data
        self.place = 0

    def take(self, size: int, what: str) -> np.ndarray:
        left = len(self._data) - self.place
        if size > left:
            raise IndexFileError(
                f"{what} needs {size} bytes but {left} are left: the file is truncated or damaged"
            )
        self.place += size
        return self._data[self.place - size : self.place]

    def number(self, form: str, what: str) -> int:
        size = struct.calcsize(f"<{form}")
        return struct.unpack(f"<{form}", self.take(size, what).tobytes())[0]

    def code(self, what: str) -> bytes:
        return self.take(4, what).tobytes()

    def array(self, count: int, dtype: str, what: str) -> np.ndarray:
        data = self.take(count * np.dtype(dtype).itemsize, what)
        return np.frombuffer(data.tobytes(), dtype)  # copied: nothing in the file is aligned


def parse(data: np.ndarray) -> Layout:
    """Find the parts of an index file, given as (bytes,) uint8, usually memory-mapped.

    Raises IndexFileError for a file that lies or ends early, for other metrics than L2 and for an
    index that is not trained; OtherKind for what this reader does not know.
    """
    reader = _Reader(data)
    code = reader.code("the kind of index")
    if code == b"IwFl":
        return _ivf(reader)
    if code in _FLAT:
        header = _header(reader)
        start = _flat(reader, header)
        return Layout(
            "Flat",
            header.dim,
            nprobe=1,
            centroids=None,
            sizes=np.array([header.ntotal]),
            starts=np.array([start]),
            ids=None,
        )
    raise OtherKind(_name(code))


def _name(code: bytes) -> str:
    return code.decode("latin-1") if code.isalnum() else repr(code)[1:]


def _header(reader: _Reader) -> _Header:
    dim = reader.number("i", "the header")
    ntotal = reader.number("q", "the header")
    reader.take(16, "the header")
    trained = reader.number("B", "the header")
    metric = reader.number("i", "the header")
    if metric > 1:
        reader.take(4, "the header")
    if not 0 < dim <= _MAX_DIM or ntotal < 0 or trained > 1:
        raise IndexFileError(
            f"its header says {ntotal} vectors of width {dim}: damaged, or not a faiss index"
        )
    if metric != 1:
        name = _METRICS.get(metric, f"number {metric}")
        raise IndexFileError(f"it compares by the metric {name}; RVC indexes use L2: rebuild it")
    return _Header(dim, ntotal, bool(trained))


def _flat(reader: _Reader, header: _Header) -> int:
    """Step over the vectors of a flat index; return the byte where they start."""
    floats = reader.number("Q", "the number of floats")
    if floats != header.ntotal * header.dim:
        raise IndexFileError(
            f"it announces {header.ntotal} vectors of width {header.dim} but {floats} floats: "
            "the file is damaged"
        )
    start = reader.place
    reader.take(4 * floats, "the vectors")
    return start


def _ivf(reader: _Reader) -> Layout:
    header = _header(reader)
    nlist = reader.number("Q", "the number of lists")
    nprobe = reader.number("Q", "nprobe")
    centroids = _centroids(reader, header, nlist)
    if not header.trained:
        raise IndexFileError("the index is not trained: build it again")
    if nprobe == 0:
        raise IndexFileError("nprobe is 0, so that no list would be searched: the file is damaged")
    _skip_direct_map(reader)
    sizes = _sizes(reader, nlist, header)
    starts = np.zeros(nlist, np.int64)
    ids = np.empty(header.ntotal, np.int64)
    done = 0
    for i in np.flatnonzero(sizes):
        size = int(sizes[i])
        starts[i] = reader.place
        reader.take(size * header.dim * 4, "a list of vectors")  # vectors first, then ids
        ids[done : done + size] = reader.array(size, "<i8", "a list of ids")
        done += size
    if (ids < 0).any():
        raise IndexFileError("it holds negative ids: the file is damaged")
    return Layout("IVF-Flat", header.dim, min(nprobe, nlist), centroids, sizes, starts, ids)


def _centroids(reader: _Reader, header: _Header, nlist: int) -> np.ndarray:
    code = reader.code("the quantiser")
    if code not in _FLAT:
        raise OtherKind(f"IwFl with the quantiser {_name(code)}")
    quantiser = _header(reader)
    start = _flat(reader, quantiser)
    if (quantiser.dim, quantiser.ntotal) != (header.dim, nlist) or nlist == 0:
        raise IndexFileError(
            f"it announces {nlist} lists of width {header.dim} but holds {quantiser.ntotal} "
            f"centroids of width {quantiser.dim}: the file is damaged"
        )
    reader.place = start
    centroids = reader.array(nlist * header.dim, "<f4", "the centroids").reshape(nlist, -1)
    if not np.isfinite(centroids).all():
        raise IndexFileError("its centroids hold NaN: the index was built from broken features")
    return centroids


def _skip_direct_map(reader: _Reader) -> None:
    kind = reader.number("B", "the direct map")
    if kind > 2:
        raise IndexFileError(f"its direct map is of type {kind} (known: 0, 1, 2): damaged")
    reader.take(8 * reader.number("Q", "the direct map"), "the direct map")
    if kind == 2:  # a hash table, written as pairs
        reader.take(16 * reader.number("Q", "the direct map"), "the direct map")


def _sizes(reader: _Reader, nlist: int, header: _Header) -> np.ndarray:
    code = reader.code("the inverted lists")
    if code == b"il00":
        raise IndexFileError("its lists of vectors were left out of the file: use the full index")
    if code != b"ilar":
        raise OtherKind(f"IwFl with lists of the kind {_name(code)}")
    lists = reader.number("Q", "the inverted lists")
    width = reader.number("Q", "the inverted lists")
    if (lists, width) != (nlist, 4 * header.dim):
        raise IndexFileError(
            f"it announces {nlist} lists of {4 * header.dim} bytes a vector but stores {lists} "
            f"lists of {width}: the file is damaged"
        )
    form = reader.code("the sizes of the lists")
    count = reader.number("Q", "the sizes of the lists")
    stored = reader.array(count, "<u8", "the sizes of the lists")
    if form == b"full" and count == nlist:
        sizes = stored
    elif form == b"sprs" and count % 2 == 0:
        sizes = _dense(stored.reshape(-1, 2), nlist)
    else:
        raise IndexFileError(f"its sizes of lists are damaged ({_name(form)}, {count} numbers)")
    # Python's integers: sizes that overflow 64 bits must not add up to the right total.
    if sum(map(int, sizes)) != header.ntotal:
        raise IndexFileError(
            f"it announces {header.ntotal} vectors but its lists hold {sum(map(int, sizes))}: "
            "the file is damaged"
        )
    if 4 * header.dim * header.ntotal > len(reader._data):
        raise IndexFileError(
            f"it announces {header.ntotal} vectors of width {header.dim}, more than the file "
            "holds: truncated or damaged"
        )
    return sizes.astype(np.int64)


def _dense(pairs: np.ndarray, nlist: int) -> np.ndarray:
    places = pairs[:, 0]
    # In increasing order: that is the order in which the lists follow.
    if (places >= nlist).any() or (places[1:] <= places[:-1]).any():
        raise IndexFileError("its sparse lists name lists that do not exist: the file is damaged")
    sizes = np.zeros(nlist, np.uint64)
    sizes[places.astype(np.int64)] = pairs[:, 1]
    return sizes
