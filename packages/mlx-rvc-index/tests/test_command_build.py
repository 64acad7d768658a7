"""`mlx-rvc index build` and `index convert`."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from mlx_rvc_cli.host import main
from mlx_rvc_index import FeatureIndex, gathering

GOLDEN = Path(__file__).parent / "golden"


def features(count, dim=8, seed=0):
    return np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder to work in: a folder of features, a folder of recordings that can be read."""
    monkeypatch.chdir(tmp_path)
    for folder in ("fea", "rec", "none"):
        Path(folder).mkdir()
    for i in range(3):
        np.save(f"fea/{i}.npy", features(40, seed=i))
        Path(f"rec/{i}.wav").write_bytes(b"a recording" * (i + 1))
    Path("fea/notes.txt").touch()
    Path("rec/.DS_Store").touch()
    return tmp_path


@pytest.fixture
def extractor(monkeypatch):
    """Stands for mlx-rvc: features whose values follow from the size of the file."""
    seen = SimpleNamespace(options=None, files=[], identity="a", fails=None)

    def open_features(**options):
        seen.options = options

        def extract(path):
            if path.name == seen.fails:
                raise ValueError(f"{path} cannot be read as audio")
            seen.files.append(path.name)
            return features(50, seed=path.stat().st_size)

        return seen.identity, extract

    entry = SimpleNamespace(load=lambda: open_features)
    monkeypatch.setattr(gathering, "entry_points", lambda group: [entry])
    return seen


def run(capsys, *arguments):
    assert main(["index", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_from_features(place, capsys):
    data = run(capsys, "build", "fea", "-o", "v.index", "--vectors")
    assert (data["files"], data["skipped"], data["features"], data["width"]) == (3, 1, 120, 8)
    assert (data["lists"], data["reduced"]) == (3, False)
    index = FeatureIndex.load("v.index")
    assert (index.ntotal, index.nlist, index.nprobe) == (120, 3, 1)
    np.testing.assert_array_equal(np.load("v.npy"), index.vectors())
    again = run(capsys, "build", "fea/0.npy", "fea/1.npy", "fea/2.npy", "-o", "w.index")
    assert again["skipped"] == 0
    assert Path("v.index").read_bytes() == Path("w.index").read_bytes()
    assert main(["index", "build", "fea", "-o", "v.index"]) == 0
    assert "120 vectors 8 wide in 3 lists, from 3 files; 1 files of" in capsys.readouterr().out


def test_from_recordings(place, capsys, extractor):
    data = run(capsys, "build", "rec", "-o", "v.index", "--model", "voice.pth")
    assert (data["files"], data["features"], data["reused"]) == (3, 150, 0)
    assert extractor.options == {"model": "voice.pth", "version": None, "contentvec": None}
    found = FeatureIndex.load("v.index").vectors()
    assert {bytes(row) for row in found} == {
        bytes(row) for size in (11, 22, 33) for row in features(50, seed=size)
    }
    assert not [path for path in place.iterdir() if path.name.startswith(".")]


def test_an_interrupted_run_goes_on(place, capsys, extractor):
    extractor.fails = "2.wav"
    assert main(["index", "build", "rec", "-o", "v.index"]) == 1
    assert "rec/2.wav cannot be read as audio" in capsys.readouterr().err
    assert not Path("v.index").exists()
    assert len(list(Path(".v-features").iterdir())) == 2
    extractor.fails, extractor.files = None, []
    Path("rec/1.wav").write_bytes(b"another recording")  # no longer what was taken
    assert run(capsys, "build", "rec", "-o", "v.index")["reused"] == 1
    assert extractor.files == ["1.wav", "2.wav"]
    assert not Path(".v-features").exists()


def test_another_encoder_takes_nothing_over(place, capsys, extractor):
    extractor.fails = "2.wav"
    main(["index", "build", "rec", "-o", "v.index"])
    capsys.readouterr()
    extractor.fails, extractor.files, extractor.identity = None, [], "b"
    assert run(capsys, "build", "rec", "-o", "v.index", "--version", "v1")["reused"] == 0
    assert extractor.files == ["0.wav", "1.wav", "2.wav"]
    assert extractor.options["version"] == "v1"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["build", "fea", "-o", "v.npy"], "v.npy: an index is built as .index"),
        (["build", "fea", "-o", "nowhere/v.index"], "does not exist"),
        (["build", "none", "-o", "v.index"], "neither .npy files nor recordings"),
        (["build", "missing.wav", "-o", "v.index"], "missing.wav does not exist"),
        (["build", "fea", "rec", "-o", "v.index"], "together: build from one"),
        (["build", "old.index", "-o", "v.index"], "use mlx-rvc index convert"),
        (["build", "fea", "-o", "v.index", "--model", "demo"], "are for recordings"),
        (["build", "fea", "wide.npy", "-o", "v.index"], "wide.npy holds features 9 wide, fea/0.npy 8"),
        (["build", "few.npy", "-o", "v.index"], "5 features; an index needs 39"),
        (["build", "few.npy", "-o", "few.index", "--vectors"], "few.npy is an input"),
        (["build", "rec", "-o", "v.index"], "pip install mlx-rvc"),
        (["convert", "few.npy", "v.txt"], "as .npy, .safetensors or .index"),
        (["convert", "few.npy", "v.index"], "5 features"),
        (["convert", "few.npy", "few.npy"], "is an input"),
        (["convert", "few.npy", "v.npy", "--seed", "3"], "--seed is for building"),
        (["convert", "none.npy", "v.npy"], "no such index file"),
    ],
)  # fmt: skip
def test_errors_are_one_line_and_leave_nothing(place, capsys, monkeypatch, arguments, words):
    monkeypatch.setattr(gathering, "entry_points", lambda group: [])
    np.save("wide.npy", features(40, 9))
    np.save("few.npy", features(5))
    Path("old.index").touch()
    before = sorted(place.rglob("*"))
    assert main(["index", *arguments]) == 1
    out, err = capsys.readouterr()
    assert words in err
    assert out == "" and err.count("\n") == 1
    assert sorted(place.rglob("*")) == before


def test_convert_there_and_back(place, capsys):
    expected = FeatureIndex.load(GOLDEN / "full.index").vectors()
    data = run(capsys, "convert", str(GOLDEN / "full.index"), "v.npy")
    assert (data["vectors"], data["width"], data["lists"]) == (400, 16, None)
    np.testing.assert_array_equal(np.load("v.npy"), expected)
    run(capsys, "convert", "v.npy", "v.safetensors")
    np.testing.assert_array_equal(FeatureIndex.load("v.safetensors").vectors(), expected)
    data = run(capsys, "convert", "v.safetensors", "v.index")
    assert data["lists"] == 10
    index = FeatureIndex.load("v.index")
    assert index.kind == "IVF-Flat"
    assert sorted(map(bytes, index.vectors())) == sorted(map(bytes, expected))
    assert run(capsys, "info", "v.safetensors")["kind"] == "safetensors"
