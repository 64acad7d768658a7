"""The whole chain on real speech and singing, with the demo voice."""

import numpy as np
import pytest


@pytest.mark.parametrize(
    ("name", "seconds", "rate", "channels"),
    [
        ("librivox_austen_0870", 0.05, 48000, 2),
        ("librivox_austen_0870", 0.5, 44100, 1),
        ("librivox_austen_0930", None, 16000, 1),
        ("librivox_austen_0930", None, 48000, 2),
        ("vocadito_10", None, 44100, 2),
        ("vocadito_14", 6.0, 48000, 1),
        ("librivox_austen_0930", 60.0, 16000, 1),
    ],
)
def test_length_and_level(demo, clip, name, seconds, rate, channels):
    audio = clip(name, seconds, rate, channels)
    for output_rate in (None, 44100) if len(audio) < 10 * rate else (None,):
        converted, out_rate = demo.convert_array(
            audio, rate, f0_method="dio", output_rate=output_rate, seed=0
        )
        assert len(converted) == round(len(audio) * out_rate / rate)
        assert np.isfinite(converted).all()
        # Neither silence nor clipped, as loud as a start that hardly speaks, or a whole sentence.
        assert 0.2 * np.abs(audio).max() < np.abs(converted).max() <= 0.99


def test_a_seed_makes_a_run_repeatable(demo, clip):
    audio = clip("librivox_austen_0930", 1.0)
    runs = [demo.convert_array(audio, 16000, f0_method="dio", seed=seed)[0] for seed in (1, 1, 2)]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert np.abs(runs[0] - runs[2]).max() > 1e-4


def test_silence_stays_quiet(demo):
    converted, _ = demo.convert_array(np.zeros(16000), 16000, f0_method="dio", seed=0)
    assert np.abs(converted).max() < 1e-3
