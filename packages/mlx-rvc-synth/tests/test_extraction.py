"""`extract`: what a training checkpoint shows of itself, against what the user says."""

import numpy as np
import pytest

import mlx_pth
from mlx_rvc_synth import Synthesizer, write_voice
from mlx_rvc_synth.extraction import extract, extract_mean


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sample_rate": 48000}, "those of 40000 Hz, not of 48000 Hz"),
        ({"version": "v2"}, "256 wide, so it is v1, not v2"),
        ({"f0": False}, "trained with F0, as its tensors show, not without"),
    ],
)
def test_flags_that_contradict(golden, options, words):
    with pytest.raises(ValueError, match=r"G_7\.pth") as error:
        extract(golden / "G_7.pth", **options)
    assert words in str(error.value) and "\n" not in str(error.value)


def test_what_the_tensors_show(golden):
    voice = extract(golden / "G_7.pth", sample_rate=40000, version="v1", f0=True)
    assert (voice.config.sample_rate, voice.config.speakers, voice.config.f0) == (40000, 2, True)
    assert voice.metadata == {"info": "extracted from G_7.pth, epoch 7"}
    with pytest.raises(ValueError, match="small model, not a training checkpoint"):
        extract(golden / "v1_f0.pth")


@pytest.fixture
def epochs(golden, tmp_path):
    """Paths of G_7.pth and of two later checkpoints of that training, with other numbers."""
    content = mlx_pth.load(golden / "G_7.pth")
    rng = np.random.default_rng(0)
    paths = [golden / "G_7.pth"]
    for epoch in (8, 9):
        model = {
            name: (value + 0.01 * rng.standard_normal(value.shape)).astype(value.dtype)
            for name, value in content["model"].items()
        }
        paths.append(tmp_path / f"G_{epoch}.pth")
        mlx_pth.save(paths[-1], {**content, "model": model, "iteration": epoch})
    return paths


def test_several_checkpoints_become_the_mean_of_their_stored_tensors(epochs, tmp_path):
    voice = extract_mean(epochs)
    assert voice.metadata == {"info": "mean of 3 checkpoints, G_7.pth, G_8.pth, G_9.pth"}
    write_voice(voice, tmp_path / "mean.pth", dtype="float16")
    found = mlx_pth.load(tmp_path / "mean.pth")["weight"]
    stored = [mlx_pth.load(path)["model"] for path in epochs]
    assert set(found) == {name for name in stored[0] if not name.startswith("enc_q")}
    for name, value in found.items():
        mean = np.mean([tensors[name].astype(np.float64) for tensors in stored], axis=0)
        np.testing.assert_array_equal(value, mean.astype(np.float32).astype(np.float16))
        if name == "dec.ups.0.weight_g":  # and it is none of the three
            assert all((value != t[name].astype(np.float16)).any() for t in stored)
    Synthesizer.from_pretrained(tmp_path / "mean.pth")


def test_one_checkpoint_has_no_mean(golden):
    one, mean = extract(golden / "G_7.pth"), extract_mean([golden / "G_7.pth"])
    assert mean.metadata == one.metadata and mean.kind == one.kind


def test_checkpoints_that_cannot_be_averaged(epochs, golden, tmp_path):
    with pytest.raises(ValueError, match=r"G_8\.pth is given twice"):
        extract_mean([*epochs, tmp_path / ".." / tmp_path.name / "G_8.pth"])
    content = mlx_pth.load(epochs[1])
    table = content["model"]["emb_g.weight"]
    content["model"]["emb_g.weight"] = np.concatenate([table, table])
    mlx_pth.save(tmp_path / "G_10.pth", content)
    with pytest.raises(ValueError, match=r"G_10\.pth does not fit .*G_7\.pth: speakers 4, not 2"):
        extract_mean([epochs[0], tmp_path / "G_10.pth"])
    with pytest.raises(ValueError, match=r"v1_f0\.pth is a small model"):
        extract_mean([epochs[0], golden / "v1_f0.pth"])
