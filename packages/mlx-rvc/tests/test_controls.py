import pytest

from mlx_rvc import Controls


def test_defaults_are_those_of_the_reference():
    controls = Controls()
    assert (controls.index_rate, controls.protect, controls.rms_mix_rate) == (0.75, 0.33, 0.25)
    assert controls.f0_method == "rmvpe"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("pitch", 49, "pitch is 49; it must lie in -48 to 48 semitones"),
        ("pitch", float("nan"), "pitch is nan"),
        ("index_rate", 1.1, "index rate is 1.1; it must lie in 0 to 1"),
        ("protect", 0.6, "protect is 0.6; it must lie in 0 to 0.5"),
        ("rms_mix_rate", -0.1, "RMS mix rate is -0.1"),
        ("speaker", -1, "speakers are numbered from 0"),
        ("output_rate", 100, "output sample rate is 100"),
        ("seed", -3, "seed is -3"),
        ("f0_method", "pm", "choose one of rmvpe, harvest, dio"),
    ],
)
def test_a_value_out_of_range_is_named_with_its_range(field, value, words):
    with pytest.raises(ValueError, match=words):
        Controls(**{field: value})
