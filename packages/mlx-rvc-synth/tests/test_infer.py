"""What `infer` takes, repeats and refuses."""

import mlx.core as mx
import numpy as np
import pytest

from mlx_rvc_synth import Noise


def test_a_seed_repeats(v1_f0):
    def run(seed):
        return np.asarray(v1_f0.voice.infer(v1_f0.phone, v1_f0.f0, seed=seed))

    assert np.array_equal(run(1), run(1))
    assert not np.array_equal(run(1), run(2))
    assert not np.array_equal(run(None), run(None))


def test_seeded_noise_is_the_same_noise(v1_f0):
    batch, frames, _ = v1_f0.phone.shape
    noise = Noise.normal(v1_f0.config, frames, batch, seed=5)
    given = v1_f0.voice.infer(v1_f0.phone, v1_f0.f0, noise=noise)
    seeded = v1_f0.voice.infer(v1_f0.phone, v1_f0.f0, seed=5)
    assert np.array_equal(np.asarray(given), np.asarray(seeded))
    assert abs(float(noise.latent.std()) - 1) < 0.15


def test_no_noise_is_deterministic(v1_f0):
    batch, frames, _ = v1_f0.phone.shape
    noise = Noise.zeros(v1_f0.config, frames, batch)
    runs = [np.asarray(v1_f0.voice.infer(v1_f0.phone, v1_f0.f0, noise=noise)) for _ in range(2)]
    assert np.array_equal(*runs)


def test_kinds_of_arrays(v1_f0):
    first = v1_f0.voice.infer(v1_f0.phone, v1_f0.f0, noise=v1_f0.noise)
    second = v1_f0.voice.infer(mx.array(v1_f0.phone), mx.array(v1_f0.f0), noise=v1_f0.noise)
    assert isinstance(first, mx.array)
    assert first.dtype == mx.float32
    assert np.array_equal(np.asarray(first), np.asarray(second))


def test_speakers_differ_and_one_frame_is_enough(v1_f0):
    phone, f0 = v1_f0.phone[:1, :1], v1_f0.f0[:1, :1]
    audio = [np.asarray(v1_f0.voice.infer(phone, f0, speaker=s, seed=0)) for s in range(3)]
    assert audio[0].shape == (1, 8)
    assert not np.array_equal(audio[0], audio[2])


def test_batches_are_independent(v1_f0):
    both = np.asarray(v1_f0.voice.infer(v1_f0.phone, v1_f0.f0, noise=v1_f0.noise))
    noise = Noise(v1_f0.noise.latent[1:], v1_f0.noise.source[1:])
    alone = v1_f0.voice.infer(v1_f0.phone[1:], v1_f0.f0[1:], noise=noise)
    assert np.abs(both[1:] - np.asarray(alone)).max() < 1e-6


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features": np.zeros((2, 23, 192))}, "192 wide.*256.*another content encoder"),
        ({"features": np.zeros((23, 256))}, "batch, frames, channels"),
        ({"features": np.zeros((1, 0, 256))}, "batch, frames, channels"),
        ({"features": [["x"]]}, "not an array of numbers"),
        ({"f0_hz": None}, "needs F0"),
        ({"f0_hz": np.zeros((2, 22))}, r"\(2, 22\).*\(2, 23\)"),
        ({"f0_hz": np.full((2, 23), np.nan)}, "finite"),
        ({"f0_hz": np.full((2, 23), -1.0)}, "not negative"),
        ({"speaker": 3}, "speakers 0 to 2"),
        ({"speaker": -1}, "speakers 0 to 2"),
        ({"speaker": 1.5}, "must be a number"),
        ({"seed": 1, "noise": Noise(np.zeros((2, 23, 8)), np.zeros((2, 184, 1)))}, "seed or noise"),
        ({"noise": Noise(np.zeros((2, 22, 8)), np.zeros((2, 184, 1)))}, r"noise\.latent"),
        ({"noise": Noise(np.zeros((2, 23, 8)), np.zeros((2, 8, 1)))}, r"noise\.source"),
        ({"noise": Noise(np.zeros((2, 23, 8)))}, r"noise\.source is missing"),
    ],
)
def test_refusals(v1_f0, change, message):
    given = {"features": v1_f0.phone, "f0_hz": v1_f0.f0} | change
    with pytest.raises(ValueError, match=message):
        v1_f0.voice.infer(**given)


def test_voices_without_f0_refuse_it(v2_nof0):
    phone = v2_nof0.phone
    with pytest.raises(ValueError, match="without F0"):
        v2_nof0.voice.infer(phone, np.zeros(phone.shape[:2]))
    noise = Noise(v2_nof0.noise.latent, np.zeros((1, 184, 1)))
    with pytest.raises(ValueError, match="no source"):
        v2_nof0.voice.infer(phone, noise=noise)
