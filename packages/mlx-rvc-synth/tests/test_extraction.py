"""`extract`: what a training checkpoint shows of itself, against what the user says."""

import pytest

from mlx_rvc_synth.extraction import extract


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
