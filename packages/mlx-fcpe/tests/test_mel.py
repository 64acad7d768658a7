import numpy as np
import pytest

from mlx_fcpe import FCPEConfig, log_mel, mel_filterbank
from mlx_fcpe.mel import frame_count, hz_to_mel, mel_to_hz

CONFIG = FCPEConfig()
LENGTHS = (1, 100, 159, 160, 300, 320, 432, 433, 592, 1024, 1600)


def test_filterbank_is_the_references(golden):
    bank = mel_filterbank(sr=16000, n_fft=1024, num_mels=128, fmin=0, fmax=8000)
    assert bank.shape == (513, 128) and bank.dtype == np.float32
    np.testing.assert_allclose(bank, golden["mel"]["filterbank"], atol=1e-8)


def test_the_mel_scale_is_slaneys_and_goes_back():
    np.testing.assert_allclose(hz_to_mel(np.array([500, 1000, 6400])), [7.5, 15, 42], rtol=1e-12)
    hz = np.linspace(0, 8000, 33)
    np.testing.assert_allclose(mel_to_hz(hz_to_mel(hz)), hz, atol=1e-9)


def test_spectrogram_is_the_references(golden, backend):
    audio, expected = golden["mel"]["audio"], golden["mel"]["mel"]
    found = np.array(log_mel(audio, CONFIG))
    assert found.shape == expected.shape == (2, frame_count(audio.shape[1], CONFIG), 128)
    np.testing.assert_allclose(np.exp(found), np.exp(expected), atol=1e-6, rtol=2e-6)
    np.testing.assert_allclose(found, expected, atol=1e-4)  # weak bands carry rounding


@pytest.mark.parametrize("samples", LENGTHS)
def test_short_audio_is_padded_as_in_the_reference(golden, samples):
    """Zeros up to 432 samples, reflection beyond; the last frame stands twice."""
    expected = golden["mel"][f"short/{samples}"]
    found = np.array(log_mel(golden["mel"]["audio"][:1, :samples], CONFIG))
    assert found.shape == expected.shape == (1, samples // 160 + 1, 128)
    np.testing.assert_allclose(np.exp(found), np.exp(expected), atol=1e-6, rtol=2e-6)


@pytest.mark.parametrize("samples", [1, 160, 432, 433, 3333])
def test_stretches_are_cut_from_the_whole(golden, samples):
    audio = golden["mel"]["audio"][:, :samples]
    whole = np.array(log_mel(audio, CONFIG))
    frames = whole.shape[1]
    for start in range(frames):
        for stop in {start + 1, min(start + 3, frames), frames}:
            part = np.array(log_mel(audio, CONFIG, start=start, stop=stop))
            np.testing.assert_allclose(part, whole[:, start:stop], atol=2e-6)
