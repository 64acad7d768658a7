"""The stereo field: measured on one recording, given to another, of another rate."""

import numpy as np
import pytest

from mlx_rvc.stereo import Field, FieldMeter, Placed, gains, measured, place

RATE = 16000


def voice(seconds=2.0, rate=RATE, seed=0):
    """Noise in syllables."""
    t = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(seed).standard_normal(len(t))
    return 0.2 * noise * np.maximum(np.sin(2 * np.pi * 3 * t), 0)


def panned(mono, left, right):
    return np.stack([left * mono, right * mono], axis=1)


def field_of(audio, rate=RATE, block=1234):
    meter = FieldMeter(rate)
    for start in range(0, len(audio), block):
        meter.add(audio[start : start + block])
    return meter.field()


def put_back(original, converted, rate=RATE, out_rate=RATE):
    return Placed(converted, out_rate, field_of(original, rate))[:]


def rms(audio):
    return np.sqrt(np.mean(np.square(audio, dtype=np.float64), axis=0))


@pytest.mark.parametrize(("left", "right"), [(1, 0), (0, 1), (1, 1), (0.8, 0.2), (0.3, 0.9)])
@pytest.mark.parametrize("out_rate", [16000, 40000])
def test_a_panned_voice_comes_back_where_it_was_and_as_loud(left, right, out_rate):
    """The conversion is as loud as the mix of the original; then each channel is as it was."""
    mono = voice()
    mix = mono * (left + right) / 2
    converted = np.float32(np.repeat(mix, out_rate // RATE)[: 2 * out_rate])
    original = panned(mono, left, right)
    found = put_back(original, converted, out_rate=out_rate)
    assert found.shape == (len(converted), 2) and found.dtype == np.float32
    np.testing.assert_allclose(
        found, panned(converted, 2 * left / (left + right), 2 * right / (left + right)), atol=1e-6
    )
    np.testing.assert_allclose(rms(found), rms(original), atol=1e-3)


def test_the_mix_of_the_result_is_the_converted_voice():
    rng = np.random.default_rng(1)
    original = rng.standard_normal((30000, 2)) * np.linspace([1, 0], [0, 1], 30000)
    converted = voice(1.5, 20000, seed=2).astype(np.float32)
    found = put_back(original, converted, out_rate=16000)
    np.testing.assert_allclose(found.mean(axis=1), converted, atol=1e-6)


def test_a_voice_that_moves_is_followed():
    mono = voice(4.0)
    original = np.concatenate([panned(mono[:32000], 1, 0), panned(mono[32000:], 0, 1)])
    found = put_back(original, np.ones(64000, np.float32))
    np.testing.assert_allclose(found[: 32000 - 4800], [[2, 0]] * (32000 - 4800), atol=1e-6)
    np.testing.assert_allclose(found[32000 + 4800 :], [[0, 2]] * (32000 - 4800), atol=1e-6)
    assert np.abs(np.diff(found, axis=0)).max() < 0.002  # no click where it moves


@pytest.mark.parametrize("silence", [0.0, 1e-5])
def test_a_pause_glides_between_the_words_around_it(silence):
    mono = voice(1.0)
    quiet = silence * np.random.default_rng(3).standard_normal((3200, 2))
    original = np.concatenate([panned(mono, 1, 0), quiet, panned(mono, 1, 0)])
    found = put_back(original, np.ones(len(original), np.float32))
    np.testing.assert_allclose(found, [[2, 0]] * len(found), atol=0.01)


def test_long_silence_within_goes_from_one_place_to_the_next():
    mono = voice(1.0)
    original = np.concatenate([panned(mono, 1, 0), np.zeros((32000, 2)), panned(mono, 0, 1)])
    left = put_back(original, np.ones(len(original), np.float32))[16000:48000, 0]
    assert (np.diff(left) <= 1e-6).all() and left[0] > 1.8 and left[-1] < 0.2
    assert left[16000] == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("frames", [1, 319, 320, 5000])
def test_silence_is_in_the_centre(frames):
    found = put_back(np.zeros((frames, 2)), np.ones(frames, np.float32))
    np.testing.assert_array_equal(found, np.ones((frames, 2)))


def test_channels_that_cancel_in_the_mix_give_no_gain_beyond_two():
    found = field_of(panned(voice(), 1, -0.999)).gains
    assert found.max() <= 2 and found.min() >= 0
    np.testing.assert_allclose(found.mean(axis=1), 1)


@pytest.mark.parametrize("block", [1, 7, 319, 320, 5000, 10**6])
def test_blocks_of_any_size_give_the_same_field(block):
    original = panned(voice(0.2, 22050), 0.7, 0.4) + panned(voice(0.2, 22050, 5), 0.1, 0.9)
    whole = field_of(original, 22050, 10**6)
    found = field_of(original, 22050, block)
    np.testing.assert_allclose(found.gains, whole.gains, atol=1e-9)
    assert found.frame_s == whole.frame_s == pytest.approx(0.02, abs=1e-4)


def test_slices_are_parts_of_the_whole(monkeypatch):
    monkeypatch.setattr("mlx_rvc.track.BLOCK", 700)
    field = Field(np.random.default_rng(0).uniform(0, 2, (50, 2)), 0.02)
    audio = voice(1.0).astype(np.float32)
    placed = Placed(audio, RATE, field)
    whole = place(audio, 0, RATE, field)
    assert len(placed) == 16000 and placed.channels == 2
    np.testing.assert_array_equal(placed[:], whole)
    np.testing.assert_array_equal(placed[3:5000], whole[3:5000])
    np.testing.assert_array_equal(placed[15999:99999], whole[15999:])
    assert placed[10:10].shape == (0, 2)


def test_the_gains_of_a_frame_hold_in_its_middle():
    field = Field(np.array([[2.0, 0.0], [0.0, 2.0]]), 0.02)
    found = field.at(np.array([0.0, 0.01, 0.02, 0.03, 9.0]))
    np.testing.assert_allclose(found, [[2, 0], [2, 0], [1, 1], [0, 2], [0, 2]])


def test_gains_of_frames_are_shares_of_the_level():
    found = gains(np.tile([9.0, 1.0], (100, 1)), 0.02)
    np.testing.assert_allclose(found, np.tile([1.5, 0.5], (100, 1)))


def test_measured_passes_blocks_on_as_they_are():
    blocks = [np.ones((10, 2)), np.zeros((5, 2))]
    passed = list(measured(iter(blocks), FieldMeter(RATE)))
    assert all(a is b for a, b in zip(passed, blocks, strict=True))
