import numpy as np
import pytest

from mlx_recording import Recording, check_stretch, prepare


def test_one_clip_and_a_batch():
    audio = np.zeros(100, np.float32)
    clips, single = prepare(audio, 16000, 16000)
    assert clips.shape == (1, 100) and single and np.shares_memory(clips, audio)
    clips, single = prepare(np.zeros((3, 100)), 16000, 16000)
    assert clips.shape == (3, 100) and not single and clips.dtype == np.float32


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000, 192000])
@pytest.mark.parametrize("samples", [1, 2, 441, 1000, 48001])
def test_another_rate_has_the_rounded_length_and_the_same_sound(rate, samples):
    audio = np.sin(2 * np.pi * 220 * np.arange(samples) / rate)
    for dtype in (np.float32, np.float64):
        clips, _ = prepare(audio, rate, 16000, dtype)
        assert clips.shape == (1, max(round(samples * 16000 / rate), 1)) and clips.dtype == dtype
    if samples == 48001:
        inner = slice(500, clips.shape[1] - 500)
        expected = np.sin(2 * np.pi * 220 * np.arange(clips.shape[1]) / 16000)
        assert np.abs(clips[0] - expected)[inner].max() < 1e-3


@pytest.mark.parametrize(
    ("audio", "rate", "words"),
    [
        (np.zeros(10, np.int16), 16000, "type int16; expected floats"),
        (np.zeros((2, 3, 4)), 16000, r"shape \(2, 3, 4\); expected mono"),
        (np.zeros((100, 2)), 16000, "100 clips of 2 samples; mix channels"),
        (np.zeros(10), 0, "sample rate is 0 Hz"),
        (np.zeros(10), float("nan"), "sample rate is nan Hz"),
        (np.zeros(0), 16000, "no samples"),
        (np.array([0, np.nan]), 16000, "NaN or infinite"),
        (np.array([np.inf, -np.inf]), 16000, "NaN or infinite"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(audio, rate, words):
    with pytest.raises(ValueError, match=words) as error:
        prepare(audio, rate, 16000)
    assert "\n" not in str(error.value)


def test_a_recording_is_read_a_stretch_at_a_time():
    audio = np.arange(10) / 10
    recording = Recording.checked(lambda start, stop: audio[start:stop], 10)
    assert (recording.batch, recording.samples) == (1, 10)
    assert recording.read(2, 5).tolist() == [audio[2:5].astype(np.float32).tolist()]
    assert recording.read(2, 5).dtype == np.float32
    assert Recording.checked(lambda start, stop: audio[start:stop], 10, np.float64).read(
        0, 10
    ).tolist() == [audio.tolist()]
    in_memory = Recording.of(np.stack([audio, -audio]))
    assert (in_memory.batch, in_memory.samples) == (2, 10)
    assert in_memory.read(9, 10).tolist() == [[0.9], [-0.9]]


@pytest.mark.parametrize(
    ("stretch", "words"),
    [
        (np.zeros(3), r"samples 0 to 4 were read as float64 of shape \(3,\)"),
        (np.zeros(4, np.int32), "read as int32"),
        (np.array([0, 0, np.nan, 0]), "NaN or infinite"),
    ],
)
def test_a_bad_stretch_is_named(stretch, words):
    with pytest.raises(ValueError, match=words):
        Recording.checked(lambda start, stop: stretch, 4).read(0, 4)


def test_a_recording_has_samples():
    with pytest.raises(ValueError, match="has 0 samples; expected at least one"):
        Recording.checked(lambda start, stop: np.zeros(0), 0)


def test_a_stream_goes_on_with_mono_floats():
    assert check_stretch(np.zeros(0), 16000).dtype == np.float32
    for samples, words in (
        (np.zeros(3, np.int16), "int16 of shape (3,); expected mono floats (n,) at 16 kHz"),
        (np.zeros((2, 3)), "shape (2, 3)"),
        (np.full(3, np.nan), "NaN or infinite"),
    ):
        with pytest.raises(ValueError) as error:
            check_stretch(samples, 16000)
        assert words in str(error.value)
