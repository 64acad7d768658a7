"""Zip archives, as they are shared and as nobody should share them."""

import stat
import zipfile

import pytest

from mlx_rvc_voices import VoiceError, archive


@pytest.fixture
def pack(make, tmp_path):
    """The usual download: voice and index in a folder, with what macOS leaves."""
    folder = tmp_path / "content"
    make.voice(folder / "Sam" / "sam.pth")
    make.index(folder / "Sam" / "added_IVF9_Flat_nprobe_1_sam_v2.index")
    make.index(folder / "Sam" / "trained_IVF9_Flat_nprobe_1_sam_v2.index", vectors=0)
    make.checkpoint(folder / "Sam" / "logs" / "G_100.pth")
    make.checkpoint(folder / "Sam" / "logs" / "D_100.pth")
    for junk in ("__MACOSX/Sam/._sam.pth", "Sam/.DS_Store", "Sam/readme.txt"):
        (folder / junk).parent.mkdir(parents=True, exist_ok=True)
        (folder / junk).write_bytes(b"junk")
    return make.zip(tmp_path / "Sam (RVC).zip", folder)


def test_the_usual_download(library, pack):
    added = library.add(str(pack))
    assert added.voice.name == "sam" and added.notes == []
    assert added.voice.index == "added_IVF9_Flat_nprobe_1_sam_v2.index"
    assert {path.name for path in added.voice.folder.iterdir()} == {
        "voice.json", "sam.pth", "added_IVF9_Flat_nprobe_1_sam_v2.index",
    }  # fmt: skip
    assert library.check("sam") == []


def test_backslashes_of_windows_are_folders(library, make, tmp_path):
    voice = make.voice(tmp_path / "x.pth").read_bytes()
    with zipfile.ZipFile(tmp_path / "w.zip", "w") as target:
        target.writestr("Sam\\sam.pth", voice)
    assert library.add(str(tmp_path / "w.zip")).voice.model == "sam.pth"


def test_an_archive_names_a_voice_whose_file_has_no_name(library, make, tmp_path):
    make.voice(tmp_path / "c" / "model.pth")
    assert library.add(str(make.zip(tmp_path / "Ann.zip", tmp_path / "c"))).voice.name == "Ann"


def test_odd_file_names_become_harmless(library, make, tmp_path):
    voice = make.voice(tmp_path / "x.pth").read_bytes()
    with zipfile.ZipFile(tmp_path / "odd.zip", "w") as target:
        target.writestr("a/ $(rm) ; *?.pth", voice)
    added = library.add(str(tmp_path / "odd.zip")).voice
    assert (added.name, added.model) == ("rm)", "_(rm) _ _.pth")


def hostile(path, *names, data=b"x", mode=None, flags=0):
    with zipfile.ZipFile(path, "w") as target:
        for name in names:
            info = zipfile.ZipInfo("placeholder")
            info.filename = name
            if mode is not None:
                info.external_attr = mode << 16
            target.writestr(info, data)
    if flags:
        raw = bytearray(path.read_bytes())
        raw[raw.index(b"PK\x01\x02") + 8] |= flags
        path.write_bytes(raw)
    return path


@pytest.mark.parametrize(
    ("names", "more", "words"),
    [
        (["../evil.pth"], {}, r"'\.\./evil.pth' leads out of the archive"),
        (["a/../../evil.pth"], {}, "leads out of the archive"),
        (["/etc/evil.pth"], {}, "leads out of the archive"),
        (["C:\\evil.pth"], {}, "leads out of the archive"),
        (["..\\evil.pth"], {}, "leads out of the archive"),
        (["a\nb.pth"], {}, "leads out of the archive"),
        (["link.pth"], {"mode": stat.S_IFLNK | 0o777}, "'link.pth' is a link or a device"),
        (["pipe.pth"], {"mode": stat.S_IFIFO | 0o777}, "is a link or a device"),
        (["a/Sam.pth", "a\\sam.pth"], {}, "the name 'a/sam.pth' occurs twice"),
        (["sam.pth"], {"flags": 1}, "has a password; unpack it first"),
        ([f"{n}.txt" for n in range(12)], {}, "it has 12 entries, more than 10"),
        (["a.txt"], {"data": bytes(3000)}, "more than 100 times|would unfold"),
    ],
)
def test_hostile_archives_write_nothing(library, tmp_path, monkeypatch, names, more, words):
    monkeypatch.setattr(archive, "MAX_ENTRIES", 10)
    monkeypatch.setattr(archive, "MAX_TOTAL_BYTES", 2000)
    (tmp_path / "in").mkdir()
    path = hostile(tmp_path / "in" / "x.zip", *names, **more)
    with pytest.raises(VoiceError, match=words) as caught:
        library.add(str(path))
    assert "\n" not in str(caught.value)
    assert list(library.folder.iterdir()) == []
    assert {item.name for item in tmp_path.iterdir()} == {"in"}


def test_a_bomb_is_refused_by_its_ratio(library, tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "FREE_BYTES", 100_000)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("sam.pth", bytes(5_000_000))
    with pytest.raises(VoiceError, match="unfold to more than 100 times its size"):
        library.add(str(tmp_path / "bomb.zip"))


def test_overlapping_entries_count_against_the_size_of_the_file(library, tmp_path, monkeypatch):
    """Many names for the same bytes: each entry alone has an innocent ratio."""
    monkeypatch.setattr(archive, "FREE_BYTES", 1000)
    path = hostile(tmp_path / "x.zip", "a.pth", data=bytes(range(256)) * 40)
    raw = path.read_bytes()
    start, end = raw.index(b"PK\x01\x02"), raw.index(b"PK\x05\x06")
    record = raw[start:end]
    records = b"".join(record.replace(b"a.pth", b"%05d" % n) for n in range(5000))
    tail = bytearray(raw[end:])
    tail[8:12] = (5000).to_bytes(2, "little") * 2
    tail[12:16] = len(records).to_bytes(4, "little")
    path.write_bytes(raw[:start] + records + tail)
    with pytest.raises(VoiceError, match="unfold to more than 100 times its size"):
        library.add(str(path))


def test_an_entry_that_lies_about_its_size_is_damaged(library, make, tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as target:
        target.write(make.voice(tmp_path / "sam.pth"), "sam.pth")
    raw = bytearray((tmp_path / "x.zip").read_bytes())
    place = raw.index(b"PK\x01\x02") + 24
    raw[place : place + 4] = (10).to_bytes(4, "little")
    (tmp_path / "x.zip").write_bytes(raw)
    with pytest.raises(VoiceError, match=r"x.zip is a damaged zip archive"):
        library.add(str(tmp_path / "x.zip"))


def test_an_archive_without_a_voice_says_what_it_has(library, make, tmp_path):
    make.index(tmp_path / "c" / "added_x.index")
    with pytest.raises(VoiceError, match=r"holds no voice file .*it has added_x.index"):
        library.add(str(make.zip(tmp_path / "x.zip", tmp_path / "c")))
