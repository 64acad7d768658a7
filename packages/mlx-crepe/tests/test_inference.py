"""Audio to F0: the original's curve, the grid, the ways to give audio, what is refused."""

import numpy as np
import pytest

import mlx_fastops as fastops
from mlx_crepe import DECODERS
from mlx_crepe import crepe as module


def tone(samples, f0_hz, rate=16000):
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(f0_hz, samples)) / rate
    return (0.2 * sum(np.sin(k * phase) / k for k in range(1, 6))).astype(np.float32)


def noise(samples, seed=0):
    return (0.1 * np.random.default_rng(seed).standard_normal(samples)).astype(np.float32)


def cents(found, expected):
    return 1200 * np.log2(found / expected)


@pytest.mark.parametrize(
    ("decoder", "backend"), [*((decoder, "blas") for decoder in DECODERS), ("viterbi", "mlx")]
)
def test_a_sound_gives_the_originals_curve(tiny, golden, backend, decoder):
    expected = golden["tiny"]
    audio = expected["audio"].astype(np.float32) / 32768
    with fastops.use_backend(backend):  # what is decoded is the same for both: one is enough
        f0, strength = tiny.infer_from_audio(audio, decoder=decoder, with_periodicity=True)
    wanted = expected[f"{decoder}/f0"]
    voiced = wanted > 0
    assert f0.dtype == np.float32 and f0.shape == (201,) and voiced.sum() > 100
    np.testing.assert_array_equal(f0 > 0, voiced)
    np.testing.assert_allclose(strength, expected[f"{decoder}/strength"], atol=1e-5)
    assert np.abs(cents(f0[voiced], wanted[voiced])).max() < 0.1


def test_a_step_of_the_tone_lies_on_its_frame(tiny):
    audio = tone(16000, np.where(np.arange(16000) < 8000, 220.0, 330.0))
    f0 = tiny.infer_from_audio(audio)
    assert f0.shape == (101,)
    assert np.abs(cents(f0[5:47], 220)).max() < 30
    assert np.abs(cents(f0[54:96], 330)).max() < 30
    step = np.flatnonzero(f0[47:54] > np.sqrt(220 * 330))[0] + 47
    assert abs(step - 50) <= 2


def test_ten_hops_of_silence_move_the_curve_by_ten_frames(tiny):
    audio = tone(8000, np.linspace(150, 300, 8000))
    later = np.concatenate([np.zeros(1600, np.float32), audio])
    f0 = tiny.infer_from_audio(audio, 16000, 0, decoder="weighted_argmax")
    moved = tiny.infer_from_audio(later, 16000, 0, decoder="weighted_argmax")
    np.testing.assert_allclose(moved[12:], f0[2:], rtol=1e-5)


@pytest.mark.parametrize("samples", [1, 159, 160, 161, 1023])
def test_short_recordings_have_their_frames(toy, samples):
    f0, strength = toy.infer_from_audio(noise(samples), with_periodicity=True)
    assert f0.shape == strength.shape == (samples // 160 + 1,)
    assert np.isfinite(f0).all()


def test_blocks_change_nothing_without_viterbi(tiny, monkeypatch):
    audio = noise(16000)
    whole = tiny.infer_from_audio(audio, 16000, 0, decoder="weighted_argmax")
    monkeypatch.setattr(module, "BLOCK", 7)
    parts = tiny.infer_from_audio(audio, 16000, 0, decoder="weighted_argmax")
    np.testing.assert_allclose(parts, whole, rtol=1e-5)


@pytest.mark.parametrize("samples", [1, 161, 513 * 160 + 77])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_reader_gives_the_same_bits(toy, samples, dtype):
    audio = noise(samples).astype(dtype)
    asked = []

    def read(start, stop):
        assert 0 <= start < stop <= samples
        asked.append(stop - start)
        return audio[start:stop]

    found = toy.infer_from_reader(read, samples, 0.3, with_periodicity=True)
    expected = toy.infer_from_audio(audio, 16000, 0.3, with_periodicity=True)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert max(asked) <= 83_000


def test_a_batch_is_its_clips(toy):
    clips = np.stack([noise(3000, 1), noise(3000, 2)])
    f0, strength = toy.infer_from_audio(clips, with_periodicity=True)
    assert f0.shape == strength.shape == (2, 19)
    for row in range(2):
        one = toy.infer_from_audio(clips[row], with_periodicity=True)
        np.testing.assert_array_equal(f0[row], one[0])
        np.testing.assert_array_equal(strength[row], one[1])
    assert (f0[0] != f0[1]).any() or (strength[0] != strength[1]).any()


def test_another_rate_is_resampled(tiny):
    f0 = tiny.infer_from_audio(tone(22050, 220.0, rate=44100), 44100)
    assert f0.shape == (51,)
    assert np.abs(cents(f0[5:46], 220)).max() < 30


def test_threshold_and_range(tiny):
    audio = tone(8000, 220.0)
    assert (tiny.infer_from_audio(audio, threshold=1) == 0).all()
    assert (tiny.infer_from_audio(audio, threshold=0) > 0).all()
    # The classes that hold the ends of the range belong to it: 20 cents.
    for low, high in ((50, 150), (300, 1100)):
        f0 = tiny.infer_from_audio(audio, threshold=0, f0_min=low, f0_max=high)
        assert (f0 >= low * 0.988).all() and (f0 <= high * 1.012).all()


def test_progress_ends_with_all_frames(toy, monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 8)
    told = []
    toy.infer_from_audio(noise(19 * 160), progress=lambda done, total: told.append((done, total)))
    assert told == [(8, 20), (16, 20), (20, 20)]


def test_warmup_needs_nothing(toy):
    assert toy.warmup() is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"audio": np.zeros(0, np.float32)}, "no samples"),
        ({"audio": np.zeros(400, np.int16)}, "int16; expected floats"),
        ({"audio": np.full(400, np.nan)}, "NaN or infinite"),
        ({"audio": np.zeros((2, 2, 400))}, r"mono \(n,\) or a batch"),
        ({"audio": np.zeros((400, 2))}, "mix channels"),
        ({"sample_rate": 0}, "0 Hz; expected a positive"),
        ({"threshold": 1.5}, "1.5; expected a number from 0 to 1"),
        ({"threshold": np.nan}, "expected a number from 0 to 1"),
        ({"decoder": "best"}, "'best'; expected one of argmax, viterbi"),
        ({"f0_min": 500, "f0_max": 400}, "expected 0 < f0_min < f0_max"),
    ],
)
def test_bad_input_is_one_line(toy, arguments, message):
    with pytest.raises(ValueError, match=message) as caught:
        toy.infer_from_audio(**{"audio": np.zeros(400), **arguments})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("samples", "read", "message"),
    [
        (0, None, "0 samples"),
        (400, lambda start, stop: np.zeros(stop - start - 1), "expected floats of shape"),
        (400, lambda start, stop: np.zeros((1, stop - start)), "expected floats of shape"),
        (400, lambda start, stop: np.zeros(stop - start, np.int16), "int16"),
        (400, lambda start, stop: np.full(stop - start, np.inf), "NaN or infinite"),
    ],
)
def test_what_is_read_and_no_audio_is_refused(toy, samples, read, message):
    with pytest.raises(ValueError, match=message):
        toy.infer_from_reader(read, samples)
