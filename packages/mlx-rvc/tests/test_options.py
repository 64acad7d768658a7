from dataclasses import fields
from pathlib import Path

import pytest

from mlx_rvc import ConversionOptions


def test_defaults_are_those_of_the_reference():
    options = ConversionOptions()
    assert (options.index_rate, options.protect, options.rms_mix_rate) == (0.75, 0.33, 0.25)
    assert options.f0_method is None


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
        ("f0_method", "yin", "'yin' is unknown; installed are .*dio, .*harvest, .*rmvpe"),
        ("f0_method", "hybrid[dio+yin]", "'yin' in .* is unknown"),
        ("f0_method", "hybrid[dio]", "is no hybrid; name two or more"),
        ("f0_method", len, "expected a name or an mlx_f0.F0Method"),
        ("f0_min", 5, "f0_min is 5 Hz; expected 20 to 3000 Hz"),
        ("f0_max", float("nan"), "f0_max is nan Hz"),
        ("filter_radius", -1, "filter radius is -1; it must lie in 0 to 100"),
        ("auto_pitch", 10, "auto pitch is 10; it must lie in 20 to 3000 Hz"),
        ("auto_pitch", "high", "auto pitch is 'high'; expected a median in Hz, or 'voice'"),
        ("auto_pitch", "nan", "auto pitch is nan"),
        ("auto_pitch_step", "fifth", "step is 'fifth'; choose one of semitone, octave"),
        ("auto_pitch_step", "octave", "step is octave, but there is no auto pitch"),
        ("autotune", 1.5, "autotune is 1.5; it must lie in 0 to 1"),
        ("autotune_scale", "C major", "scale is C major, but autotune is 0"),
        ("autotune_scale", "X", "expected chromatic, or a note and one of major"),
        ("formant", 13, "formant is 13; it must lie in -12 to 12 semitones"),
        ("clean", 2, "clean is 2; it must lie in 0 to 1"),
        ("split_silence", 5, "silence threshold is 5; it must lie in -90 to -10 dB"),
        ("chunk_seconds", 1, "chunk length is 1; it must lie in 5 to 300 s"),
        ("unvoiced", "fill", "unvoiced is 'fill'; choose one of zero, interp"),
    ],
)
def test_a_value_out_of_range_is_named_with_its_range(field, value, words):
    with pytest.raises(ValueError, match=words):
        ConversionOptions(**{field: value})


def test_a_range_upside_down_is_refused():
    with pytest.raises(ValueError, match="f0_min is 400 Hz and f0_max 300 Hz"):
        ConversionOptions(f0_min=400, f0_max=300)


def test_uses_looks_into_hybrids():
    assert ConversionOptions().uses("rmvpe")
    assert ConversionOptions(f0_method="hybrid[dio+rmvpe]").uses("rmvpe")
    assert not ConversionOptions(f0_method="hybrid[dio+harvest]").uses("rmvpe")


def test_an_object_keywords_or_both():
    base = ConversionOptions(pitch=3, seed=1)
    assert ConversionOptions.of(None, pitch=3, seed=1) == base
    assert ConversionOptions.of(base) is not None and ConversionOptions.of(base) == base
    assert ConversionOptions.of(base, seed=2) == ConversionOptions(pitch=3, seed=2)
    with pytest.raises(ValueError, match="pitch is 99"):
        ConversionOptions.of(base, pitch=99)
    with pytest.raises(ValueError, match="expected a ConversionOptions"):
        ConversionOptions.of({"pitch": 3})
    with pytest.raises(TypeError, match="pich"):
        ConversionOptions.of(None, pich=3)


def test_numbers_may_come_as_text():
    assert ConversionOptions(speaker="1", auto_pitch="155.5") == ConversionOptions(
        speaker=1, auto_pitch=155.5
    )
    assert ConversionOptions(speaker="alto", auto_pitch="voice").speaker == "alto"


def test_the_readme_explains_every_option():
    text = (Path(__file__).parents[1] / "README.md").read_text()
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    for field in fields(ConversionOptions):
        assert any(f"`{field.name}`" in row for row in rows), field.name
