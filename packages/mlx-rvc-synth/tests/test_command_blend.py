"""`blend`: the mean of the stored tensors, or one line that names what does not fit."""

import json

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

import mlx_pth
from mlx_rvc_synth import Synthesizer, command, read_voice

app = typer.Typer()
app.command()(command.blend)
app.command()(command.export)
runner = CliRunner()


def run(*arguments):
    result = runner.invoke(app, [*map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def changed(golden, path, scale=0.5, name="v1_f0", **said):
    """A second voice of the same architecture: other numbers, other metadata."""
    content = dict(mlx_pth.load(golden / f"{name}.pth"))
    content["weight"] = {
        k: (v * (scale + 0.01 * i)).astype(np.float16)
        for i, (k, v) in enumerate(content["weight"].items())
    }
    mlx_pth.save(path, {**content, **said})
    return path


def test_the_mean_of_what_is_stored(golden, tmp_path):
    other = changed(golden, tmp_path / "b.pth")
    out = tmp_path / "out.pth"
    said = run("blend", f"{golden / 'v1_f0.pth'}:3", f"{other}:1", "-o", out)
    assert "weights brought to a sum of 1" in said and "0.75" in said and "kept" in said
    a, b, mixed = (mlx_pth.load(path) for path in (golden / "v1_f0.pth", other, out))
    assert set(mixed["weight"]) == set(a["weight"])
    assert any(name.endswith("weight_g") for name in mixed["weight"])
    for name, value in a["weight"].items():
        wanted = 0.75 * value.astype(np.float64) + 0.25 * b["weight"][name].astype(np.float64)
        np.testing.assert_allclose(mixed["weight"][name], wanted, rtol=1e-6, atol=1e-9)
    assert mixed["info"] == "blend of v1_f0.pth 0.75, b.pth 0.25"
    Synthesizer.from_pretrained(out)


def test_three_voices_equal_shares_any_output(golden, tmp_path):
    names = [changed(golden, tmp_path / f"{i}.pth", 0.3 + 0.2 * i) for i in range(3)]
    data = json.loads(run("blend", *names, "-o", tmp_path / "mixed", "--json"))
    assert [part["share"] for part in data["parts"]] == pytest.approx([1 / 3] * 3)
    assert data["form"] == "folder"
    run("blend", *names, "-o", tmp_path / "mixed.safetensors")
    folder, file = (read_voice(tmp_path / name) for name in ("mixed", "mixed.safetensors"))
    assert all(np.array_equal(folder.tensors[k], v) for k, v in file.tensors.items())
    assert "not 1" not in str(data)


def test_folded_weights_are_mixed_where_one_voice_is_folded(golden, tmp_path):
    other = changed(golden, tmp_path / "b.pth")
    run("export", golden / "v1_f0.pth", tmp_path / "a.safetensors")
    said = run("blend", tmp_path / "a.safetensors:0.5", f"{other}:0.5", "-o", tmp_path / "o.pth")
    assert "weight norm folded" in said and "brought to" not in said
    a, b, mixed = map(read_voice, (tmp_path / "a.safetensors", other, tmp_path / "o.pth"))
    for name, value in mixed.tensors.items():
        np.testing.assert_allclose(
            value, 0.5 * a.tensors[name] + 0.5 * b.tensors[name], rtol=2e-6, atol=1e-8
        )


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ("v1_f0", "v1_nof0", "f0 no, not yes"),
        ("v1_f0", "v2_nof0", "version v2, not v1"),
        ("v1_f0", "odd_rates", "sample_rate 2100, not 800"),
        ("v1_f0", "resblock2", "resblock 2, not 1"),
    ],
)
def test_other_architectures(golden, tmp_path, first, second, words):
    names = [golden / f"{name}.pth" for name in (first, second)]
    with pytest.raises(ValueError, match="does not fit") as error:
        run("blend", *names, "-o", tmp_path / "o.pth")
    assert words in str(error.value) and str(names[1]) in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_is_an_input(golden, tmp_path):
    other = changed(golden, tmp_path / "b.pth")
    before = other.read_bytes()
    with pytest.raises(ValueError, match="is an input"):
        run("blend", golden / "v1_f0.pth", other, "-o", other)
    assert other.read_bytes() == before
