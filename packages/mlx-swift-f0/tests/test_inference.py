import mlx.core as mx
import numpy as np
import pytest
import soxr

import mlx_fastops as fastops
from mlx_swift_f0 import SwiftF0, SwiftF0Config, to_grid


def impulses(samples, low, high):
    """An impulse train whose logarithm of F0 rises evenly; impulses lie between samples too."""
    time = np.arange(samples) / 16000
    rate = np.log(high / low) / time[-1]
    turns = low * np.expm1(rate * time) / rate  # of the fundamental, since the beginning
    at = np.interp(np.arange(1, int(turns[-1])), turns, np.arange(samples))
    audio = np.zeros(samples + 1)
    place = at.astype(int)
    np.add.at(audio, place, 0.5 * (1 - (at - place)))
    np.add.at(audio, place + 1, 0.5 * (at - place))
    return audio[:samples].astype(np.float32)


@pytest.mark.parametrize("low", [80.0, 200.0])
def test_frames_lie_where_the_grid_says(model, low):
    """An octave a second, forwards and backwards: a shift of 1 ms parts the two by 2.4 cents."""
    audio = impulses(2 * 16000 + 1, low, 4 * low)
    forwards = model.infer_from_audio(audio)
    backwards = model.infer_from_audio(audio[::-1].copy())[::-1]
    both = (forwards > 0) & (backwards > 0)
    both[:10] = both[-10:] = False
    assert both.sum() > 150
    parted = 1200 * np.log2(backwards[both] / forwards[both])
    shift_ms = np.median(parted) / 2.4
    assert abs(shift_ms) < 1.0
    truth = low * 4 ** (np.arange(201) / 200)
    assert abs(np.median(1200 * np.log2(forwards[both] / truth[both]))) < 5


@pytest.mark.parametrize("hz", [60.0, 110.0, 220.0, 440.0, 880.0])
def test_a_tone_with_overtones_has_its_pitch(model, hz):
    time = np.arange(16000) / 16000
    partials = np.arange(1, min(9, int(7000 / hz)))
    audio = 0.1 * sum(np.sin(2 * np.pi * k * hz * time) / k for k in partials)
    found = model.infer_from_audio(audio)[20:-20]
    assert (found > 0).all()
    assert abs(np.median(1200 * np.log2(found / hz))) < 10


def test_noise_and_silence_are_unvoiced(model, noise):
    assert (model.infer_from_audio(noise(16000)) > 0).mean() < 0.1
    assert not model.infer_from_audio(np.zeros(16000, np.float32)).any()


def test_a_pitch_outside_the_band_is_unvoiced(model, glide):
    audio = glide(32000, 150.0, 600.0)
    curve = model.infer_from_audio(audio, f0_min=150, f0_max=300)
    assert (curve[10:90] > 0).all() and not curve[115:190].any()
    assert curve.max() < 300 * SwiftF0Config().class_ratio


def test_the_curve_is_the_models_frames_on_the_other_grid(model, glide, cents):
    audio = glide(20000, pauses=True)
    f0, confidence = model.native(audio, f0_min=50, f0_max=1100)
    for threshold in (0.5, 0.9):
        expected = to_grid(np.where(confidence >= threshold, f0, 0), 0, 126)
        assert cents(model.infer_from_audio(audio, threshold=threshold), expected) < 1e-3
        assert 0 < (expected > 0).sum() < 126


def test_a_threshold_of_zero_voices_every_frame(model, noise):
    assert (model.infer_from_audio(noise(4000), threshold=0) > 0).all()


@pytest.mark.parametrize("samples", [1, 2, 159, 160, 255, 256, 257, 511, 512, 1600, 4000])
def test_frame_counts_follow_the_length(model, noise, samples):
    found = model.infer_from_audio(noise(samples))
    assert found.shape == (samples // 160 + 1,) and found.dtype == np.float32
    f0, confidence = model.native(noise(samples))
    assert f0.shape == confidence.shape == (max(samples // 256, 1),)
    assert ((f0 >= 46.8) & (f0 <= 2094)).all() and ((confidence >= 0) & (confidence <= 1)).all()


def test_mlx_float64_and_half_arrays_are_taken(model, glide):
    audio = glide(4000).astype(np.float16)
    expected = model.infer_from_audio(audio.astype(np.float32))
    assert expected.any()
    for same in (audio, audio.astype(np.float64), mx.array(audio)):
        np.testing.assert_array_equal(model.infer_from_audio(same), expected)


def test_a_batch_is_its_clips_one_by_one(model, glide, noise, backend, cents, monkeypatch):
    batch = np.stack([glide(9000), glide(9000)[::-1], noise(9000)])
    singles = np.stack([model.infer_from_audio(clip) for clip in batch])
    assert (singles[:2] > 0).any(axis=1).all()
    assert cents(model.infer_from_audio(batch), singles) < 0.01
    monkeypatch.setattr("mlx_swift_f0.blocks.BLOCK_FRAMES", 70)  # two clips at a time
    assert cents(model.infer_from_audio(batch), singles) < 0.01
    one = model.native(batch[:1])
    assert one[0].shape == one[1].shape == (1, 35)


def test_sample_rate_is_honoured(model, glide, cents):
    audio = glide(44100)
    found = model.infer_from_audio(audio, sample_rate=44100)
    expected = model.infer_from_audio(soxr.resample(audio, 44100, 16000, quality="HQ"))
    assert found.shape == (101,) and (found > 0).mean() > 0.5
    assert cents(found, expected) < 0.01


@pytest.mark.parametrize("block_frames", [5, 16, 64])
def test_blocks_are_one_pass(model, glide, backend, cents, block_frames, monkeypatch):
    audio = glide(70 * 256 + 77, pauses=True)
    f0, confidence = model.native(audio)
    monkeypatch.setattr("mlx_swift_f0.blocks.BLOCK_FRAMES", block_frames)
    seen = []
    blocks, strengths = model.native(audio, progress=lambda *at: seen.append(at))
    assert cents(blocks, f0) < 0.01
    np.testing.assert_allclose(strengths, confidence, atol=1e-5)
    assert len(seen) == -(-70 // block_frames) and seen[-1] == (70, 70)


def test_the_halo_is_as_wide_as_the_network_sees(model):
    """A change of one frame reaches 7 to either side, and no further."""
    x = np.random.default_rng(0).normal(-3, 2, (1, 40, 128, 3)).astype(np.float32)
    changed = x.copy()
    changed[:, 20] += 3
    with fastops.use_backend("blas"):
        before, after = model.network(x), model.network(changed)
    reached = np.zeros(40, bool)
    for one, other in zip(before, after, strict=True):
        reached |= np.abs(one - other).reshape(40, -1).max(axis=1) > 1e-4
    assert np.abs(np.flatnonzero(reached) - 20).max() == model.config.halo_frames == 7


def test_the_reach_is_the_originals():
    config = SwiftF0Config()
    assert (config.reach, config.lookahead_frames, config.n_classes) == (2816, 10, 95)


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        (np.zeros(0, np.float32), "no samples"),
        (np.zeros((2, 0), np.float32), "no samples"),
        (np.array([0, np.nan, 0], np.float32), "NaN or infinite"),
        (np.array([0, np.inf, -np.inf], np.float32), "NaN or infinite"),
        (np.zeros(400, np.int16), "type int16; expected floats"),
        (np.zeros((1, 2, 400), np.float32), r"shape \(1, 2, 400\)"),
        (np.float32(0), r"shape \(\)"),
        (np.zeros((400, 2), np.float32), "mix channels to mono"),
    ],
)
def test_what_is_no_audio_is_refused(model, audio, message):
    for method in (model.infer_from_audio, model.native):
        with pytest.raises(ValueError, match=message):
            method(audio)


@pytest.mark.parametrize("rate", [0, -16000, float("nan"), float("inf")])
def test_an_impossible_rate_is_refused(model, noise, rate):
    with pytest.raises(ValueError, match="sample rate"):
        model.infer_from_audio(noise(400), sample_rate=rate)


def test_impossible_options_are_refused_before_any_work(model, noise, monkeypatch):
    monkeypatch.setattr(SwiftF0, "_frames", None)
    audio = noise(400)
    ways = (
        lambda **options: model.infer_from_audio(audio, **options),
        lambda **options: model.infer_from_reader(lambda a, b: audio[a:b], 400, **options),
        model.stream,
    )
    for way in ways:
        with pytest.raises(ValueError, match="threshold"):
            way(threshold=2)
        with pytest.raises(ValueError, match="within 300 to 200 Hz"):
            way(f0_min=300, f0_max=200)


def test_warmup_runs_the_network_once(model, backend, monkeypatch):
    seen = []
    call = type(model.network).__call__
    monkeypatch.setattr(
        type(model.network), "__call__", lambda *a: (seen.append(a[1].shape), call(*a))[1]
    )
    assert model.warmup() is None
    assert seen == [(1, 62, 128, 3)]
