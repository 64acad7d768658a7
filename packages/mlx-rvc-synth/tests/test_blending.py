"""`blend`: the mean of the stored tensors, or one line that names what does not fit."""

from dataclasses import replace

import numpy as np
import pytest

import mlx_pth
from mlx_rvc_synth import blending, read_voice
from mlx_rvc_synth.blending import blend, normalised_weights, voices_and_weights
from mlx_rvc_synth.weights import build


@pytest.fixture
def pair(golden, tmp_path):
    """Two voices of one architecture with other numbers; the second from a file of its own."""
    content = dict(mlx_pth.load(golden / "v2_f0.pth"))
    content["weight"] = {
        k: (v * (0.5 + 0.01 * i)).astype(np.float16)
        for i, (k, v) in enumerate(content["weight"].items())
    }
    mlx_pth.save(tmp_path / "b.pth", {**content, "author": "somebody", "epoch": 3})
    return read_voice(golden / "v2_f0.pth"), read_voice(tmp_path / "b.pth")


def test_a_voice_alone_with_all_weight_stays_itself(pair):
    mixed = blend(pair, [1, 0])
    for name, value in pair[0].tensors.items():
        np.testing.assert_allclose(mixed.tensors[name], value, rtol=1e-6, atol=1e-9)


def test_magnitude_and_direction_each_for_itself(pair):
    mixed = blend(pair, [3, 1])
    assert mixed.layout == "torch"
    for name in ("dec.ups.0.weight_g", "dec.ups.0.weight_v", "emb_g.weight"):
        one, other = (voice.originals[name].astype(np.float64) for voice in pair)
        np.testing.assert_allclose(mixed.originals[name], 0.75 * one + 0.25 * other, rtol=1e-6)
    build(mixed)


def test_metadata_that_all_say_alike(pair):
    first, other = pair
    first.metadata["epoch"] = 3
    metadata = blend([first, other], [1, 1]).metadata
    assert metadata["embedder_model"] == "spin"
    assert metadata["speaker_names"] == {"0": "alto", "1": "bass"}
    assert "author" not in metadata and "epoch" not in metadata


def test_other_speakers_encoders_and_tensors(golden):
    voice = read_voice(golden / "v1_f0.pth")
    more = replace(voice, config=replace(voice.config, spk_embed_dim=7))
    assert blending.difference(voice, more) == "speakers 7, not 3"
    spin = replace(voice, metadata={"embedder": "spin"})
    assert blending.difference(voice, spin) == "content encoder spin, not contentvec"
    usual = replace(voice, metadata={"embedder": "contentvec"})
    assert blending.difference(voice, usual) is None
    extra = replace(voice, originals={**voice.originals, "odd.weight": np.zeros(1)})
    with pytest.raises(ValueError, match=r"tensor odd\.weight"):
        blend([voice, extra], [1, 1])
    bent = replace(voice, originals={**voice.originals, "emb_g.weight": np.zeros((1, 4))})
    with pytest.raises(ValueError, match=r"emb_g\.weight has shape \(1, 4\)"):
        blend([voice, bent], [1, 1])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["a.pth:1"], "no blend"),
        (["a.pth:1", "b.pth"], "b.pth has no weight"),
        (["a.pth:0", "b.pth:0"], "add up to 0"),
        (["a.pth:2", "b.pth:-1"], "weights 2, -1"),
        (["a.pth:nan", "b.pth:1"], "weights nan, 1"),
    ],
)
def test_weights_that_cannot_be(given, words):
    with pytest.raises(ValueError, match=r".") as error:
        normalised_weights([weight for _, weight in voices_and_weights(given)])
    assert words in str(error.value)


def test_weights_and_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "take:2").touch()
    assert voices_and_weights(["a:b.pth:2", "c.pth:1e-1"]) == [("a:b.pth", 2.0), ("c.pth", 0.1)]
    assert voices_and_weights(["take:2", "C:x.pth"]) == [("take:2", 1.0), ("C:x.pth", 1.0)]
    assert normalised_weights([7, 3]) == pytest.approx([0.7, 0.3])
    with pytest.raises(ValueError, match="2 voices with 1 weights"):
        blend([None, None], [1])
