"""Hub files carried to a machine without network, and what is known of files that lie here."""

import hashlib
import json
import os
import zipfile

import numpy as np
import pytest

from mlx_weights import HubFile, WeightsError, converted, held, locate, pack, unpack
from mlx_weights.testing import LocalHub, refused_url

DATA = np.random.default_rng(0).bytes(100_000)
FILE = HubFile(
    "owner/name",
    "sub/model.pt",
    sha256=hashlib.sha256(DATA).hexdigest(),
    companions=("config.json", "no.json"),
)


def find(file=FILE):
    return locate(None, default=file, env=None, option="--model", filenames=["model.pt"])


@pytest.fixture
def fetched(monkeypatch):
    with LocalHub({"owner/name": {"sub/model.pt": DATA, "sub/config.json": b"{}"}}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        return find()


def elsewhere(monkeypatch, folder):
    monkeypatch.setenv("HF_HUB_CACHE", str(folder / "hub"))
    monkeypatch.setenv("MLX_WEIGHTS_CACHE", str(folder / "weights"))
    monkeypatch.setenv("HF_ENDPOINT", refused_url())


def test_a_pack_is_found_without_a_question_to_the_hub(fetched, monkeypatch, tmp_path):
    seen = []
    packed = pack(tmp_path / "p.zip", [FILE], lambda done, total: seen.append((done, total)))
    assert packed == [FILE, FILE.beside("config.json")]
    assert seen[-1] == (len(DATA) + 2, len(DATA) + 2)
    elsewhere(monkeypatch, tmp_path)
    unpack(tmp_path / "p.zip", [FILE])
    path = find()
    assert path.read_bytes() == DATA and path.is_relative_to(tmp_path)
    assert path.with_name("config.json").read_bytes() == b"{}"
    unpack(tmp_path / "p.zip", [FILE])  # once more changes nothing
    assert find().read_bytes() == DATA


def test_what_is_not_fetched_cannot_be_packed(tmp_path):
    with pytest.raises(WeightsError, match=r"sub/model.pt of owner/name is not here; fetch it"):
        pack(tmp_path / "p.zip", [FILE])


def test_a_damaged_copy_is_not_packed(fetched, tmp_path):
    fetched.resolve().write_bytes(DATA[:-1] + b"x")
    with pytest.raises(WeightsError, match=r"model.pt is damaged .*delete it and fetch it again"):
        pack(tmp_path / "p.zip", [FILE])


def test_a_pack_gives_only_what_is_asked_for(fetched, monkeypatch, tmp_path):
    pack(tmp_path / "p.zip", [FILE])
    elsewhere(monkeypatch, tmp_path)
    with pytest.raises(WeightsError, match="which is not among the weights that are needed"):
        unpack(tmp_path / "p.zip", [HubFile("owner/other", "model.pt")])
    assert not (tmp_path / "hub").exists()


def test_a_cut_pack_puts_nothing_anywhere(fetched, monkeypatch, tmp_path):
    pack(tmp_path / "p.zip", [FILE])
    (tmp_path / "p.zip").write_bytes((tmp_path / "p.zip").read_bytes()[:5000])
    elsewhere(monkeypatch, tmp_path)
    with pytest.raises(WeightsError, match="no pack of weights, or a damaged one"):
        unpack(tmp_path / "p.zip", [FILE])
    assert not (tmp_path / "hub").exists()


def test_what_is_held_and_whether_it_is_well(fetched):
    assert held(HubFile("owner/other", "model.pt"), "other") == []

    def convert(path):
        return {"w": np.ones(3, np.float32)}, {}

    folder = converted(fetched, name="mine", version=1, convert=convert)
    parts = held(FILE, "mine")
    assert [part.what for part in parts] == ["fetched", "beside it", "converted"]
    assert [part.bytes for part in parts[:2]] == [len(DATA), 2]
    assert parts[0].sha256 == FILE.sha256 and parts[2].path == folder / "model.safetensors"
    assert [part.problem() for part in parts] == [None, None, None]
    for part in held(FILE, "mine"):  # now that the sums are noted, a silent change is seen
        stat = part.path.stat()
        data = bytearray(part.path.read_bytes())
        data[-1] ^= 1
        part.path.resolve().write_bytes(data)
        os.utime(part.path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        if part.expected is not None:
            assert "is expected" in (part.problem() or ""), part.what
    assert [part.expected is None for part in held(FILE, "mine")] == [False, True, False]


def test_an_incomplete_conversion_is_said_to_be(fetched):
    folder = converted(
        fetched, name="mine", version=1, convert=lambda path: ({"w": np.ones(3)}, {})
    )
    (folder / "config.json").unlink()
    assert held(FILE, "mine")[-1].problem() == "it is incomplete"


@pytest.mark.parametrize(
    "change", [{"bytes": "5"}, {"commit": 5}, {"repo": ["owner", "name"]}, {"sha256": 1}]
)
def test_a_manifest_with_fields_of_another_kind_is_no_pack(fetched, monkeypatch, tmp_path, change):
    pack(tmp_path / "p.zip", [FILE])
    with zipfile.ZipFile(tmp_path / "p.zip") as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(contents.pop("manifest.json"))
    manifest["files"][0] |= change
    with zipfile.ZipFile(tmp_path / "q.zip", "w") as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
        for name, content in contents.items():
            archive.writestr(name, content)
    elsewhere(monkeypatch, tmp_path)
    with pytest.raises(WeightsError, match="no pack of weights that this version reads"):
        unpack(tmp_path / "q.zip", [FILE])
    assert not (tmp_path / "hub").exists()
