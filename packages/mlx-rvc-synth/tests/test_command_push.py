"""`mlx-rvc export VOICE --push`, through the host, to a hub on this machine and back."""

import hashlib
import io
import json
import os
import sys
import tempfile

import numpy as np
import pytest
import yaml

import mlx_pth
from mlx_rvc_cli.host import main
from mlx_rvc_synth import Synthesizer, index_vectors, read_voice
from mlx_rvc_synth.weights import locate_voice
from mlx_weights.testing import LocalHub, refused_url

TOKEN, REPO, RIGHTS = "hf_test", "me/voice", "--yes-i-have-the-rights"


@pytest.fixture
def hub(monkeypatch, tmp_path, tmp_path_factory):
    """A hub, an empty working folder, and an empty folder for temporary files."""
    from huggingface_hub import constants

    caches = tmp_path_factory.mktemp("caches")
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)  # read when it was imported
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(caches / "token"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("temporary")))
    monkeypatch.setenv("HF_HOME", str(caches))
    monkeypatch.setenv("MLX_WEIGHTS_CACHE", str(caches))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    for name in ("HF_HUB_CACHE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    with LocalHub({"me/taken": {"model.safetensors": b"old"}}) as hub:
        hub.tokens[TOKEN] = ("me",)
        hub.private.add("me/taken")
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield hub
    assert os.listdir(tempfile.gettempdir()) == []  # noqa: PTH208


@pytest.fixture
def export(golden, capfd):
    def run(*arguments, status=0, voice=None):
        given = ["export", voice or golden / "v2_f0.pth", *arguments]
        assert main([*map(str, given)]) == status
        said = capfd.readouterr()
        if status:
            assert said.err.startswith("mlx-rvc: error: ") and said.err.count("\n") == 1
            assert TOKEN not in said.err
            return said.err
        assert said.err == ""
        return said.out

    return run


def card_of(hub, repo=REPO):
    _, front, body = hub.contents(repo, "README.md").decode().split("---\n", 2)
    return yaml.safe_load(front), body


def test_a_voice_is_pushed_and_loads_from_the_hub(hub, export, v2_nof0, golden, tmp_path):
    case = v2_nof0
    said = export("--push", REPO, RIGHTS, voice=golden / f"{case.name}.pth")
    assert f"{hub.url}/{REPO}" in said and "private, licence unknown" in said
    assert hub.private == {"me/taken", REPO} and list(tmp_path.iterdir()) == []
    voice = Synthesizer.from_pretrained(REPO)
    expected = case.voice.infer(case.phone, case.f0, noise=case.noise)
    found = voice.infer(case.phone, case.f0, noise=case.noise)
    np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))
    assert voice.config == case.config and voice.metadata == case.voice.metadata


def test_the_card_and_what_else_was_asked_for(hub, export, golden, tmp_path, monkeypatch):
    vectors = np.random.default_rng(0).standard_normal((40, 768)).astype(np.float32)
    np.save(tmp_path / "v.npy", vectors)
    reader = type("Reader", (), {"load": staticmethod(lambda: np.load)})
    monkeypatch.setattr(index_vectors, "entry_points", lambda group: [reader])
    width = read_voice(golden / "v2_f0.pth").config.feature_channels
    np.save(tmp_path / "v.npy", vectors[:, :width])
    said = export(
        "out.safetensors", "--push", REPO, RIGHTS, "--public", "--license", "cc-by-4.0",
        "--dtype", "float16", "--index", "v.npy", "--json",
    )  # fmt: skip
    data = json.loads(said)
    assert (data["output"], data["form"]) == ("out.safetensors", "safetensors")
    assert (data["pushed"]["repository"], data["pushed"]["private"]) == (REPO, False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.safetensors", "v.npy"]
    assert REPO not in hub.private
    for name, digest in data["pushed"]["sha256"].items():
        assert hashlib.sha256(hub.contents(REPO, name)).hexdigest() == digest

    there, here = read_voice(locate_voice(REPO)), read_voice(tmp_path / "out.safetensors")
    assert there.index_vectors.shape == (40, width)
    np.testing.assert_array_equal(there.index_vectors, here.index_vectors)
    for name, value in here.tensors.items():
        np.testing.assert_array_equal(there.tensors[name], value)

    front, body = card_of(hub)
    assert (front["license"], front["library_name"]) == ("cc-by-4.0", "mlx")
    original = hashlib.sha256((golden / "v2_f0.pth").read_bytes()).hexdigest()
    shown = [
        "| RVC version | v2 |", "| F0 | with F0 |", "| sample rate | 2000 Hz |",
        "| content encoder | spin |", f"| features | {width} wide |",
        f"| parameters | {here.parameters:,} in float16 |", "| index | 40 vectors, inside |",
        f"SHA-256 {original} |", *data["pushed"]["sha256"].values(),
        f'Synthesizer.from_pretrained("{REPO}")', "said that they have the right to share it",
    ]  # fmt: skip
    assert [text for text in shown if text not in body] == []
    names = here.metadata["speaker_names"]
    assert all(f"{key} {name}" in body for key, name in names.items()) and names


def test_nothing_names_a_place_on_this_machine(hub, export, golden, tmp_path):
    content = mlx_pth.load(golden / "v2_f0.pth")
    content |= {
        "embedder_model": "/home/ann/models/spin",
        "info": f"from {tmp_path}/data, 9 epochs",
    }
    mlx_pth.save(tmp_path / "v.pth", content)
    export("--push", REPO, RIGHTS, voice=tmp_path / "v.pth")
    everything = b"".join(hub.contents(REPO, name) for name in hub.repos[REPO])
    assert b"/home/ann" not in everything and str(tmp_path).encode() not in everything
    assert Synthesizer.from_pretrained(REPO).metadata["info"] == "from data, 9 epochs"
    assert "| content encoder | spin |" in card_of(hub)[1]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_the_right_to_share_is_asked_for_first(hub, export, golden, monkeypatch, capfd):
    voice = str(golden / "v2_f0.pth")
    assert "nobody can be asked here" in export("--push", REPO, status=1)
    monkeypatch.setattr("sys.stderr", Terminal())
    for answer, status in (("n\n", 1), ("\n", 1), ("", 130)):
        monkeypatch.setattr("sys.stdin", Terminal(answer))
        assert main(["export", voice, "--push", REPO]) == status
    said = sys.stderr.getvalue()
    assert said.count("Do you have the right to share this voice") == 3
    assert said.count("the voice was not pushed: it needs the right to share it") == 2
    assert hub.requests == []
    monkeypatch.setattr("sys.stdin", Terminal("yes\n"))
    assert main(["export", voice, "--push", REPO]) == 0
    assert len(hub.commits) == 1 and f"{hub.url}/{REPO}" in capfd.readouterr().out


def test_bars_on_a_terminal_unless_quiet(hub, golden, monkeypatch, capfd):
    voice = str(golden / "v2_f0.pth")
    for flags, shown in (["--quiet"], False), (["--dtype", "float16"], True):
        monkeypatch.setattr("sys.stderr", Terminal())
        assert main(["export", voice, "--push", f"me/v{shown}", RIGHTS, *flags]) == 0
        assert ("model.safetensors" in sys.stderr.getvalue()) == shown
        assert (f"{hub.url}/me/v{shown}" in capfd.readouterr().out) == shown


def test_what_is_there_stays_unless_overwritten(hub, export):
    assert "exists and holds model.safetensors" in export("--push", "me/taken", RIGHTS, status=1)
    assert hub.contents("me/taken", "model.safetensors") == b"old"
    export("--push", "me/taken", RIGHTS, "--overwrite")
    assert Synthesizer.from_pretrained("me/taken").config.version == "v2"
    assert "nothing had changed" in export("--push", "me/taken", RIGHTS, "--overwrite")


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ([], 2, "give OUT, what to write, or --push OWNER/NAME"),
        (["out", "--public"], 2, "--public goes with --push"),
        (["out", "--license", "mit"], 2, "--license goes with --push"),
        (["out", "--token", TOKEN], 2, "--token goes with --push"),
        (["out", "--overwrite"], 2, "--overwrite goes with --push"),
        (["out", RIGHTS], 2, f"{RIGHTS} goes with --push"),
        (["out", "--quiet", "--json"], 2, "--quiet and --json contradict"),
        (["--push", "voice", RIGHTS], 1, "expected owner/name"),
        (["--push", REPO, RIGHTS, "--license", "All mine"], 1, "no identifier of a licence"),
        (["out.pt", "--push", REPO, RIGHTS], 1, "as .pth, .safetensors, or a folder"),
        (["out.pth", "--push", REPO, RIGHTS, "--index", "i"], 1, "--index is stored in"),
        (["--push", REPO, RIGHTS, "--index", "missing.index"], 1, "missing.index"),
        (["--push", "them/voice", RIGHTS], 1, "may not write to them (HTTP 403)"),
        (["--push", REPO, RIGHTS, "--token", "hf_other"], 1, "does not know this token (HTTP 401)"),
    ],
)
def test_what_cannot_be_is_one_line_and_leaves_nothing(
    hub, export, tmp_path, arguments, status, words
):
    assert words in export(*arguments, status=status)
    assert hub.commits == [] and list(tmp_path.iterdir()) == []


def test_a_hub_that_fails_on_the_way(hub, export, tmp_path, monkeypatch):
    hub.upload_faults["commit"] = 409
    assert "HTTP 409" in (said := export("--push", REPO, RIGHTS, status=1))
    assert "was made and is empty; the same command goes on" in said
    hub.upload_faults.clear()
    export("--push", REPO, RIGHTS)
    monkeypatch.setenv("HF_ENDPOINT", refused_url())
    assert "no connection to the server" in export("--push", REPO, RIGHTS, status=1)
    monkeypatch.delenv("HF_TOKEN")
    assert "needs a token and there is none" in export("--push", REPO, RIGHTS, status=1)
    assert list(tmp_path.iterdir()) == []
