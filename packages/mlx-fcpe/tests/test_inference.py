import mlx.core as mx
import numpy as np
import pytest
import soxr

from mlx_fcpe import DECODERS, FCPE, decode
from mlx_fcpe.blocks import salience_blocks

WHOLE = {"f0_min": 0.0, "f0_max": np.inf}


def noise(*shape, seed=0):
    return (0.1 * np.random.default_rng(seed).standard_normal(shape)).astype(np.float32)


def cents(found, expected):
    np.testing.assert_array_equal(found > 0, expected > 0)
    voiced = expected > 0
    return np.abs(1200 * np.log2(found[voiced] / expected[voiced])).max(initial=0)


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("threshold", [0.006, 0.9])
def test_f0_from_audio_is_the_references(toy, golden, threshold, decoder, backend):
    case = golden["network"]
    expected = case[f"f0/{decoder}/{threshold}"]
    found = toy.infer_from_audio(case["audio"], threshold=threshold, decoder=decoder, **WHOLE)
    assert found.dtype == np.float32 and found.shape == (47,)
    assert cents(found, expected) < 0.1
    assert (expected > 0).any() and ((expected == 0).any() or threshold < 0.1)


def test_salience_is_what_f0_is_decoded_from(toy, golden):
    audio = golden["network"]["audio"]
    salience = toy.salience(audio)
    np.testing.assert_allclose(salience, golden["network"]["stage/salience"][0], atol=1e-5)
    expected = decode(salience, np.array(toy.network.cent_table))
    np.testing.assert_array_equal(toy.infer_from_audio(audio, **WHOLE), expected)


def test_the_range_is_50_to_1100_hz_unless_asked_otherwise(toy):
    audio = noise(4000)
    whole = toy.infer_from_audio(audio, threshold=0, **WHOLE)
    assert (whole > 0).all()
    low, high = np.sort(whole)[[5, 15]]
    found = toy.infer_from_audio(audio, threshold=0, f0_min=low, f0_max=high)
    np.testing.assert_array_equal(found, np.where((whole >= low) & (whole <= high), whole, 0))
    usual = toy.infer_from_audio(audio, threshold=0)
    np.testing.assert_array_equal(usual, np.where((whole >= 50) & (whole <= 1100), whole, 0))


@pytest.mark.parametrize("frames", [1, 2, 3, 4, 31, 33, 50])
def test_frame_count_follows_the_length(toy, frames):
    for samples in (160 * (frames - 1) or 1, 160 * frames - 1):
        assert toy.infer_from_audio(noise(samples)).shape == (frames,)


@pytest.mark.parametrize("samples", [1, 2, 100, 432, 433, 800])
def test_audio_shorter_than_the_window_works(toy, samples):
    found = toy.salience(noise(samples))
    assert found.shape == (samples // 160 + 1, 72) and np.isfinite(found).all()


def test_mlx_float64_and_half_arrays_are_taken(toy):
    audio = noise(2000).astype(np.float16)
    expected = toy.infer_from_audio(audio.astype(np.float32))
    for same in (audio, audio.astype(np.float64), mx.array(audio)):
        np.testing.assert_array_equal(toy.infer_from_audio(same), expected)


def test_a_batch_is_its_clips_one_by_one(toy, backend, monkeypatch):
    """Each clip is normalised by itself, however many share a pass."""
    batch = noise(3, 3000) * np.array([[0.01], [1], [5]], np.float32)
    singles = [toy.salience(clip) for clip in batch]
    np.testing.assert_allclose(toy.salience(batch), singles, atol=2e-6)
    assert toy.infer_from_audio(batch).shape == (3, 19)
    monkeypatch.setattr("mlx_fcpe.fcpe.BLOCK_FRAMES", 40)  # two clips at a time
    np.testing.assert_allclose(toy.salience(batch), singles, atol=2e-6)


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


@pytest.mark.parametrize("block_frames", [1, 40, 100])
def test_blocks_are_one_pass(toy, backend, block_frames):
    """The halo covers all that a frame sees, and the normalisation is the whole recording's."""
    loud_end = np.linspace(0.1, 5, 160 * 202, dtype=np.float32)
    audio = noise(1, 160 * 202) * loud_end
    [whole] = salience_blocks(toy.network, audio, block_frames=10**6)
    assert whole.shape == (1, 203, 72)
    seen = []
    blocks = list(
        salience_blocks(
            toy.network,
            audio,
            block_frames=block_frames,
            progress=lambda done, total: seen.append((done, total)),
        )
    )
    assert len(blocks) == -(-203 // block_frames) == len(seen) and seen[-1] == (203, 203)
    joined = np.concatenate(blocks, axis=1)
    assert joined.shape == whole.shape
    assert np.abs(joined - whole).max() < 2e-6
    table = np.array(toy.network.cent_table)
    assert cents(decode(joined, table), decode(whole, table)) < 0.1


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


@pytest.mark.parametrize("options", [{"threshold": 2}, {"f0_min": 2000}, {"decoder": "best"}])
def test_impossible_options_are_refused_before_any_work(toy, monkeypatch, options):
    monkeypatch.setattr(FCPE, "_joined", None)
    with pytest.raises(ValueError, match="expected"):
        toy.infer_from_audio(noise(400), **options)
    with pytest.raises(ValueError, match="expected"):
        toy.infer_from_reader(None, 400, **options)


def test_warmup_runs_the_network(toy, backend, monkeypatch):
    seen = []
    enter = type(toy.network).enter
    monkeypatch.setattr(
        type(toy.network), "enter", lambda *a: (seen.append(a[1].shape), enter(*a))[1]
    )
    assert toy.warmup() is None
    assert seen and all(shape[1] >= 101 for shape in seen)
