"""The command without PyTorch: one line when it is missing, tables, JSON, exit status."""

import json
import subprocess
import sys

import pytest

from mlx_rvc_cli.host import main
from mlx_rvc_verify import beside, verification
from mlx_rvc_verify.verdict import FAIL, PASS, Result, not_compared

ROWS = (
    Result("enc_p", PASS, (1, 20, 16), 1 - 2e-12, 2.5e-6, 0.5, 5e-4, 0.125, 0.25),
    Result("flow", FAIL, (1, 20, 8), 0.5, 0.25, 0.5, 5e-4, 0.1, 0.2, "correlation below 0.99999"),
    not_compared("rmvpe", "weights not here: mlx-rvc weights fetch"),
)


@pytest.fixture
def run(capsys):
    def run(*arguments):
        status = main(["verify", *map(str, arguments)])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


@pytest.fixture
def without(monkeypatch):
    def without(*names):
        here = beside._installed
        monkeypatch.setattr(beside, "_installed", lambda name: name not in names and here(name))

    return without


@pytest.fixture
def found(monkeypatch):
    """Let a comparison find these rows."""

    def found(*rows):
        result = verification.Verification("voice.pth", {"noise": "normal, seed 0"}, rows)
        monkeypatch.setattr(verification, "verify", lambda *_, **__: result)

    return found


def test_importing_and_help_load_neither_torch_nor_mlx():
    code = (
        "import sys, mlx_rvc_verify, mlx_rvc_verify.command; from mlx_rvc_cli.host import main;"
        "main(['--help']); main(['verify', '--help']);"
        "sys.exit(bool({'torch', 'transformers', 'mlx.core', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "verify" in done.stdout


@pytest.mark.parametrize("stage", ["content", "enc_p", "audio"])
def test_missing_torch_is_one_line_that_says_what_to_install(run, without, stage):
    without("torch", "transformers", "huggingface_hub_rvc")
    status, out, err = run("demo", "--stage", stage)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "torch" in err and beside.INSTALL in err


def test_missing_torch_is_json_too(run, without):
    without("torch")
    status, out, _ = run("demo", "--json")
    assert status == 1 and beside.INSTALL in json.loads(out)["error"]


def test_the_table_names_what_failed_and_the_status_is_1(run, found):
    found(*ROWS)
    status, out, _ = run("voice.pth")
    lines = out.splitlines()
    assert status == 1
    assert lines[0].split()[:2] == ["stage", "shape"]
    cells = [*("enc_p", "1", "x", "20", "x", "16", "1", "-", "2e-12"), "2.5e-06", "5.0e-04"]
    assert lines[2].split() == [*cells, "0.125", "0.250", "pass"]
    assert lines[3].startswith("flow ") and lines[3].endswith(" FAIL")
    assert lines[4].endswith("not compared")
    assert "flow: correlation below 0.99999" in lines
    assert "rmvpe: weights not here: mlx-rvc weights fetch" in lines
    assert lines[-1] == "1 of 3 stages passed, 1 failed (flow), 1 not compared (rmvpe)"


def test_json_has_every_figure(run, found):
    found(*ROWS)
    status, out, _ = run("voice.pth", "--json")
    data = json.loads(out)
    assert status == 1 and data["well"] is False
    assert (data["compared"], data["failed"], data["not_compared"]) == (2, ["flow"], ["rmvpe"])
    first = data["stages"][0]
    assert (first["stage"], first["shape"], first["torch_s"]) == ("enc_p", [1, 20, 16], 0.25)
    assert first["bar"]["error"] == 1e-3 and data["stages"][2]["max_error"] is None


def test_a_pass_is_status_0_also_where_something_was_not_compared(run, found):
    found(ROWS[0], ROWS[2])
    assert run("voice.pth")[0] == 0


def test_nothing_compared_is_no_success(run, found):
    found(ROWS[2])
    status, out, _ = run("voice.pth")
    assert status == 1 and "0 of 1 stages passed" in out


def test_weights_that_are_not_here_are_never_replaced_silently(run, monkeypatch, tmp_path):
    """No download either: the hub's cache is empty and its address refuses."""
    for name in ("HF_HOME", "HF_HUB_CACHE"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.delenv("MLX_RMVPE", raising=False)
    status, out, _ = run("demo", "--stage", "rmvpe", "--json")
    (row,) = json.loads(out)["stages"]
    assert status == 1 and row["verdict"] == "not compared"
    assert row["note"] == "weights not here: mlx-rvc weights fetch"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["demo", "--stage", "decoder"], "the stages are content, rmvpe"),
        (["demo", "--seconds", "99"], "0.1 to 30"),
        (["demo", "--speaker", "7"], "speakers 0 to 1"),
        (["demo", "--index", "none.index"], "no such index"),
        (["demo", "--rmvpe", "none.pt"], "does not exist"),
        (["demo", "none.wav"], "none.wav"),
        (["none.pth"], "none.pth"),
        (["demo", "--threads", "1"], "before NumPy is loaded"),
    ],
)
def test_bad_input_is_one_line(run, monkeypatch, arguments, said):
    monkeypatch.setattr(verification, "require", lambda names: None)  # as if PyTorch were here
    status, out, err = run(*arguments)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert said in err


def test_an_encoder_is_looked_for_by_the_name_that_the_voice_says(monkeypatch, tmp_path):
    from mlx_rvc_verify import weights_here

    for variable in ("HF_HOME", "HF_HUB_CACHE"):
        monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.delenv("MLX_CONTENTVEC", raising=False)
    assert weights_here.encoder("spin", None) == (None, weights_here.FETCH)
    assert weights_here.encoder("contentvec", "spin_v2") == (None, weights_here.FETCH)
    assert "--contentvec" in weights_here.encoder("custom", None)[1]


def test_the_layer_is_the_one_that_the_voice_names():
    from types import SimpleNamespace

    config = SimpleNamespace(version="v2", feature_channels=768)
    voice = SimpleNamespace(config=config, metadata={"embedder_layer": 9})
    assert verification._layer(voice, 768) == (9, False)
    voice.metadata = {}
    assert verification._layer(voice, 768) == (None, False)
