"""Headers that lie: of safetensors, of faiss indexes, of .npy arrays."""

import json
import struct
from collections.abc import Iterator
from typing import Any

from cases import Case

SAFE, INDEX, NPY = "safetensors headers", "index headers", ".npy headers"


def build(marker: str) -> Iterator[Case]:
    yield from _safetensors()
    yield from _indexes()
    yield from _arrays(marker)


def safetensors(header: Any, data: bytes = bytes(16), length: int | None = None) -> bytes:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw) if length is None else length) + raw + data


def _one(dtype: Any = "F32", shape: Any = (4,), offsets: Any = (0, 16), name: str = "w") -> dict:
    return {name: {"dtype": dtype, "shape": shape, "data_offsets": offsets}}


def _safetensors() -> Iterator[Case]:
    four = '"dtype":"F32","shape":[4],"data_offsets":[0,16]'
    entry = b'{"dtype":"F32","shape":[0],"data_offsets":[0,0]}'
    headers = {
        "a length past the end": safetensors(_one(), length=10_000),
        "an enormous length": safetensors(_one(), length=2**31),
        "a length of zero": safetensors(_one(), length=0),
        "a length that is short": safetensors(_one(), length=20),
        "no data": safetensors(_one(), b""),
        "data that is short": safetensors(_one(), bytes(15)),
        "data that is long": safetensors(_one(), bytes(17)),
        "offsets outside": safetensors(_one(offsets=(0, 1600), shape=(400,))),
        "offsets reversed": safetensors(_one(offsets=(16, 0))),
        "offsets below zero": safetensors(_one(offsets=(-16, 0))),
        "enormous offsets": safetensors(_one(offsets=(2**63, 2**63 + 16))),
        "offsets past 64 bits": safetensors(_one(offsets=(2**70, 2**70 + 16))),
        "offsets that are floats": safetensors(_one(offsets=(0.0, 16.0))),
        "offsets that are text": safetensors(_one(offsets=("0", "16"))),
        "three offsets": safetensors(_one(offsets=(0, 16, 16))),
        "offsets that overlap": safetensors(_one() | _one(name="v")),
        "a hole": safetensors(_one(shape=(2,), offsets=(8, 16))),
        "another shape": safetensors(_one(shape=(5,))),
        "a shape below zero": safetensors(_one(shape=(-4,))),
        "a shape that overflows": safetensors(_one(shape=(2**32, 2**32))),
        "an empty shape that overflows": safetensors(_one(shape=(0, 2**62, 2**62), offsets=(0, 0)), b""),
        "an empty enormous shape": safetensors(_one(shape=(0, 2**62), offsets=(0, 0)), b""),
        "a hundred dimensions": safetensors(_one("F32", [1] * 100, (0, 4)), bytes(4)),
        "a shape that is a number": safetensors(_one(shape=4)),
        "another type": safetensors(_one(dtype="F64")),
        "an unknown type": safetensors(_one(dtype="O")),
        "a type that is a list": safetensors(_one(dtype=["F32"])),
        "a type not read": safetensors(_one(dtype="F8_E4M3", shape=(16,))),
        "a name twice": safetensors(f'{{"w":{{{four}}},"w":{{{four}}}}}'.encode()),
        "a field twice": safetensors(f'{{"w":{{{four},"shape":[4]}}}}'.encode()),
        "metadata twice": safetensors(
            f'{{"__metadata__":{{"a":"b"}},"__metadata__":{{}},"w":{{{four}}}}}'.encode()),
        "metadata that is no text": safetensors({"__metadata__": {"a": {"b": 1}}} | _one()),
        "metadata that is a list": safetensors({"__metadata__": []} | _one()),
        "a tensor that is a list": safetensors({"w": []}),
        "no object": safetensors(b"[]"),
        "half an object": safetensors(b'{"w":'),
        "JSON a hundred thousand deep": safetensors(b'{"w":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
        "a tensor a hundred thousand deep": safetensors(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
        "a shape of a million": safetensors(_one(shape=[1] * 4_000_000, offsets=(0, 4)), bytes(4)),
        "a header of twenty megabytes": safetensors(
            b"{" + b",".join(b'"%d":%s' % (i, entry) for i in range(400_000)) + b"}", b""),
        "a header of blanks": safetensors(b"{" + b" " * 90_000_000 + b"}", b""),
        "metadata of thirty megabytes": safetensors(
            {"__metadata__": {"x": "y" * 30_000_000}} | _one()),
        "text that is no text": safetensors(b'{"\xff\xfe":1}'),
        "half a surrogate": safetensors(b'{"\\ud800":{' + four.encode() + b"}}"),
        "NaN in the header": safetensors(b'{"w":{"dtype":"F32","shape":[NaN],"data_offsets":[0,16]}}'),
        "a byte order mark": safetensors(b"\xef\xbb\xbf" + json.dumps(_one()).encode()),
        "vectors of one axis": safetensors(_one(name="index.vectors")),
        "vectors of no width": safetensors(
            _one(shape=(4, 0), offsets=(0, 0), name="index.vectors"), b""),
        "no vectors": safetensors(_one(shape=(0, 4), offsets=(0, 0), name="index.vectors"), b""),
        "vectors that are whole numbers": safetensors(_one("I32", (1, 4), name="index.vectors")),
    }  # fmt: skip
    for title, content in headers.items():
        yield Case(SAFE, title, ".safetensors", content)


def head(code: bytes, dim: int, total: int, metric: int = 1, trained: int = 1) -> bytes:
    signed = (total + 2**63) % 2**64 - 2**63
    return code + struct.pack("<iq16xBi", dim, signed, trained, metric)


def flat(
    dim: int, total: int, floats: int | None = None, data: bytes | None = None, **more
) -> bytes:
    number = max(dim * total, 0) if floats is None else floats
    body = bytes(4 * min(number, 1000)) if data is None else data
    return head(b"IxF2", dim, total, **more) + struct.pack("<Q", number & 2**64 - 1) + body


def ivf(
    dim: int = 4, total: int = 6, nlist: int = 2, *, sizes: tuple[int, ...] = (3, 3), nprobe: int = 1,
    quantiser: bytes | None = None, maps: bytes = bytes(9), lists: int | None = None,
    width: int | None = None, form: bytes = b"full", count: int | None = None, body: int | None = None,
    ids: int = 1, kind: bytes = b"ilar", **more: int,
) -> bytes:  # fmt: skip
    out = head(b"IwFl", dim, total, **more) + struct.pack("<QQ", nlist & 2**64 - 1, nprobe)
    out += flat(dim, nlist) if quantiser is None else quantiser
    out += maps + kind + struct.pack("<QQ", nlist if lists is None else lists,
                                     4 * dim & 2**64 - 1 if width is None else width)  # fmt: skip
    out += form + struct.pack("<Q", len(sizes) if count is None else count)
    out += struct.pack(f"<{len(sizes)}Q", *sizes)
    for size in sizes:
        data = min(size, 1000)
        out += bytes(4 * max(dim, 0) * data)[:body] + struct.pack("<q", ids) * data
    return out


def _indexes() -> Iterator[Case]:
    big = 2**64 - 1
    bad_vectors = struct.pack("<8f", *[float("nan")] * 8)
    files = {
        "a width of zero": flat(0, 4),
        "a width below zero": flat(-4, 4),
        "an enormous width": flat(2**30, 1, 2**30),
        "a width of 65,537": flat(65_537, 1),
        "a number below zero": flat(4, -1),
        "an enormous number": flat(4, 2**60, 2**62),
        "a number that overflows": flat(4, 2**62, 0),
        "fewer floats than said": flat(4, 4, 15),
        "more floats than the file": flat(4, 4, data=bytes(10)),
        "no vectors": flat(4, 0),
        "another metric": flat(4, 4, metric=0),
        "an unknown metric": flat(4, 4, metric=77),
        "a metric below zero": flat(4, 4, metric=-1),
        "trained twice": flat(4, 4, trained=2),
        "only a header": head(b"IxF2", 4, 4),
        "half a header": head(b"IxF2", 4, 4)[:20],
        "four bytes": b"IxF2",
        "two bytes": b"Ix",
        "IVF not trained": ivf(trained=0),
        "IVF of no lists": ivf(nlist=0, sizes=()),
        "IVF of enormous many lists": ivf(nlist=2**60),
        "IVF whose lists pass 64 bits": ivf(nlist=big),
        "IVF of another quantiser's width": ivf(quantiser=flat(8, 2)),
        "IVF of another quantiser's number": ivf(quantiser=flat(4, 3)),
        "IVF with broken centroids": ivf(quantiser=flat(4, 2, data=bad_vectors)),
        "IVF with a quantiser that lies": ivf(quantiser=flat(4, 2, 2**62)),
        "IVF of no probes": ivf(nprobe=0),
        "IVF with an unknown direct map": ivf(maps=b"\7" + bytes(8)),
        "IVF with an enormous direct map": ivf(maps=b"\1" + b"\xff" * 8),
        "IVF with an enormous hash table": ivf(maps=b"\2" + bytes(8) + b"\xff" * 8),
        "IVF with other lists": ivf(lists=3),
        "IVF with another width": ivf(width=17),
        "IVF with fewer vectors": ivf(total=7),
        "IVF with more vectors": ivf(total=5),
        "IVF of an enormous list": ivf(total=2**60, sizes=(2**60, 0)),
        "IVF whose sizes overflow": ivf(total=6, sizes=(big - 1, 8)),
        "IVF with enormous many sizes": ivf(count=2**61),
        "IVF with sizes of an unknown form": ivf(form=b"what"),
        "IVF with odd sparse sizes": ivf(form=b"sprs", sizes=(0, 3, 1), total=3),
        "IVF with sparse sizes outside": ivf(form=b"sprs", sizes=(9, 6)),
        "IVF with sparse sizes backwards": ivf(form=b"sprs", sizes=(1, 3, 0, 3)),
        "IVF with a sparse list twice": ivf(form=b"sprs", sizes=(0, 3, 0, 3)),
        "IVF with ids below zero": ivf(ids=-5),
        "IVF cut in a list": ivf()[:-20],
        "IVF cut in the sizes": ivf()[:130],
        "IVF with its lists elsewhere": ivf(kind=b"il00"),
        "IVF with lists of an unknown kind": ivf(kind=b"ilxx"),
        "IVF with lists in another file": ivf(kind=b"ilod") + b"/etc/passwd\0" * 9,
        "a kind that nobody knows": b"IzZz" + bytes(100),
        "a text": b"this is no index, it only begins with some letters" * 3,
        "a web page": b"<!DOCTYPE html><html>" + bytes(50),
        "a pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
        "a zip": b"PK\3\4" + bytes(90),
        "a pickle": b"\x80\x04cos\nsystem\n(S'true'\ntR.",
        "nothing": b"",
        "zeros": bytes(300),
    }  # fmt: skip
    foreign = (b"IxPq", b"IxPQ", b"IwPQ", b"IwQR", b"IHNf", b"IHNs", b"IxSQ", b"IwSq", b"IxPT", b"IxMp",
               b"IxM2", b"IxRF", b"IxHe", b"INSf", b"IvFl", b"IwSh", b"IxHE", b"IBwF", b"IxRp", b"ImPM",
               b"IxRv", b"ILfs", b"IwPf", b"IPfs", b"Iwft", b"IxSP", b"IwRQ", b"IRaB")  # fmt: skip
    for code in foreign:
        files[f"{code.decode()} with zeros"] = head(code, 4, 4) + bytes(300)
        files[f"{code.decode()} with ones"] = head(code, 4, 4) + b"\xff" * 300
        files[f"{code.decode()} of enormous size"] = head(code, 2**30, 2**60) + b"\xff" * 300
        files[f"{code.decode()} cut off"] = head(code, 768, 1000)
    for title, content in files.items():
        yield Case(INDEX, title, ".index", content)


def npy(
    header: bytes | str | dict, data: bytes = bytes(64), *, version: tuple = (1, 0), length=None
):
    raw = repr(header).encode() if isinstance(header, dict) else header
    raw = raw.encode() if isinstance(raw, str) else raw
    size = len(raw) if length is None else length
    width = "<H" if version[0] == 1 else "<I"
    return b"\x93NUMPY" + bytes(version) + struct.pack(width, size) + raw + data


def _arrays(marker: str) -> Iterator[Case]:
    def said(descr: Any = "<f4", order: Any = False, shape: Any = (4, 4), **more: Any) -> dict:
        return {"descr": descr, "fortran_order": order, "shape": shape, **more}

    code = f"__import__('os').system('touch {marker}')"
    files = {
        "objects": npy(said("|O")),
        "objects in fields": npy(said([("a", "|O")])),
        "fields": npy(said([("a", "<f4"), ("b", "<f4")])),
        "text": npy(said("<U8")),
        "whole numbers": npy(said("<i4")),
        "no such type": npy(said("nonsense")),
        "a type that is a number": npy(said(4)),
        "a type of an array": npy(said("(1000000,1000000)f4")),
        "a type of enormous size": npy(said("V2147483647")),
        "one axis": npy(said(shape=(16,))),
        "three axes": npy(said(shape=(2, 2, 4))),
        "no axis": npy(said(shape=())),
        "no width": npy(said(shape=(4, 0))),
        "no vectors": npy(said(shape=(0, 4))),
        "fewer bytes than said": npy(said(shape=(5, 4))),
        "an enormous shape": npy(said(shape=(2**40, 768))),
        "a shape that overflows": npy(said(shape=(2**62, 2**62))),
        "a shape past 64 bits": npy(said(shape=(2**70, 4))),
        "a shape below zero": npy(said(shape=(-4, 4))),
        "a shape twice below zero": npy(said(shape=(-4, -4))),
        "a shape of text": npy(said(shape=("4", "4"))),
        "a shape of floats": npy(said(shape=(4.0, 4.0))),
        "a shape that is a number": npy(said(shape=16)),
        "a hundred axes": npy(said(shape=(1,) * 100)),
        "an order that is text": npy(said(order="C")),
        "a key too many": npy(said(more=1)),
        "a key too few": npy({"descr": "<f4", "shape": (4, 4)}),
        "a header that calls": npy(f"{{'descr': {code}, 'fortran_order': False, 'shape': (4, 4)}}"),
        "a header that is a call": npy(code),
        "a header that is a lambda": npy("(lambda: 0)()"),
        "a header that is a list": npy("[]"),
        "a header of nothing": npy(""),
        "a header of zeros": npy(bytes(64)),
        "a header of brackets": npy("(" * 9000),
        "a header of lists": npy("[" * 150 + "]" * 150),
        "a header of signs": npy("-" * 9000 + "1"),
        "a header of sums": npy("+".join("1" * 4000)),
        "a header cut in text": npy("{'descr': '<f4"),
        "a header cut in long text": npy('{"""'),
        "a header that is indented": npy("  1\n 2"),
        "a header with a tab": npy("{\t'descr'\n\\"),
        "a header of strange letters": npy(b"\xff\xfe\xfd" * 20),
        "a header with a zero": npy("{'descr': '\0'}"),
        "a header of many digits": npy("9" * 9000),
        "a header past its limit": npy("{" + " " * 60_000 + "}"),
        "a header of four gigabytes": npy(said(), version=(2, 0), length=2**32 - 1),
        "a header past the end": npy(said(), b"", length=5000),
        "half a header": npy(said())[:40],
        "only the magic": b"\x93NUMPY",
        "a version of the future": npy(said(), version=(9, 9)),
        "version 3 that is no text": npy(b"\xff" * 20, version=(3, 0)),
        "version 2 of brackets": npy("(" * 9000, version=(2, 0)),
    }  # fmt: skip
    for title, content in files.items():
        yield Case(NPY, title, ".npy", content)
