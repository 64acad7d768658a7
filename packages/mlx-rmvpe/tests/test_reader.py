"""A recording that is read a stretch at a time, and what is put aside between the two ways."""

import errno
import tempfile

import numpy as np
import pytest

from mlx_recording import Recording
from mlx_rmvpe import log_mel
from mlx_rmvpe.blocks import salience_blocks
from mlx_rmvpe.spill import Stack


def noise(samples):
    return (0.1 * np.random.default_rng(0).standard_normal(samples)).astype(np.float32)


@pytest.mark.parametrize("samples", [1, 159, 161, 700, 160 * 402 + 77])
@pytest.mark.parametrize("block_frames", [40, 100, 10**6])
def test_a_reader_gives_the_same_bits(toy, backend, samples, block_frames, monkeypatch):
    monkeypatch.setattr("mlx_rmvpe.rmvpe.BLOCK_FRAMES", block_frames)
    audio = noise(samples)
    asked = []

    def read(start, stop):
        assert 0 <= start < stop <= samples
        asked.append(stop - start)
        return audio[start:stop]

    found = toy.infer_from_reader(read, samples, threshold=0.1)
    np.testing.assert_array_equal(found, toy.infer_from_audio(audio, threshold=0.1))
    config = toy.config
    reach = block_frames + 2 * config.halo_frames + 2 * config.n_fft // config.hop_length
    assert max(asked) <= reach * config.hop_length


def test_float64_is_taken(toy):
    audio = noise(4000).astype(np.float64)
    found = toy.infer_from_reader(lambda start, stop: audio[start:stop], 4000)
    np.testing.assert_array_equal(found, toy.infer_from_audio(audio))


def test_what_is_put_aside_goes_to_a_file_and_comes_back(toy, backend, monkeypatch):
    audio = Recording.of(noise(160 * 402)[None])
    kept = [block for _, block in salience_blocks(toy.network, audio, block_frames=40)]
    made = []
    temporary_file = tempfile.TemporaryFile
    monkeypatch.setattr("mlx_rmvpe.spill.IN_MEMORY", 1000)
    monkeypatch.setattr(
        tempfile, "TemporaryFile", lambda *a, **k: made.append(temporary_file(*a, **k)) or made[-1]
    )
    spilled = [block for _, block in salience_blocks(toy.network, audio, block_frames=40)]
    assert len(made) == 1 and made[0].closed
    for one, other in zip(kept, spilled, strict=True):
        np.testing.assert_array_equal(one, other)


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


def test_a_full_disk_is_one_line(monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("mlx_rmvpe.spill.IN_MEMORY", 10)
    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with (
        Stack() as stack,
        pytest.raises(OSError, match=r"No space left on device.*TMPDIR") as error,
    ):
        stack.push(np.zeros(100))
    assert error.value.errno == errno.ENOSPC and "\n" not in str(error.value)


@pytest.mark.parametrize("block_frames", [8, 100])
def test_each_frame_of_the_spectrogram_is_computed_once(toy, monkeypatch, block_frames):
    from mlx_rmvpe import blocks

    computed = []

    def counted(audio, config, *, start, stop):
        computed.append(stop - start)
        return log_mel(audio, config, start=start, stop=stop)

    monkeypatch.setattr(blocks, "log_mel", counted)
    list(salience_blocks(toy.network, noise(160 * 402)[None], block_frames=block_frames))
    assert sum(computed) == 403 and len(computed) > 1
