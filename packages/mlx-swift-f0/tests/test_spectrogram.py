"""The front end against its definition, written out as sums."""

import numpy as np
import pytest

from mlx_recording import Recording
from mlx_swift_f0 import Spectrogram, SwiftF0Config
from mlx_swift_f0.spectrogram import Filterbank


def one_frame(audio, bank, size, t):
    """A frame of one window, by the definition: a sum over sines and cosines."""
    at = 256 * t + np.arange(size) - size // 2
    inside = (at >= 0) & (at < len(audio))
    heard = np.where(inside, audio[np.clip(at, 0, len(audio) - 1)], 0.0)
    heard = heard * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size))
    turns = np.exp(-2j * np.pi * np.outer(np.arange(size // 2 + 1), np.arange(size)) / size)
    return np.log(np.abs(turns @ heard) @ bank + 1e-8)


@pytest.mark.parametrize("t", [0, 1, 3, 11, 12])
def test_frames_are_the_definition(model, noise, t):
    audio = noise(13 * 256 + 99)
    found, peaks = model.spectrogram(Recording.of(audio[None]), t, t + 1)
    assert found.shape == (1, 1, 128, 3) and found.dtype == np.float32
    for i, size in enumerate(model.config.windows):
        bank = model.spectrogram.banks[i].dense(size // 2 + 1, 128)
        np.testing.assert_allclose(
            found[0, 0, :, i], one_frame(audio.astype(float), bank, size, t), atol=1e-6
        )
    assert peaks == np.abs(audio[256 * t : 256 * t + 256]).max()


def test_a_stretch_is_its_part_of_the_whole(model, noise):
    recording = Recording.of(noise(2, 40 * 256 + 7))
    whole, peaks = model.spectrogram(recording, 0, 40)
    for first, last in ((0, 1), (0, 7), (5, 30), (33, 40)):
        part, part_peaks = model.spectrogram(recording, first, last)
        np.testing.assert_allclose(part, whole[:, first:last], atol=1e-6)
        np.testing.assert_array_equal(part_peaks, peaks[:, first:last])


def test_the_last_partial_hop_is_heard(model, noise):
    audio = noise(10 * 256 + 200)
    known, _ = model.spectrogram(Recording.of(audio[None]), 0, 10)
    cut, _ = model.spectrogram(Recording.of(audio[None, : 10 * 256]), 0, 10)
    assert np.abs(known[:, -1] - cut[:, -1]).max() > 0.1
    np.testing.assert_allclose(known[:, :6], cut[:, :6], atol=1e-6)


@pytest.mark.parametrize(
    ("places", "values", "message"),
    [
        ([0, 1], [1.0], "expected integers and floats"),
        ([0.0], [1.0], "expected integers and floats"),
        ([257 * 128], [1.0], "places from 32896 to 32896; expected 0 to 32895"),
        ([-1], [1.0], "places from -1"),
    ],
)
def test_a_filterbank_that_does_not_fit_is_named(places, values, message):
    config = SwiftF0Config(windows=(512,))
    bank = Filterbank(np.array(places), np.array(values, np.float32))
    with pytest.raises(ValueError, match=f"filterbank 0 has .*{message}|filterbank 0.*{message}"):
        Spectrogram(config, [bank])
    with pytest.raises(ValueError, match="0 filterbanks are given; expected 1"):
        Spectrogram(config, [])
