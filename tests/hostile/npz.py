"""NumPy's `.npz` that lie: arrays of objects, headers, zips, and voices that are none."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from cases import Case, call, pickled
from headers import npy
from pickles import commands
from zips import Entry, archive, bomb, deflated, zip64, zip64_end

NPZ = ".npz archives"
VOICE = "as a voice: "
"""Arrays that are well formed: only who reads them as a voice can object."""


def build(marker: str) -> Iterator[Case]:
    for title, data in arrays(marker).items():
        yield Case(NPZ, title, ".npz", whole(data))
    for title, data in _zips(marker).items():
        yield Case(NPZ, title, ".npz", data)
    for title, tensors in _voices().items():
        entries = [Entry(f"{name}.npy", data) for name, data in tensors.items()]
        yield Case(NPZ, VOICE + title, ".npz", archive(entries))


def said(descr: Any = "<f4", order: Any = False, shape: Any = (4, 4), **more: Any) -> dict:
    return {"descr": descr, "fortran_order": order, "shape": shape, **more}


def whole(data: bytes) -> bytes:
    """An archive of one entry, in which nothing lies but that."""
    return archive([Entry("w.npy", data)])


def arrays(marker: str) -> dict[str, bytes]:
    """One array, of which NumPy's own reader would unpickle, evaluate or allocate."""
    ways = commands(marker)
    live = {way: pickled(call(*ways[way])) for way in ("os.system", "os.mkdir", "eval", "exec")}
    code = f"__import__('os').system('touch {marker}')"
    return {f"objects that call {way}": npy(said("|O", shape=(1,)), data)
            for way, data in live.items()} | {
        "objects of no axis": npy(said("|O", shape=()), live["os.mkdir"]),
        "objects, Fortran order": npy(said("|O", order=True), live["os.mkdir"]),
        "objects in version 2": npy(said("|O", shape=(1,)), live["os.mkdir"], version=(2, 0)),
        "objects in version 3": npy(said("|O", shape=(1,)), live["os.mkdir"], version=(3, 0)),
        "objects in fields": npy(said([("a", "|O")], shape=(1,)), live["os.mkdir"]),
        "objects in arrays": npy(said(("|O", (2,)), shape=(1,)), live["os.mkdir"]),
        "a bare pickle": live["os.mkdir"],
        "a pickle behind zeros": npy(said(shape=(4,)), bytes(16) + live["os.mkdir"]),
        "fields": npy(said([("a", "<f4"), ("b", "<f4")])),
        "text": npy(said("<U8")),
        "bytes": npy(said("|S8")),
        "raw bytes": npy(said("|V4")),
        "raw bytes of two gigabytes": npy(said("V2147483647")),
        "complex numbers": npy(said("<c8", shape=(8,))),
        "dates": npy(said("<M8[s]", shape=(8,))),
        "no such type": npy(said("nonsense")),
        "no such width": npy(said("<f3")),
        "a type that is a number": npy(said(4)),
        "a type of an array": npy(said("(1000000,1000000)f4")),
        "fewer bytes than said": npy(said(shape=(5, 4))),
        "more bytes than said": npy(said(shape=(3, 4))),
        "no bytes": npy(said(), b""),
        "an enormous shape": npy(said(shape=(2**40, 768))),
        "a shape that overflows to what is there": npy(said(shape=(2**62, 2**62, 0, 1))),
        "a shape whose bytes overflow": npy(said(shape=(2**62 + 4, 4))),
        "a shape past 64 bits": npy(said(shape=(2**70, 4))),
        "a shape below zero": npy(said(shape=(-4, 4))),
        "a shape twice below zero": npy(said(shape=(-4, -4))),
        "a shape of text": npy(said(shape=("4", "4"))),
        "a shape of floats": npy(said(shape=(4.0, 4.0))),
        "a shape of truths": npy(said(shape=(True, 16))),
        "a shape that is a number": npy(said(shape=16)),
        "a hundred axes": npy(said(shape=(1,) * 100), bytes(4)),
        "an order that is text": npy(said(order="C")),
        "a key too many": npy(said(more=1)),
        "a key too few": npy({"descr": "<f4", "shape": (4, 4)}),
        "a key twice": npy("{'descr': '<f4', 'descr': '|O', 'fortran_order': False, 'shape': (4, 4)}"),
        "a header that calls": npy(f"{{'descr': {code}, 'fortran_order': False, 'shape': (4, 4)}}"),
        "a header that is a call": npy(code),
        "a header that is a lambda": npy("(lambda: 0)()"),
        "a header of brackets": npy("(" * 9000),
        "a header of sums": npy("+".join("1" * 4000)),
        "a header of many digits": npy("{'descr': '<f4', 'fortran_order': False, 'shape': ("
                                       + "1, " * 3000 + ")}", bytes(4)),
        "a header of blanks": npy(str(said()) + " " * 60_000),
        "a header of thirty megabytes": npy(b"{" + b" " * 30_000_000, version=(2, 0)),
        "a header of four gigabytes": npy(said(), version=(2, 0), length=2**32 - 1),
        "a header past the end": npy(said(), b"", length=5000),
        "a header of nothing": npy(""),
        "a header of strange letters": npy(b"\xff\xfe\xfd" * 20),
        "a header with a zero": npy("{'descr': '\0'}"),
        "half a header": npy(said())[:40],
        "only the magic": b"\x93NUMPY",
        "a version of the future": npy(said(), version=(9, 9)),
        "version 0": npy(said(), version=(0, 0)),
        "no array": b"no array",
        "nothing": b"",
    }  # fmt: skip


def _zips(marker: str) -> dict[str, bytes]:
    """An archive around whole arrays that lies."""
    plain = npy(said())
    first = Entry("w.npy", plain)
    good = archive([first, Entry("v.npy", plain)])
    evil = pickled(call(*commands(marker)["os.mkdir"]))
    giga = 2**30
    lzma = b"\x09\x04\x05\x00\x5d\xff\xff\xff\xff" + bytes(20)
    return {
        "a bomb": archive([bomb("w.npy", giga)]),
        "a bomb behind an array": archive([first, bomb("v.npy", giga)]),
        "a bomb of many": archive([bomb(f"{i}.npy", 2**25) for i in range(40)]),
        "a bomb that says it is small": archive([Entry("w.npy", bomb("x", 2**28).data, 8, size=99)]),
        "a deflated array that says it is large": archive(
            [Entry("w.npy", deflated(plain), 8, size=2**27 - 1)]),
        "an enormous array by zip64": archive(
            [Entry("w.npy", plain, 8, size=2**33, stored=2**33, extra=zip64(2**50, 1))]),
        "arrays that overlap": archive(
            [first] + [Entry(f"{i}.npy", b"", size=len(plain), stored=len(plain), offset=0)
                       for i in range(100)]),
        "a name twice": archive([first, first]),
        "a pickle of torch beside it": archive([first, Entry("archive/data.pkl", evil)]),
        "a pickle beside it": archive([first, Entry("w.pkl", evil)]),
        "a name without its ending": archive([first, Entry("v", plain)]),
        "a folder": archive([first, Entry("v/", b"")]),
        "a local name of another": archive([Entry("w.npy", plain, local_name=b"v.npy")]),
        "a directory of another": archive([Entry("data.pkl", evil, local_name=b"w.npy")]),
        "a name that is no text": archive([first, Entry(b"v\xff.npy", plain)]),
        "a name with an escape sequence": archive([Entry("\x1b[2J\a.npy", b"no array")]),
        "a password": archive([Entry("w.npy", plain, flags=1)]),
        "an unknown packing": archive([Entry("w.npy", plain, 99)]),
        "lzma": archive([Entry("w.npy", lzma, 14, size=50)]),
        "bzip2 that is damaged": archive([Entry("w.npy", b"BZh9" + bytes(30), 12, size=50)]),
        "a damaged stream": archive([Entry("w.npy", b"\xff" * 60, 8, size=len(plain))]),
        "a wrong checksum": archive([Entry("w.npy", plain, crc=5)]),
        "sizes that differ": archive([Entry("w.npy", plain, stored=20)]),
        "an array past the end": archive([Entry("w.npy", plain, size=2**26, stored=2**26)]),
        "a header elsewhere": archive([first, Entry("v.npy", plain, offset=9)]),
        "a header past the end": archive([first, Entry("v.npy", plain, offset=2**31)]),
        "an extra field cut off": archive([Entry("w.npy", plain, size=2**33, extra=b"\1\0\4\0abcd")]),
        "a zip64 end that lies": archive([first], end={"between": zip64_end(2**62, 2**62, 1, 0)}),
        "a directory past the end": archive([first], end={"offset": 2**31}),
        "two hundred thousand arrays": archive(
            [first] + [Entry(f"{i:06}.npy", b"", offset=0) for i in range(200_000)]),
        "half": good[: len(good) // 2],
        "no directory": good[:-80],
        "a directory of nonsense": good[:-90] + bytes(68) + good[-22:],
        "only the first bytes": good[:36],
    }  # fmt: skip


def _voices() -> dict[str, dict[str, bytes]]:
    def of(*shape: int, kind: str = "<f4") -> bytes:
        return npy(said(kind, shape=shape), bytes(int(np.prod(shape)) * np.dtype(kind).itemsize))

    phone, norm = "enc_p.emb_phone.weight", "dec.ups.0.weight_"
    return {
        "arrays of another program": {"w": of(4, 4)},
        "a name of many lines": {"w\n" * 30 + "\x7f": of(4)},
        "one weight": {phone: of(8, 256)},
        "a weight of no axis": {phone: of()},
        "a weight of one axis": {phone: of(8)},
        "a weight of five axes": {phone: of(1, 1, 1, 8, 8)},
        "a weight of no size": {phone: of(0, 256)},
        "an empty enormous weight": {phone: npy(said(shape=(0, 2**59)), b"")},
        "whole numbers": {phone: of(8, 256, kind="<i8")},
        "names that are one": {"dec.up_0.bias": of(4), "dec.ups.0.bias": of(4)},
        "a stage far away": {"dec.up_99999999999.bias": of(4)},
        "a flow far away": {"flow.flow_9999.enc.in_layer_0.weight": of(4, 1, 4)},
        "a number of many digits": {f"flow.flow_{'9' * 5000}.x": of(4)},
        "half of a weight norm": {phone: of(8, 256), norm + "g": of(4, 1, 1)},
        "a name that leads out": {"../../w": of(4)},
        "a name with an escape sequence": {"\x1b[2J\nw": of(4)},
        "ten thousand names": {f"dec.up_{i}.bias": of(1) for i in range(10_000)},
        "a pitch model": {"unet.x": of(4)},
    }
