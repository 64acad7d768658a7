"""What is compared on."""

import numpy as np
import pytest
import soundfile

from mlx_rvc_verify.signal import glide, stretch


def test_the_signal_is_the_same_every_time_and_has_a_pause():
    signal = glide(2.0)
    np.testing.assert_array_equal(signal, glide(2.0))
    assert signal.shape == (32000,) and 0.05 < signal.std() < 0.5
    assert signal[10700:14600].std() < 0.01


def test_the_loudest_stretch_of_a_recording(tmp_path):
    audio = 0.01 * np.sin(np.arange(5 * 8000) * 0.3)
    audio[3 * 8000 : 4 * 8000] *= 20
    soundfile.write(tmp_path / "a.wav", audio, 8000)
    found = stretch(tmp_path / "a.wav", 1.0)
    assert found.shape == (16000,) and found.dtype == np.float32
    assert np.abs(found[200:-200]).max() > 0.1 and found[2000:-2000].std() > 0.13


def test_a_recording_too_short_is_refused(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(100), 16000)
    with pytest.raises(ValueError, match=r"at least 0\.1 s"):
        stretch(tmp_path / "a.wav", 1.0)
