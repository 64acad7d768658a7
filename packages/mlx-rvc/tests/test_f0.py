import numpy as np
import pytest

from mlx_rvc import f0


def voice(hz):
    """A second of harmonics of `hz` between two half seconds of silence."""
    t = np.arange(16000) / 16000
    tone = sum(np.sin(2 * np.pi * hz * n * t) / n for n in range(1, 12))
    return np.concatenate([np.zeros(8000), 0.2 * tone, np.zeros(8000)])


@pytest.mark.parametrize("method", [f0.harvest, f0.dio])
@pytest.mark.parametrize("hz", [90.0, 220.0, 440.0])
def test_a_known_tone_is_found_at_its_time(method, hz):
    curve = method(voice(hz))
    assert len(curve) == 32000 // 160 + 1
    np.testing.assert_allclose(curve[70:130], hz, rtol=0.005)
    assert not curve[:40].any() and not curve[-40:].any()


def test_shift_moves_voiced_frames_by_fractions_of_a_semitone():
    shifted = f0.shift(np.array([100.0, 0.0]), 0.5)
    np.testing.assert_allclose(shifted, [100 * 2 ** (0.5 / 12), 0])
