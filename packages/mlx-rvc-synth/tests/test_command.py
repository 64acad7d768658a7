"""`info` and `export` as the host runs them, and what importing them costs."""

import json
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

import mlx_rvc_synth
from mlx_rvc_synth import Synthesizer, command

app = typer.Typer()
app.command()(command.info)
app.command()(command.export)
runner = CliRunner()


def test_info_says_where_values_come_from(golden):
    result = runner.invoke(app, ["info", str(golden / "v2_f0.pth")], catch_exceptions=False)
    lines = {line.split("  ")[0]: line for line in result.stdout.splitlines()}
    assert "tensors (the config says 109)" in lines["speakers"]
    assert "0 alto, 1 bass" in lines["speakers"]
    assert "spin" in lines["content encoder"]
    assert "768" in lines["features"]


def test_info_as_json(golden):
    result = runner.invoke(app, ["info", str(golden / "v1_nof0.pth"), "--json"])
    data = json.loads(result.stdout)
    assert data["version"] == "v1"
    assert data["f0"] is False
    assert data["vocoder"] == "HiFi-GAN"
    assert data["sample_rate"] == 800
    assert data["bytes"] == (golden / "v1_nof0.pth").stat().st_size
    assert data["parameters"] > 10000
    assert set(data["origins"]) >= {"version", "f0", "sample_rate", "spk_embed_dim"}


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_export(golden, tmp_path, dtype):
    out = tmp_path / "voice"
    arguments = ["export", str(golden / "v1_f0.pth"), str(out), "--dtype", dtype, "--json"]
    result = runner.invoke(app, arguments, catch_exceptions=False)
    data = json.loads(result.stdout)
    assert data["dtype"] == dtype
    assert data["bytes"] == (out / "model.safetensors").stat().st_size
    assert Synthesizer.from_pretrained(out).config.sample_rate == 800


def test_export_onto_a_file(golden, tmp_path):
    (tmp_path / "taken").touch()
    with pytest.raises(ValueError, match="is a file"):
        runner.invoke(
            app,
            ["export", str(golden / "v1_f0.pth"), str(tmp_path / "taken")],
            catch_exceptions=False,
        )


def test_importing_the_command_is_light():
    code = (
        "import sys, mlx_rvc_synth.command;"
        "print(sorted({'mlx', 'mlx.core', 'numpy', 'safetensors'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_public_names():
    assert mlx_rvc_synth.__all__ == sorted(mlx_rvc_synth.__all__)
    for name in mlx_rvc_synth.__all__:
        assert getattr(mlx_rvc_synth, name).__name__ == name
    with pytest.raises(AttributeError):
        _ = mlx_rvc_synth.nothing
