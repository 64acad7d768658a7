"""tools/publish_weights.py: from original files to a repository that each package loads.

Through huggingface-hub to a hub on this machine, and back from there. The originals are the toy
files that torch wrote for the packages' own tests.
"""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import publish_weights
import pytest
import yaml
from mlx.utils import tree_flatten

from mlx_contentvec import ContentvecModel
from mlx_crepe import CREPE
from mlx_rmvpe import RMVPE
from mlx_rvc_synth import Synthesizer
from mlx_weights.testing import LocalHub

PACKAGES = Path(__file__).parent.parent / "packages"
CASES = {
    "contentvec": (ContentvecModel, "mlx-contentvec/tests/golden/fairseq.pt"),
    "rmvpe": (RMVPE, "mlx-rmvpe/tests/golden/toy_rmvpe.pt"),
    "crepe": (CREPE, "mlx-crepe/tests/golden/toy.pth"),
    "voice": (Synthesizer, "mlx-rvc-synth/tests/golden/v2_f0.pth"),
}
TERMS = ["--license", "mit", "--origin", "https://example.org/an_original~1"]


@pytest.fixture
def hub(monkeypatch, tmp_path):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)  # read when it was imported
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("MLX_WEIGHTS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    for name in ("HF_HUB_CACHE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    with LocalHub({}) as hub:
        hub.tokens["hf_test"] = ("me",)
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("HF_TOKEN", "hf_test")
        yield hub


def encoder(folder, file, name):
    """An original of ContentVec with the configuration that its toy sizes need beside it."""
    golden = PACKAGES / "mlx-contentvec/tests/golden"
    folder.mkdir()
    shutil.copy(golden / file, folder / name)
    with np.load(golden / "post_norm.npz") as data:
        (folder / "config.json").write_text(str(data["config"]))
    return folder / name


def tensors(model):
    module = getattr(model, "network", model)
    return {name: np.asarray(value) for name, value in tree_flatten(module.parameters())}


@pytest.mark.parametrize("kind", CASES)
def test_an_original_becomes_a_repository(hub, tmp_path, capfd, kind):
    model, file = CASES[kind]
    original, repo, out = PACKAGES / file, f"me/{kind}-mlx", tmp_path / "out"
    if kind == "contentvec":
        original = encoder(tmp_path / "hubert", original.name, "hubert_base.pt")
    (tmp_path / "figures.md").write_text("| clip | error |\n|---|---|\n| speech | 1e-6 |\n")
    arguments = [kind, original, out, *TERMS, "--push", repo, "--parity", tmp_path / "figures.md"]
    if kind == "voice":
        arguments.append("--yes-i-have-the-rights")
    assert publish_weights.main([*map(str, arguments)]) == 0
    said = capfd.readouterr()
    assert f"{hub.url}/{repo}: private, pushed" in said.out and said.err == ""
    assert hub.private == {repo}

    expected, found = tensors(model.from_pretrained(original)), tensors(model.from_pretrained(repo))
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value)

    for name in ("config.json", "model.safetensors", "README.md"):
        assert hub.contents(repo, name) == (out / name).read_bytes()
    card = (out / "README.md").read_text()
    front = yaml.safe_load(card.split("---\n")[1])
    assert (front["license"], front["library_name"]) == ("mit", "mlx") and "mlx" in front["tags"]
    for path in (original, out / "model.safetensors", out / "config.json"):
        assert hashlib.sha256(path.read_bytes()).hexdigest() in card
    assert "https://example.org/an_original~1" in card and "| speech | 1e-6 |" in card
    assert f'from_pretrained("{repo}")' in card
    assert str(tmp_path) not in card and str(PACKAGES) not in card
    assert sorted(path.name for path in tmp_path.iterdir() if path.name[0] == ".") == []


def test_a_hugging_face_folder_and_no_figures(tmp_path, capfd):
    file = encoder(tmp_path / "hf", "pytorch_model.bin", "pytorch_model.bin")
    arguments = ["contentvec", str(file.parent), str(tmp_path / "out")]
    assert publish_weights.main([*arguments, *TERMS, "--attribution", "A | B"]) == 0
    assert json.loads((tmp_path / "out/config.json").read_text())["format"] == "mlx-contentvec"
    card = (tmp_path / "out/README.md").read_text()
    assert "No figures against the original program" in card and "| by | A \\| B |" in card
    assert 'from_pretrained("path/of/this/folder")' in card
    for name in ("pytorch_model.bin", "config.json"):
        digest = hashlib.sha256((file.parent / name).read_bytes()).hexdigest()
        assert f"original {name} | {digest}" in card
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rmvpe", "missing.pt", "out"], "missing.pt does not exist"),
        (["rmvpe", "VOICE", "out"], "VOICE"),
        (["voice", "VOICE", "out", "--push", "me/v"], "nobody can be asked here"),
        (["voice", "VOICE", "taken"], "is no empty folder"),
        (["voice", "VOICE", "out", "--public"], "--public goes with --push"),
        (["voice", "VOICE", "out", "--name", "v"], "expected owner/name"),
        (["voice", "VOICE", "out", "--parity", "no.md"], "no.md does not exist"),
        (["voice", "VOICE", "out", "--license", "My Own"], "no identifier of a licence"),
    ],
)
def test_what_cannot_be_is_one_line(tmp_path, monkeypatch, capfd, arguments, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken/file").touch()
    voice = str(PACKAGES / CASES["voice"][1])
    given = [voice if one == "VOICE" else one for one in arguments]
    assert publish_weights.main([*given[:3], *TERMS, *given[3:]]) == 1
    said = capfd.readouterr().err
    assert said.startswith("publish_weights.py: error: ") and said.count("\n") == 1
    assert (voice if words == "VOICE" else words) in said
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
