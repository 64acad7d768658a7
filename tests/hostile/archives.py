"""Zips that lie: as torch files, and as packs of voices for `mlx-rvc voices add`."""

import stat
from collections.abc import Iterator

from cases import Case, in_dict, name, number, numbers, pickled, storage, tensor, text, torch_zip
from zips import Entry, archive, bomb, deflated, zip64, zip64_end

TORCH, PACK = "zips of torch that lie", "voice zips"


def build(marker: str) -> Iterator[Case]:
    yield from _torch()
    yield from _packs(marker)


def _plain(numel: int = 4, kind: str = "FloatStorage", count: int = 1) -> bytes:
    """A pickle of tensors over the storages "0", "1" ..."""
    body = b"}("
    for i in range(count):
        where = storage(str(i), name("torch", kind), numel)
        body += text(f"w{i}") + tensor(where, number(0), numbers(numel), numbers(1))
    return pickled(body + b"u")


def _torch() -> Iterator[Case]:
    pkl, data = Entry("a/data.pkl", _plain()), Entry("a/data/0", bytes(16))
    good = archive([pkl, data])
    giga = 2**30
    many = 100
    ten = 10 * 2**20
    overlapping = [Entry("a/data.pkl", _plain(ten // 2, "BFloat16Storage", many))]
    overlapping.append(Entry("a/data/0", bytes(ten)))
    at = len(archive(overlapping[:1], end={})) - 22 - 46 - len("a/data.pkl")
    overlapping += [Entry(f"a/data/{i}", bytes(ten), offset=at) for i in range(1, many)]
    files = {
        "a bomb as the pickle": archive([bomb("a/data.pkl", giga)]),
        "a bomb as a storage": archive(
            [Entry("a/data.pkl", _plain(giga // 4)), bomb("a/data/0", giga)]
        ),
        "a bomb as the byte order": archive([pkl, data, bomb("a/byteorder", giga)]),
        "many small bombs": archive(
            [Entry("a/data.pkl", _plain(2**23, count=40))]
            + [bomb(f"a/data/{i}", 2**25) for i in range(40)]
        ),
        "a bomb that says it is small": archive(
            [pkl, Entry("a/data/0", bomb("x", 2**26).data, 8, size=16)]
        ),
        "a deflated entry that says it is large": archive(
            [Entry("a/data.pkl", deflated(_plain()), 8, size=giga)]
        ),
        "entries that overlap": archive(overlapping),
        "the pickle twice": archive([pkl, data, pkl]),
        "two pickles": archive([pkl, data, Entry("b/data.pkl", _plain())]),
        "a storage twice": archive([pkl, data, data]),
        "no pickle": archive([data]),
        "code of TorchScript": archive([pkl, data, Entry("a/code/x.py", b"import os")]),
        "constants of TorchScript": archive([pkl, data, Entry("a/constants.pkl", b".")]),
        "a password": archive([Entry("a/data.pkl", _plain(), flags=1), data]),
        "a storage with a password": archive([pkl, Entry("a/data/0", bytes(16), flags=1)]),
        "an unknown packing": archive([Entry("a/data.pkl", _plain(), 99), data]),
        "lzma": archive([Entry("a/data.pkl", b"\x09\x04\x05\x00\x5d\xff\xff\xff\xff" + bytes(20), 14,
                               size=50), data]),
        "bzip2": archive([Entry("a/data.pkl", b"BZh9" + bytes(30), 12, size=50), data]),
        "a damaged stream": archive([Entry("a/data.pkl", b"\xff" * 40, 8, size=99), data]),
        "a wrong checksum": archive([Entry("a/data.pkl", deflated(_plain()), 8, size=len(_plain()),
                                           crc=1), data]),
        "another byte order": archive([pkl, data, Entry("a/byteorder", b"middle")]),
        "sizes that differ": archive([pkl, Entry("a/data/0", bytes(16), stored=8)]),
        "an entry past the end": archive([pkl, Entry("a/data/0", bytes(16), size=giga, stored=giga)]),
        "a header elsewhere": archive([pkl, Entry("a/data/0", bytes(16), offset=3)]),
        "a header past the end": archive([pkl, Entry("a/data/0", bytes(16), offset=2**31)]),
        "a header inside another entry": archive(
            [pkl, Entry("z", b"PK\3\4" + bytes(60)), Entry("a/data/0", bytes(16), offset=len(good) - 60)]
        ),
        "zip64 sizes that lie": archive(
            [pkl, Entry("a/data/0", bytes(16), stored=2**33, size=2**33, extra=zip64(2**62, 2**62))]
        ),
        "zip64 offset that lies": archive(
            [pkl, Entry("a/data/0", bytes(16), offset=2**33, extra=zip64(2**62))]
        ),
        "zip64 field cut off": archive(
            [pkl, Entry("a/data/0", bytes(16), size=2**33, extra=b"\1\0\4\0abcd")]
        ),
        "zip64 end that lies": archive([pkl, data], end={"between": zip64_end(2**62, 2**62, 1, 0)}),
        "zip64 end past the end": archive([pkl, data], end={"between": zip64_end(9, 9, 2**62, 2**62)}),
        "a directory past the end": archive([pkl, data], end={"offset": 2**31}),
        "a directory of enormous size": archive([pkl, data], end={"size": 2**31}),
        "a directory of two hundred thousand": archive(
            [pkl, data] + [Entry(f"{i:06}", b"", offset=0) for i in range(200_000)]
        ),
        "no directory": good[:-80],
        "a truncated half": good[: len(good) // 2],
        "only the first bytes": good[:30],
        "a directory of nonsense": good[:-90] + bytes(68) + good[-22:],
        "a name that is no text": archive([Entry(b"a/data.pkl\xff", _plain()), data]),
        "an empty zip": archive([]),
    }  # fmt: skip
    for title, content in files.items():
        yield Case(TORCH, title, ".pth", content)


def _packs(marker: str) -> Iterator[Case]:
    bad = pickled(in_dict(name("os", "system") + b"(" + text(f"touch {marker}") + b"tR"))
    evil = torch_zip(bad)
    voice = Entry("sam.pth", evil)
    link = stat.S_IFLNK | 0o777
    names = {
        "up": "../sam.pth",
        "up and up": "a/../../sam.pth",
        "absolute": "/tmp/sam.pth",
        "the marker": marker + ".pth",
        "a drive": "C:/sam.pth",
        "a drive, relative": "C:sam.pth",
        "backslashes up": "..\\..\\sam.pth",
        "a share": "\\\\server\\share\\sam.pth",
        "a control character": "a\nb.pth",
        "an escape sequence": "\x1b[2J.pth",
        "a zero": "sam.pth\0.txt",
        "only slashes": "///",
        "up at the end": "a/..",
    }
    for title, path in names.items():
        yield Case(PACK, f"a name that leads out: {title}", ".zip",
                   archive([voice, Entry(path, evil)]))  # fmt: skip
    modes = {
        "symbolic link": link, "device": stat.S_IFCHR | 0o666, "block device": stat.S_IFBLK | 0o666,
        "pipe": stat.S_IFIFO | 0o666, "socket": stat.S_IFSOCK | 0o666,
    }  # fmt: skip
    for title, mode in modes.items():
        yield Case(PACK, f"a {title}", ".zip",
                   archive([voice, Entry("link.pth", b"/etc/passwd", mode=mode)]))  # fmt: skip
    inner = archive([bomb("sam.pth", 2**28)])
    files = {
        "a hostile voice": archive([voice]),
        "a hostile voice in folders": archive([Entry("a/b/c/sam.pth", evil)]),
        "a hostile voice and an index": archive([voice, Entry("added_x.index", b"IwFl" + bytes(60))]),
        "a hostile checkpoint": archive([Entry("G_2333.pth", evil)]),
        "a web page as voice": archive([Entry("sam.pth", b"<!doctype html>" * 50)]),
        "a plain pickle as voice": archive([Entry("sam.pth", bad)]),
        "a safetensors that lies": archive([Entry("sam.safetensors", b"\xff\0\0\0\0\0\0\0{" + bytes(99))]),
        "an empty voice": archive([Entry("sam.pth", b"")]),
        "no voice": archive([Entry("read.me", b"x")]),
        "nothing": archive([]),
        "a zip in a zip": archive([Entry("sam.zip", inner)]),
        "a zip named as voice": archive([Entry("sam.pth", inner)]),
        "a bomb": archive([bomb("sam.pth", 2**30)]),
        "a bomb beside the voice": archive([voice, bomb("added_x.index", 2**30)]),
        "a bomb of many": archive([bomb(f"{i}.pth", 2**25) for i in range(40)]),
        "a bomb that says it is small": archive([Entry("sam.pth", bomb("x", 2**28).data, 8, size=99)]),
        "a bomb in a folder of junk": archive([Entry("sam.pth", evil), bomb("__MACOSX/x.pth", 2**30)]),
        "entries that overlap": archive(
            [bomb("0.pth", 2**24)] + [Entry(f"{i}.pth", b"", 8, size=2**24, stored=16000, offset=0)
                                      for i in range(1, 200)]),
        "an enormous entry by zip64": archive(
            [Entry("sam.pth", b"x", 8, size=2**33, stored=2**33, extra=zip64(2**50, 1))]),
        "eleven thousand entries": archive(
            [Entry(f"{i}.txt", b"") for i in range(11_000)] + [voice]),
        "two hundred thousand entries": archive(
            [voice] + [Entry(f"{i:06}", b"", offset=0) for i in range(200_000)]),
        "a name twice": archive([voice, voice]),
        "a name twice by case": archive([voice, Entry("SAM.pth", evil)]),
        "a name twice by accents": archive([Entry("\u00e9.pth", evil), Entry("e\u0301.pth", evil)]),
        "a local name of another": archive([Entry("sam.pth", evil, local_name=b"../../x")]),
        "a password": archive([Entry("sam.pth", evil, flags=1)]),
        "an unknown packing": archive([Entry("sam.pth", evil, 99)]),
        "lzma": archive([Entry("sam.pth", b"\x09\x04\x05\x00\x5d\xff\xff\xff\xff" + bytes(20), 14,
                               size=50)]),
        "lzma that is damaged": archive([Entry("sam.pth", b"\xff" * 60, 14, size=50)]),
        "bzip2 that is damaged": archive([Entry("sam.pth", b"\xff" * 60, 12, size=50)]),
        "a damaged stream": archive([Entry("sam.pth", b"\xff" * 60, 8, size=50)]),
        "a wrong checksum": archive([Entry("sam.pth", evil, crc=5)]),
        "a header elsewhere": archive([voice, Entry("b.pth", b"x", offset=9)]),
        "a header past the end": archive([voice, Entry("b.pth", b"x", offset=2**31)]),
        "an entry past the end": archive([Entry("sam.pth", evil, stored=2**26, size=2**26)]),
        "a zip64 end that lies": archive([voice], end={"between": zip64_end(2**62, 2**62, 1, 0)}),
        "a directory past the end": archive([voice], end={"offset": 2**31}),
        "an extra field cut off": archive([Entry("sam.pth", evil, size=2**33, extra=b"\1\0\4\0abcd")]),
        "half": archive([voice])[: len(evil) // 2],
        "no directory": archive([voice])[:-60],
        "a device of Windows": archive([Entry("CON.pth", evil), Entry("nul.index", b"x")]),
        "a name of 5000 letters": archive([Entry("s" * 5000 + ".pth", evil)]),
        "a record of its own": archive([voice, Entry("voice.json", b"{}")]),
        "a config and no voice": archive([Entry("config.json", b"[" * 100_000)]),
    }  # fmt: skip
    for title, content in files.items():
        yield Case(PACK, title, ".zip", content)
