import numpy as np
import pytest

from mlx_rvc.recording import prepare


def tone(hz, seconds=2.0, level=0.5):
    return level * np.sin(2 * np.pi * hz * np.arange(int(seconds * 16000)) / 16000)


def test_rumble_goes_and_the_voice_stays_in_place():
    kept = prepare(tone(200))[8000:24000]
    np.testing.assert_allclose(kept, tone(200)[8000:24000], atol=1e-3)  # no delay
    assert np.abs(prepare(tone(10))[8000:24000]).max() < 1e-3


def test_loud_input_is_scaled_down_and_quiet_input_is_left():
    loud, quiet = prepare(tone(300, level=3.0)), prepare(tone(300, level=0.1))
    assert np.abs(loud[8000:24000]).max() == pytest.approx(0.95, abs=0.01)
    assert np.abs(quiet[8000:24000]).max() == pytest.approx(0.1, abs=0.001)


@pytest.mark.parametrize("samples", [1, 2, 18, 19, 20, 800])
def test_any_length_keeps_its_length(samples):
    audio = prepare(np.full(samples, 0.3, dtype=np.float32))
    assert len(audio) == samples and np.isfinite(audio).all()
