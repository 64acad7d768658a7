"""A recording that is read a stretch at a time."""

import tracemalloc

import numpy as np
import pytest


@pytest.mark.parametrize("samples", [1, 255, 700, 256 * 50 + 77])
@pytest.mark.parametrize("block_frames", [16, 1024])
def test_a_reader_gives_the_same_bits(model, glide, backend, samples, block_frames, monkeypatch):
    monkeypatch.setattr("mlx_swift_f0.blocks.BLOCK_FRAMES", block_frames)
    audio = glide(samples)
    asked = []

    def read(start, stop):
        assert 0 <= start < stop <= samples
        asked.append(stop - start)
        return audio[start:stop]

    found = model.infer_from_reader(read, samples, f0_min=60, f0_max=900)
    np.testing.assert_array_equal(found, model.infer_from_audio(audio, f0_min=60, f0_max=900))
    assert max(asked) <= (block_frames + 14) * 256 + 2048


def test_memory_does_not_grow_with_the_length(model, monkeypatch):
    """47 blocks and 15: what is allocated at the most; fewer blocks may not fill all threads."""
    monkeypatch.setattr("mlx_swift_f0.blocks.BLOCK_FRAMES", 128)

    def peak(seconds):
        tracemalloc.start()
        try:
            model.infer_from_reader(
                lambda start, stop: np.zeros(stop - start, np.float32), seconds * 16000
            )
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(2)  # what only the first run allocates
    assert peak(90) < 1.05 * peak(30)


def test_float64_is_taken(model, glide):
    audio = glide(4000).astype(np.float64)
    found = model.infer_from_reader(lambda start, stop: audio[start:stop], 4000)
    np.testing.assert_array_equal(found, model.infer_from_audio(audio))


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
def test_what_is_no_audio_is_refused(model, samples, read, message):
    with pytest.raises(ValueError, match=message):
        model.infer_from_reader(read, samples)
