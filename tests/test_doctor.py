"""`mlx-rvc doctor`: what is well, what is not, and what the user is told to do."""

import importlib.metadata
import json
import shutil
from collections import namedtuple

import pytest

from mlx_rvc import doctor
from mlx_rvc_cli import host
from mlx_rvc_cli.host import main


def told(capsys, *arguments):
    status = main(["doctor", *arguments, "--json"])
    return status, json.loads(capsys.readouterr().out)


def test_a_healthy_machine(capsys):
    status, report = told(capsys)
    assert status == 0 and report["well"]
    findings = {finding["name"]: finding for finding in report["findings"]}
    assert list(findings) == [
        *("python", "packages", "mlx", "audio files", "F0 methods", "weights", "cache"),
        *("temporary files", "self-test"),
    ]
    assert findings["self-test"]["details"]["duration_s"] == 7.1
    assert findings["self-test"]["details"]["real_time_factor"] > 0
    assert {"voice", "content", "f0"} <= set(findings["self-test"]["details"]["stages_s"])
    assert "swift-f0" in findings["F0 methods"]["details"]["offline"]


def test_a_table_for_people(capsys):
    assert main(["doctor", "--no-self-test"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("ok") and "python" in lines[0]
    assert not any("self-test" in line for line in lines)


def test_packages_of_different_versions_are_a_problem(capsys, monkeypatch):
    known = importlib.metadata.version
    monkeypatch.setattr(
        importlib.metadata, "version", lambda name: "0.0.1" if name == "mlx-rmvpe" else known(name)
    )
    status, report = told(capsys, "--no-self-test")
    packages = next(f for f in report["findings"] if f["name"] == "packages")
    assert status == 1 and not report["well"] and packages["verdict"] == "problem"
    assert "mlx-rmvpe 0.0.1" in packages["found"] and "--upgrade" in packages["advice"]


def test_a_plug_in_of_others_may_have_a_version_of_its_own(capsys, monkeypatch):
    known = host.versions()
    monkeypatch.setattr(host, "versions", lambda: [*known, ("mlx-loudness", "7.0")])
    status, report = told(capsys, "--no-self-test")
    packages = next(f for f in report["findings"] if f["name"] == "packages")
    assert status == 0 and packages["verdict"] == "ok"
    assert packages["details"]["versions"]["mlx-loudness"] == "7.0"


def test_little_space_is_a_warning(capsys, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 9, 1))
    status, report = told(capsys, "--no-self-test")
    warned = [f["name"] for f in report["findings"] if f["verdict"] == "warning"]
    assert status == 0 and set(warned) - {"weights"} == {"cache", "temporary files"}


def test_weights_that_are_not_here_are_a_warning(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("MLX_WEIGHTS_CACHE", str(tmp_path / "cache"))
    for name in ("MLX_CONTENTVEC", "MLX_RMVPE"):
        monkeypatch.delenv(name, raising=False)
    status, report = told(capsys, "--no-self-test")
    weights = next(f for f in report["findings"] if f["name"] == "weights")
    assert status == 0 and weights["verdict"] == "warning"
    assert "contentvec, rmvpe" in weights["found"] and "weights fetch" in weights["advice"]
    monkeypatch.setenv("MLX_CONTENTVEC", "a.pt")
    monkeypatch.setenv("MLX_RMVPE", "b.pt")
    _, report = told(capsys, "--no-self-test")
    assert next(f for f in report["findings"] if f["name"] == "weights")["verdict"] == "ok"


@pytest.mark.parametrize("name", ["_mlx", "_audio_files"])
def test_a_check_that_breaks_is_a_finding(capsys, monkeypatch, name):
    def broken():
        raise RuntimeError("no such device\nat all")

    monkeypatch.setattr(doctor, name, broken)
    status, report = told(capsys, "--no-self-test")
    (problem,) = (f for f in report["findings"] if f["verdict"] == "problem")
    assert status == 1 and problem["found"] == "RuntimeError: no such device at all"
