"""A recording that is read a stretch at a time."""

import numpy as np
import pytest

WHOLE = {"f0_min": 0.0, "f0_max": np.inf}


def noise(samples):
    return (0.1 * np.random.default_rng(0).standard_normal(samples)).astype(np.float32)


@pytest.mark.parametrize("samples", [1, 159, 161, 700, 160 * 202 + 77])
@pytest.mark.parametrize("block_frames", [40, 100, 10**6])
def test_a_reader_gives_the_same_bits(toy, backend, samples, block_frames, monkeypatch):
    monkeypatch.setattr("mlx_fcpe.fcpe.BLOCK_FRAMES", block_frames)
    audio = noise(samples)
    asked = []

    def read(start, stop):
        assert 0 <= start < stop <= samples
        asked.append(stop - start)
        return audio[start:stop]

    found = toy.infer_from_reader(read, samples, **WHOLE)
    np.testing.assert_array_equal(found, toy.infer_from_audio(audio, **WHOLE))
    assert max(asked) <= (block_frames + 2 * toy.config.halo_frames) * 160 + 1024


def test_progress_counts_the_recordings_own_frames(toy, monkeypatch):
    monkeypatch.setattr("mlx_fcpe.fcpe.BLOCK_FRAMES", 10)
    seen = []
    toy.infer_from_audio(noise(160 * 20 - 1), progress=lambda *counts: seen.append(counts))
    assert seen[-1] == (20, 20) and seen == sorted(seen)


def test_float64_is_taken(toy):
    audio = noise(4000).astype(np.float64)
    found = toy.infer_from_reader(lambda start, stop: audio[start:stop], 4000, **WHOLE)
    np.testing.assert_array_equal(found, toy.infer_from_audio(audio, **WHOLE))


@pytest.mark.parametrize(
    ("samples", "read", "message"),
    [
        (0, None, "0 samples"),
        (400, lambda start, stop: np.zeros(stop - start - 1), "expected floats of shape"),
        (400, lambda start, stop: np.zeros((1, stop - start)), "expected floats of shape"),
        (400, lambda start, stop: np.zeros(stop - start, np.int16), "int16"),
        (400, lambda start, stop: np.full(stop - start, np.nan), "NaN or infinite"),
    ],
)
def test_what_is_no_audio_is_refused(toy, samples, read, message):
    with pytest.raises(ValueError, match=message):
        toy.infer_from_reader(read, samples)
