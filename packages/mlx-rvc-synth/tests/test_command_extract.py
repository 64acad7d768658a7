"""`extract`: a training checkpoint becomes the small model that RVC's programs load."""

import json

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

import mlx_pth
from mlx_rvc_synth import Synthesizer, command, read_voice
from mlx_rvc_synth.extraction import extract

app = typer.Typer()
app.command()(command.extract)
runner = CliRunner()


def run(*arguments):
    result = runner.invoke(app, [*map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_extract(golden, tmp_path):
    out = tmp_path / "voice.pth"
    data = json.loads(run(golden / "G_7.pth", "-o", out, "--name", "toy", "--json"))
    assert (data["sample_rate"], data["version"], data["f0"]) == (40000, "v1", True)
    assert (data["speakers"], data["dtype"]) == (2, "float16")
    found, trained = mlx_pth.load(out), mlx_pth.load(golden / "G_7.pth")["model"]
    assert (found["sr"], found["f0"], found["version"]) == ("40k", 1, "v1")
    assert found["config"][12:] == [[10, 10, 2, 2], 16, [16, 16, 4, 4], 2, 4, 40000]
    assert found["config"][0] == 1025
    assert (found["info"], found["name"]) == ("extracted from G_7.pth, epoch 7", "toy")
    assert "learning_rate" not in found and "optimizer" not in found
    assert set(found["weight"]) == {name for name in trained if not name.startswith("enc_q")}
    for name, value in found["weight"].items():
        np.testing.assert_array_equal(value, trained[name].astype(np.float16))
    Synthesizer.from_pretrained(out)


def test_the_mean_of_several(golden, tmp_path):
    content = mlx_pth.load(golden / "G_7.pth")
    content["model"] = {k: (2 * v).astype(v.dtype) for k, v in content["model"].items()}
    mlx_pth.save(tmp_path / "G_8.pth", content)
    inputs = [golden / "G_7.pth", tmp_path / "G_8.pth"]
    data = json.loads(run(*inputs, "-o", tmp_path / "v.pth", "--json"))
    assert data["inputs"] == list(map(str, inputs)) and data["bytes"] > 0
    found = mlx_pth.load(tmp_path / "v.pth")["weight"]["enc_p.emb_phone.weight"]
    trained = mlx_pth.load(golden / "G_7.pth")["model"]["enc_p.emb_phone.weight"]
    np.testing.assert_array_equal(found, (1.5 * trained).astype(np.float16))
    assert "; the mean of 2 checkpoints; v1, with F0" in run(*inputs, "-o", tmp_path / "v.pth")
    with pytest.raises(ValueError, match="is an input"):
        run(*inputs, "-o", inputs[1])


def test_flags_that_agree(golden, tmp_path):
    said = run(
        golden / "G_7.pth",
        "-o",
        tmp_path / "v.pth",
        "--sample-rate",
        "40k",
        "--version",
        "v1",
        "--f0",
    )
    assert "v1, with F0, 40000 Hz, 2 speakers" in said


def without_posterior(golden, path):
    """No F0 and 32 or 48 kHz of v1: the kernels are the same, and only enc_q tells them apart."""
    content = mlx_pth.load(golden / "v1_nof0.pth")["weight"]
    rng = np.random.default_rng(0)
    weight = {k: v for k, v in content.items() if not k.startswith(("dec.ups", "dec.resblocks"))}
    for i, kernel in enumerate((16, 16, 4, 4, 4)):
        wide, narrow = 32 >> i, 16 >> i
        weight[f"dec.ups.{i}.weight_g"] = np.ones((wide, 1, 1), np.float32)
        weight[f"dec.ups.{i}.weight_v"] = rng.standard_normal((wide, narrow, kernel))
        weight[f"dec.ups.{i}.bias"] = np.zeros(narrow, np.float32)
        for step in range(3):
            for convs in ("convs1", "convs2"):
                name = f"dec.resblocks.{i}.{convs}.{step}"
                weight[f"{name}.weight_g"] = np.ones((narrow, 1, 1), np.float32)
                weight[f"{name}.weight_v"] = rng.standard_normal((narrow, narrow, 3))
                weight[f"{name}.bias"] = np.zeros(narrow, np.float32)
    inter = weight["dec.conv_pre.weight"].shape[1]
    weight["dec.conv_pre.weight"] = rng.standard_normal((32, inter, 7))
    weight["dec.conv_pre.bias"] = np.zeros(32, np.float32)
    weight["dec.cond.weight"] = rng.standard_normal((32, weight["emb_g.weight"].shape[1], 1))
    weight["dec.cond.bias"] = np.zeros(32, np.float32)
    weight["dec.conv_post.weight"] = rng.standard_normal((1, 1, 7))
    mlx_pth.save(path, {"model": weight, "iteration": 1, "learning_rate": 1e-4})
    return path


def test_a_rate_that_the_tensors_leave_open(golden, tmp_path):
    path = without_posterior(golden, tmp_path / "G_1.pth")
    with pytest.raises(ValueError, match=r"32000 Hz or 48000 Hz.*mlx-rvc extract --sample-rate"):
        read_voice(path)
    run(path, "-o", tmp_path / "v.pth", "--sample-rate", "48k")
    voice = read_voice(tmp_path / "v.pth")
    assert (voice.config.sample_rate, voice.config.upsample_rates) == (48000, (10, 6, 2, 2, 2))
    assert not voice.config.f0
    with pytest.raises(ValueError, match="trained without F0"):
        extract(path, sample_rate=32000, f0=True)


@pytest.mark.parametrize(
    ("source", "output", "words"),
    [
        ("v1_f0.pth", "v.pth", "is a small model, not a training checkpoint"),
        ("D_7.pth", "v.pth", "discriminator"),
        ("G_7.pth", "v.safetensors", "extracted as .pth"),
        ("G_7.pth", "v", "extracted as .pth"),
        ("none.pth", "v.pth", "none.pth"),
        ("G_7.pth", "nowhere/v.pth", "does not exist"),
    ],
)
def test_refused(golden, tmp_path, source, output, words):
    with pytest.raises(ValueError, match=r".") as error:
        run(golden / source, "-o", tmp_path / output)
    assert words in str(error.value) and "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []
    copy = tmp_path / "G_7.pth"
    copy.write_bytes((golden / "G_7.pth").read_bytes())
    with pytest.raises(ValueError, match="is an input"):
        run(copy, "-o", copy)
    copy.unlink()
