"""Formants move by the ratio; F0, loudness and length stay."""

import numpy as np
import pytest
from scipy.signal import lfilter, welch

from mlx_rvc.formant import shift_formants
from mlx_rvc.track import Track

RATE = 16000
FORMANTS = (650, 1220, 2600)  # Hz


def glide(middle):
    """F0 that sweeps over its neighbourhood, so that harmonics show all of the envelope."""
    return middle * 2 ** (0.35 * np.sin(2 * np.pi * np.arange(3 * RATE) / RATE / 1.5))


def vowel(f0_hz):
    phase = np.cumsum(f0_hz / RATE)
    audio = sum(
        np.where(k * f0_hz < 7600, np.cos(2 * np.pi * k * phase) / k, 0)
        for k in range(1, int(7600 / f0_hz.min()))
    )
    for frequency, width in zip(FORMANTS, (90, 100, 160), strict=True):
        radius = np.exp(-np.pi * width / RATE)
        pole = 2 * radius * np.cos(2 * np.pi * frequency / RATE)
        audio = lfilter([1], [1, -pole, radius**2], audio)
    return (0.1 * audio / audio.std()).astype(np.float32)


def peak(audio, expected):
    """Frequency in Hz of the envelope's peak within four semitones of the expected one."""
    hertz, power = welch(audio, RATE, nperseg=4096)
    level = 10 * np.log10(power[1:] * hertz[1:] ** 2)  # the source falls by 6 dB an octave
    level = np.convolve(level, np.hanning(33) / 16, "same")
    near = np.abs(np.log2(hertz[1:] / expected)) < 1 / 3
    return hertz[1:][near][level[near].argmax()]


@pytest.mark.parametrize("semitones", [-6, -3, 3, 6])
def test_formants_move_by_the_ratio(semitones):
    f0 = glide(100)
    audio = vowel(f0)
    moved = shift_formants(audio, RATE, semitones, f0[:: RATE // 100])
    ratio = 2 ** (semitones / 12)
    for formant in FORMANTS:
        shift = 12 * np.log2(peak(moved, formant * ratio) / peak(audio, formant))
        assert shift == pytest.approx(semitones, abs=1.0)
    assert 20 * np.log10(moved.std() / audio.std()) == pytest.approx(0, abs=0.5)
    assert len(moved) == len(audio) and moved.dtype == np.float32


@pytest.mark.parametrize("f0_hz", [90, 230, 420])
@pytest.mark.parametrize("semitones", [-8, 5])
def test_f0_stays(f0_hz, semitones):
    audio = vowel(np.full(2 * RATE, float(f0_hz)))
    moved = shift_formants(audio, RATE, semitones, np.full(200, f0_hz))
    inside = slice(RATE // 2, RATE // 2 + RATE)
    # Each harmonic is where it was: the sound repeats with the same period to the sample's part.
    for k in (1, 2, 3):
        window = moved[inside] * np.hanning(RATE)
        offsets = np.linspace(-1, 1, 81) * k  # Hz
        near = [
            abs(np.sum(window * np.exp(-2j * np.pi * (k * f0_hz + d) * np.arange(RATE) / RATE)))
            for d in offsets
        ]
        found = k * f0_hz + offsets[int(np.argmax(near))]
        assert abs(1200 * np.log2(found / (k * f0_hz))) < 5


def test_blocks_and_files_change_nothing(monkeypatch):
    audio = vowel(glide(140))[: 2 * RATE + 77]
    whole = shift_formants(audio, RATE, 4)
    monkeypatch.setattr("mlx_rvc.formant._BLOCK_FRAMES", 7)
    track = Track()
    track.append(audio)
    np.testing.assert_allclose(shift_formants(track, RATE, 4)[:], whole, atol=1e-6)


@pytest.mark.parametrize("samples", [1, 100, 5000])
def test_short_audio_and_silence(samples):
    assert not shift_formants(np.zeros(samples, np.float32), RATE, 5).any()
    noise = 0.1 * np.random.default_rng(0).standard_normal(samples).astype(np.float32)
    moved = shift_formants(noise, RATE, -5)
    assert moved.shape == noise.shape and np.isfinite(moved).all()


def test_no_shift_gives_the_audio_back():
    audio = vowel(glide(140))
    np.testing.assert_allclose(shift_formants(audio, RATE, 0), audio, atol=1e-5)
