import mlx.core as mx
import numpy as np
import pytest
import soxr

import mlx_fastops as fastops
from mlx_rmvpe import RMVPE, decode
from mlx_rmvpe.blocks import salience_blocks


def noise(*shape, seed=0):
    return (0.1 * np.random.default_rng(seed).standard_normal(shape)).astype(np.float32)


def cents(found, expected):
    np.testing.assert_array_equal(found > 0, expected > 0)
    voiced = expected > 0
    return np.abs(1200 * np.log2(found[voiced] / expected[voiced])).max(initial=0)


@pytest.mark.parametrize("threshold", [0.03, 0.9])
def test_f0_from_audio_is_the_references(toy, golden, threshold, backend):
    expected = golden["network"][f"f0/{threshold}"]
    found = toy.infer_from_audio(golden["network"]["audio"], threshold=threshold)
    assert found.dtype == np.float32 and found.shape == (22,)
    assert cents(found, expected) < 0.1
    assert (expected > 0).any() and ((expected == 0).any() or threshold < 0.1)


def test_salience_is_what_f0_is_decoded_from(toy, golden):
    audio = golden["network"]["audio"]
    salience = toy.salience(audio)
    np.testing.assert_allclose(salience, golden["network"]["stage/salience"][0], atol=1e-5)
    np.testing.assert_array_equal(toy.infer_from_audio(audio), decode(salience))


@pytest.mark.parametrize("frames", [1, 2, 3, 4, 31, 33, 50])
def test_frame_count_follows_the_length(toy, frames):
    for samples in (160 * (frames - 1) or 1, 160 * frames - 1):
        assert toy.infer_from_audio(noise(samples)).shape == (frames,)


def test_audio_shorter_than_the_window_works(toy):
    """Half a window is reflected at each end, from as little as one sample."""
    for samples in (1, 2, 100, 511, 800):
        found = toy.salience(noise(samples))
        assert found.shape == (samples // 160 + 1, 72) and np.isfinite(found).all()


def test_mlx_float64_and_half_arrays_are_taken(toy):
    audio = noise(2000).astype(np.float16)
    expected = toy.infer_from_audio(audio.astype(np.float32))
    for same in (audio, audio.astype(np.float64), mx.array(audio)):
        np.testing.assert_array_equal(toy.infer_from_audio(same), expected)


def test_a_batch_is_its_clips_one_by_one(toy, backend, monkeypatch):
    batch = noise(3, 3000)
    singles = [toy.salience(clip) for clip in batch]
    np.testing.assert_allclose(toy.salience(batch), singles, atol=1e-6)
    assert toy.infer_from_audio(batch).shape == (3, 19)
    monkeypatch.setattr("mlx_rmvpe.rmvpe.BLOCK_FRAMES", 40)  # two clips at a time
    np.testing.assert_allclose(toy.salience(batch), singles, atol=1e-6)


def test_sample_rate_is_honoured(toy):
    """44.1 kHz audio gives what the same audio gives after resampling, at 100 frames a second."""
    audio = noise(44100)
    at_16k = soxr.resample(audio, 44100, 16000, quality="HQ")
    found = toy.salience(audio, sample_rate=44100)
    assert found.shape == (101, 72)
    np.testing.assert_allclose(found, toy.salience(at_16k), atol=1e-6)
    assert np.abs(found - toy.salience(audio)[:101]).max() > 1e-2


@pytest.mark.parametrize(("samples", "rate"), [(1, 48000), (7, 44100), (4801, 48000), (333, 8000)])
def test_resampled_length_is_rounded(toy, samples, rate):
    expected = max(round(samples * 16000 / rate), 1) // 160 + 1
    assert toy.infer_from_audio(noise(2, samples), sample_rate=rate).shape == (2, expected)


@pytest.mark.parametrize("block_frames", [4, 8, 100])
def test_blocks_are_one_pass(toy, backend, block_frames):
    """The halo covers all that the U-Net sees, and the GRU's states cross the borders."""
    audio = noise(1, 160 * 402)
    [(start, whole)] = salience_blocks(toy.network, audio, block_frames=10**6)
    assert start == 0 and whole.shape == (1, 403, 72)
    seen = []
    blocks = list(
        salience_blocks(
            toy.network,
            audio,
            block_frames=block_frames,
            progress=lambda done, total: seen.append((done, total)),
        )
    )
    assert len(blocks) == -(-404 // (block_frames // 4 * 4)) == len(seen)
    assert seen[-1] == (403, 403)
    assert [start for start, _ in blocks] == sorted((s for s, _ in blocks), reverse=True)
    joined = np.concatenate([block for _, block in blocks[::-1]], axis=1)
    assert joined.shape == whole.shape
    assert np.abs(joined - whole).max() < 2e-6
    assert cents(decode(joined), decode(whole)) < 0.5


def test_the_halo_is_as_wide_as_the_unet_sees(toy):
    """A change of one frame reaches this far, and hardly less: the halo is not a guess."""
    config = toy.config
    frames = 4 * config.halo_frames
    mel = np.random.default_rng(0).standard_normal((1, frames, 16)).astype(np.float32)
    changed = mel.copy()
    changed[:, frames // 2] += 100
    with fastops.use_backend("blas"):
        difference = toy.network.features(changed) - toy.network.features(mel)
    reached = np.abs(difference).max(axis=(0, 2)) > 0
    distance = np.abs(np.flatnonzero(reached) - frames // 2).max()
    assert config.halo_frames // 2 < distance <= config.halo_frames


def test_the_published_network_sees_16_seconds():
    from mlx_rmvpe import RMVPEConfig

    config = RMVPEConfig()
    assert (config.halo_frames, config.frame_multiple) == (1600, 32)
    assert config.decoder_halo_frames == 320


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
def test_what_is_no_audio_is_refused(toy, audio, message):
    with pytest.raises(ValueError, match=message):
        toy.infer_from_audio(audio)


@pytest.mark.parametrize("rate", [0, -16000, float("nan"), float("inf")])
def test_an_impossible_rate_is_refused(toy, rate):
    with pytest.raises(ValueError, match="sample rate"):
        toy.infer_from_audio(noise(400), sample_rate=rate)


def test_an_impossible_threshold_is_refused_before_any_work(toy, monkeypatch):
    monkeypatch.setattr(RMVPE, "_by_block", None)
    with pytest.raises(ValueError, match="threshold"):
        toy.infer_from_audio(noise(400), threshold=2)


def test_warmup_runs_the_network_once(toy, backend, monkeypatch):
    seen = []
    features = type(toy.network).features
    monkeypatch.setattr(
        type(toy.network), "features", lambda *a: (seen.append(a[1].shape), features(*a))[1]
    )
    assert toy.warmup() is None
    seconds = toy.config.sample_rate // toy.config.hop_length + 1
    assert len(seen) == 1
    assert seen[0][1] >= seconds


def test_a_range_of_f0_reaches_the_decoder(toy):
    """The toy knows 31.7 to 72 Hz."""
    audio = noise(8000)
    salience = toy.salience(audio)
    limits = {"f0_min": 45.0, "f0_max": 60.0}
    expected = decode(salience, 0.0, **limits)
    assert (expected > 0).any() and (expected != decode(salience, 0.0)).any()
    np.testing.assert_array_equal(toy.infer_from_audio(audio, threshold=0.0, **limits), expected)
    found = toy.infer_from_reader(lambda a, b: audio[a:b], 8000, 0.0, **limits)
    np.testing.assert_array_equal(found, expected)
    with pytest.raises(ValueError, match="F0 is looked for from 60 to 40 Hz"):
        toy.infer_from_audio(audio, f0_min=60, f0_max=40)
