"""What the judges' words, curves and spectra are turned into; the judges need an environment."""

from dataclasses import asdict

import numpy as np
import pytest
from listening.melody import Curve, Melody, auto_pitch
from listening.speaker import centre, within
from listening.spectrum import log_spectral_distance, mel_cepstral_distortion
from listening.words import Mistakes, distance, normalise

RATE = 16000


def test_words_and_characters_are_counted():
    assert normalise("Mr. Dash-wood’s “leisure”!") == "mister dash wood's leisure"
    assert [distance("kitten", "sitting"), distance("abc", ""), distance([], "ab")] == [3, 3, 2]
    found = Mistakes.of("He was not an ill-disposed man.", "he was an ill the exposed man")
    assert asdict(found) == {
        "wrong_words": 3, "words": 7, "wrong_characters": 10, "characters": 30,
    }  # fmt: skip
    with pytest.raises(ValueError, match="at least one word"):
        Mistakes.of("...", "something")


def curve(*f0_hz, voiced=None):
    f0_hz = np.array(f0_hz, dtype=float)
    return Curve(f0_hz, f0_hz > 0 if voiced is None else np.array(voiced, dtype=bool))


def test_a_melody_is_compared_frame_by_frame():
    """An octave, a quarter tone and more, a lost and an invented note, and the buzz of the frames."""
    wanted = curve(200, 200, 210, 220, 300, 0, 0, 150)
    near, far = 210 * 2 ** (49 / 1200), 220 * 2 ** (51 / 1200)
    found = Melody.of(wanted, curve(200, 100, near, far, 0, 0, 180, 101))
    assert found.accuracy == pytest.approx(2 / 6)
    assert found.voiced_accuracy == pytest.approx(2 / 5)
    assert (found.missed, found.added) == (pytest.approx(1 / 6), pytest.approx(1 / 2))
    assert found.voicing_error == pytest.approx(2 / 8)
    assert found.buzz == pytest.approx(2 / 5)


def test_a_guess_where_the_voice_is_called_unvoiced_counts_for_the_pitch_only():
    wanted = curve(200, 300, 250)
    found = Melody.of(wanted, curve(200, 300, 250, voiced=[1, 1, 0]))
    assert (found.accuracy, found.missed) == (1, pytest.approx(1 / 3))


def test_a_shifted_melody_is_right_and_a_flat_one_has_no_correlation():
    source = curve(*(200 + 30 * np.sin(np.arange(50))))
    shifted = curve(*(source.f0_hz * 2 ** (-5 / 12)))
    found = Melody.of(source.shifted(-5), shifted)
    assert (found.accuracy, found.voicing_error) == (1, 0)
    assert found.correlation == pytest.approx(1)
    assert np.isnan(Melody.of(source, curve(*[100.0] * 50)).correlation)
    with pytest.raises(ValueError, match="no voiced frame"):
        curve(0, 0).median_hz()


def test_pitch_is_chosen_by_semitones_for_speech_and_by_octaves_for_singing():
    assert auto_pitch(95.4, 169.1, singing=False) == 10
    assert auto_pitch(95.4, 101.1, singing=False) == 1
    assert [auto_pitch(hz, 169.1, singing=True) for hz in (124, 243, 480)] == [12, 0, -12]


def test_a_speaker_is_measured_against_its_other_recordings():
    a, b = np.array([1.0, 0]), np.array([0, 1.0])
    assert within([a, a, b]) == pytest.approx([np.sqrt(0.5), np.sqrt(0.5), 0])
    assert np.linalg.norm(centre([a, b])) == pytest.approx(1)
    with pytest.raises(ValueError, match="at least 2"):
        within([a])


def noise(seed, seconds=1.0):
    return np.random.default_rng(seed).standard_normal(round(seconds * RATE)).astype(np.float32)


def test_spectral_distances_of_known_signals():
    signal = 0.1 * noise(0)
    assert mel_cepstral_distortion(signal, signal) == log_spectral_distance(signal, signal) == 0
    # Twice as loud: 6.02 dB in each bin; the cepstrum does not see loudness.
    assert log_spectral_distance(signal, 2 * signal) == pytest.approx(20 * np.log10(2), abs=1e-5)
    assert mel_cepstral_distortion(signal, 2 * signal) == pytest.approx(0, abs=1e-5)
    assert log_spectral_distance(signal, noise(1)) > 5


def test_mel_cepstral_distortion_is_the_rms_of_the_spectral_envelope_in_decibels():
    """A filter that adds 6 dB times a cosine over the mel scale: its RMS is 6 / sqrt(2) dB."""
    signal = noise(0, 3)
    spectrum = np.fft.rfft(signal)
    hz = np.fft.rfftfreq(len(signal), 1 / RATE)
    mel = 2595 * np.log10(1 + hz / 700)
    decibels = 6 * np.cos(2 * np.pi * mel / mel[-1])  # coefficient 2 of the cepstrum
    filtered = np.fft.irfft(spectrum * 10 ** (decibels / 20), len(signal))
    assert mel_cepstral_distortion(signal, filtered) == pytest.approx(6 / np.sqrt(2), rel=0.05)


def test_what_is_too_soft_to_hear_makes_no_distance():
    signal = noise(0)
    silence = np.where(np.arange(len(signal)) < RATE // 2, signal, 0)
    assert log_spectral_distance(silence, silence + 1e-7 * noise(1)) < 1e-3
    with pytest.raises(ValueError, match="at least 512"):
        log_spectral_distance(signal[:100], signal)
