import numpy as np
import pytest

from mlx_rmvpe import RMVPEConfig, log_mel, mel_filterbank
from mlx_rmvpe.mel import _reflected, frame_count

CONFIG = RMVPEConfig()


def test_filterbank_is_librosas(golden):
    bank = mel_filterbank(sample_rate=16000, n_fft=1024, n_mels=128, fmin=30, fmax=8000)
    assert bank.shape == (513, 128) and bank.dtype == np.float32
    np.testing.assert_allclose(bank, golden["mel"]["filterbank"], atol=1e-8)


def test_spectrogram_is_the_references(golden, backend):
    audio, expected = golden["mel"]["audio"], golden["mel"]["mel"]
    found = np.array(log_mel(audio, CONFIG))
    assert found.shape == expected.shape == (2, frame_count(audio.shape[1], CONFIG), 128)
    np.testing.assert_allclose(np.exp(found), np.exp(expected), atol=1e-6, rtol=1e-6)
    np.testing.assert_allclose(found, expected, atol=1e-4)  # weak bands carry rounding
    assert np.all(found[1] == np.float32(np.log(1e-5)))  # the silent clip lies on the floor


def test_stretches_are_cut_from_the_whole(golden):
    audio = golden["mel"]["audio"]
    whole = np.array(log_mel(audio, CONFIG))
    for start, stop in [(0, 3), (2, 9), (20, 41), (40, 46), (45, 46)]:
        part = np.array(log_mel(audio, CONFIG, start=start, stop=stop))
        np.testing.assert_allclose(part, whole[:, start:stop], atol=2e-6)


@pytest.mark.parametrize("samples", [1, 2, 3, 300, 512, 513, 2000])
def test_reflection_is_numpys_however_short_the_audio(samples):
    audio = np.random.default_rng(0).standard_normal((2, samples)).astype(np.float32)
    expected = np.pad(audio, ((0, 0), (512, 700)), mode="reflect")
    np.testing.assert_array_equal(_reflected(audio, -512, samples + 700), expected)


@pytest.mark.parametrize(("samples", "frames"), [(1, 1), (159, 1), (160, 2), (16000, 101)])
def test_frame_count(samples, frames):
    assert frame_count(samples, CONFIG) == frames
    assert log_mel(np.zeros((1, samples), np.float32), CONFIG).shape == (1, frames, 128)
