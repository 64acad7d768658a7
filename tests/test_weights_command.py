"""`mlx-rvc weights` with toy weights at the addresses of the real ones."""

import hashlib
import json
import os
import zipfile
from pathlib import Path

import pytest
import weights_hub
from weights_hub import RMVPE_FILE, use_caches

from mlx_rvc_cli.host import main


@pytest.fixture
def hub(tmp_path, monkeypatch):
    with weights_hub.serve(tmp_path / "here", monkeypatch) as hub:
        yield hub


@pytest.fixture
def run(capsys):
    def run(*arguments, status=0):
        assert main(["weights", *map(str, arguments)]) == status, capsys.readouterr().err
        said = capsys.readouterr()
        if status:
            return said.err or said.out
        return json.loads(said.out) if "--json" in arguments else said.out

    return run


def what(entry):
    return [part["what"] for part in entry["files"]]


def test_weights_are_fetched_listed_and_verified(hub, run, tmp_path):
    before = run("list", "--json")["weights"]
    assert [before[name]["files"] for name in ("contentvec", "rmvpe")] == [[], []]
    assert "not here" in run("list")
    fetched = run("fetch", "--json")["weights"]
    assert what(fetched["contentvec"]) == ["fetched", "beside it", "converted"]
    assert what(fetched["rmvpe"]) == ["fetched", "converted"]
    assert fetched == run("list", "--json")["weights"]
    [first, *_] = fetched["rmvpe"]["files"]
    data = RMVPE_FILE.read_bytes()
    assert (first["bytes"], first["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    assert run("verify", "--json")["well"] is True
    assert run("verify").endswith("all well\n")
    count = len(hub.requests)
    run("fetch", "rmvpe")
    assert len(hub.requests) == count


def damage(path):
    """Flip a bit without a trace in size and time, as a disk would."""
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=times)


@pytest.mark.parametrize("kind", ["fetched", "converted"])
def test_damage_is_found(hub, run, kind):
    files = run("fetch", "rmvpe", "--json")["weights"]["rmvpe"]["files"]
    [path] = [part["path"] for part in files if part["what"] == kind]
    damage(Path(path))
    said = run("verify", "rmvpe", status=1)
    assert f"{path}: the SHA-256 is " in said and "mlx-rvc weights fetch" in said
    assert said.count("\n") == 1


def test_what_is_missing_is_said(hub, run, tmp_path):
    assert "contentvec is not here (IAHispano/Applio/" in run("verify", "contentvec", status=1)
    said = run("pack", tmp_path / "p.zip", status=1)
    assert "fetch it: mlx-rvc weights fetch contentvec" in said
    assert not (tmp_path / "p.zip").exists()
    assert "the weights 'crepe' are unknown; there are contentvec, rmvpe, spin, spin-v2" in run(
        "fetch", "crepe", status=1
    )


def test_weights_that_the_environment_names_are_not_fetched(hub, run, monkeypatch, tmp_path):
    monkeypatch.setenv("MLX_RMVPE", str(RMVPE_FILE))
    assert run("fetch", "rmvpe", "--json")["weights"]["rmvpe"]["files"] == []
    assert hub.requests == []
    assert "from the environment" in run("list")
    assert run("verify", "rmvpe", "--json")["well"] is True


def test_a_pack_is_enough_for_a_machine_without_network(hub, run, monkeypatch, tmp_path):
    from mlx_contentvec import ContentvecModel
    from mlx_rmvpe import RMVPE

    run("fetch")
    pack = tmp_path / "pack.zip"
    packed = run("pack", pack, "--json")
    assert len(packed["files"]) == 3 and packed["bytes"] == pack.stat().st_size
    use_caches(monkeypatch, tmp_path / "there")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # nothing listens there
    placed = run("unpack", pack, "--json")["files"]
    assert len(placed) == 3
    assert ContentvecModel.from_pretrained().config.hidden_size
    assert RMVPE.from_pretrained().config.n_mels == 16
    assert run("verify", "--json")["well"] is True
    assert not list((tmp_path / "there" / "hub").glob(".unpacking-*"))


def rewritten(source, target, change):
    """The pack with its manifest and files changed by `change(manifest, files)`."""
    with zipfile.ZipFile(source) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(files.pop("manifest.json"))
    compression = change(manifest, files) or zipfile.ZIP_STORED
    with zipfile.ZipFile(target, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        archive.writestr("manifest.json", json.dumps(manifest))
    return target


def entry(**values):
    return lambda manifest, files: manifest["files"][0].update(values)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (entry(filename="../../../evil"), "which is not among the weights that are needed"),
        (entry(repo="evil/evil"), "which is not among the weights that are needed"),
        (entry(commit="../../.."), "which is not among the weights that are needed"),
        (entry(sha256="0" * 64), "holds another rmvpe.pt than the published one"),
        (entry(bytes=3), "rmvpe.pt is not what the manifest says"),
        (lambda m, f: f.update({"0000": bytes(len(f["0000"]))}), "rmvpe.pt is damaged"),
        (lambda m, f: zipfile.ZIP_DEFLATED, "is not what the manifest says"),
        (lambda m, f: m.update(format_version=2), "no pack of weights that this version reads"),
        (lambda m, f: f.clear(), "no pack of weights, or a damaged one"),
        (lambda m, f: m["files"][0].update(more=1), "no pack of weights that this version reads"),
    ],
)
def test_a_pack_that_was_tampered_with_puts_nothing_anywhere(
    hub, run, monkeypatch, tmp_path, change, words
):
    run("fetch", "rmvpe")
    run("pack", tmp_path / "good.zip", "rmvpe")
    bad = rewritten(tmp_path / "good.zip", tmp_path / "bad.zip", change)
    use_caches(monkeypatch, tmp_path / "there")
    assert words in run("unpack", bad, status=1)
    assert [p for p in (tmp_path / "there").rglob("*") if p.is_file()] == []


def test_names_of_packs(hub, run, tmp_path):
    assert "a pack is a .zip" in run("pack", tmp_path / "p.tar", status=1)
    assert "does not exist" in run("unpack", tmp_path / "none.zip", status=1)
    (tmp_path / "text.zip").write_text("hello")
    assert "no pack of weights, or a damaged one" in run("unpack", tmp_path / "text.zip", status=1)


SPIN = "Resources/embedders/spin"


@pytest.fixture
def spin(hub, golden=Path(__file__).parents[1] / "packages/mlx-contentvec/tests/golden"):
    """The hub with a toy at the address of spin too."""
    import numpy as np

    with np.load(golden / "post_norm.npz") as file:
        config = str(file["config"]).encode()
    data = (golden / "pytorch_model.bin").read_bytes()
    hub.repos[weights_hub.ENCODER] |= {
        f"{SPIN}/pytorch_model.bin": data,
        f"{SPIN}/config.json": config,
    }
    return hub


def test_another_encoder_by_name(spin, run, tmp_path, monkeypatch):
    """Fetched only when asked for; then listed, verified and carried along."""
    assert set(run("list", "--json")["weights"]) == {"contentvec", "rmvpe"}
    assert set(run("fetch", "spin", "--json")["weights"]) == {"spin"}
    assert what(run("list", "--json")["weights"]["spin"])[0] == "fetched"
    assert run("verify", "spin", "--json")["well"]
    run("pack", tmp_path / "pack.zip", "spin")
    use_caches(monkeypatch, tmp_path / "there")
    assert "spin is not here" in run("verify", "spin", status=1)
    run("unpack", tmp_path / "pack.zip")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert set(run("fetch", "spin", "--json")["weights"]) == {"spin"}


def test_what_a_voice_needs(spin, run, monkeypatch):
    from types import SimpleNamespace

    assert run("fetch", "--model", "demo", "--json")["weights"].keys() == {"rmvpe"}
    voice = SimpleNamespace(config=SimpleNamespace(f0=False), metadata={"embedder": "spin"})
    monkeypatch.setattr("mlx_rvc_synth.read_voice", lambda path: voice)
    assert run("fetch", "--model", "demo", "--json")["weights"].keys() == {"spin"}
    voice.metadata["embedder"] = "custom"
    assert "'custom' are unknown" in run("fetch", "--model", "demo", status=1)
