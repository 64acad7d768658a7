import numpy as np
import pytest
from scipy.signal import butter, filtfilt

from mlx_rvc.recording import Recording, prepare
from mlx_rvc.track import Track
from mlx_rvc_cli.audio import resample


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


@pytest.mark.parametrize("samples", [1, 2, 18, 19, 20, 99, 100, 101, 5000])
@pytest.mark.parametrize("level", [0.1, 3.0])
def test_by_block_it_is_scipy_s_filter_over_the_whole(monkeypatch, samples, level):
    monkeypatch.setattr("mlx_rvc.track.BLOCK", 100)
    rng = np.random.default_rng(samples)
    audio = (0.2 + level * rng.standard_normal(samples)).astype(np.float32)
    b, a = butter(5, 48, btype="high", fs=16000)
    scaled = audio.astype(np.float64) / max(np.abs(audio).max() / np.float64(0.95), 1)
    expected = filtfilt(b, a, scaled, padlen=min(18, samples - 1))
    track = Track()
    track.append(audio)
    for found in (prepare(audio), prepare(track)):
        assert found[:].dtype == np.float64
        np.testing.assert_allclose(found[:], expected, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(track[:], audio)


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
@pytest.mark.parametrize("samples", [1, 2, 1000, 30000])
def test_a_recording_is_taken_by_block(rate, samples):
    audio = np.random.default_rng(0).standard_normal((samples, 2)).astype(np.float32)
    blocks = (audio[i : i + 777].mean(axis=1) for i in range(0, samples, 777))
    recording = Recording.taken(blocks, rate)
    expected = resample(audio.mean(axis=1), rate, 16000)
    np.testing.assert_allclose(
        recording.audio[:], expected if len(expected) else [0], rtol=0, atol=1e-6
    )
    assert (recording.samples, recording.sample_rate) == (samples, rate)
    assert recording.length_at(48000) == round(samples * 48000 / rate)
