"""Audio of any length: appended, read and replaced by slices, in memory or in a file."""

import errno
import tempfile

import numpy as np
import pytest

from mlx_rvc import track
from mlx_rvc.track import Padded, Track, spans


@pytest.fixture(params=["memory", "file"])
def place(request, monkeypatch):
    """Where tracks lie; the temporary files that were made."""
    made = []
    temporary_file = tempfile.TemporaryFile
    monkeypatch.setattr(
        tempfile, "TemporaryFile", lambda *a, **k: made.append(temporary_file(*a, **k)) or made[-1]
    )
    monkeypatch.setattr(track, "BLOCK", 100)
    if request.param == "file":
        monkeypatch.setattr(track, "IN_MEMORY", 64)
    yield request.param
    assert bool(made) == (request.param == "file")
    assert all(file.closed for file in made)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_is_an_array_by_slices(place, dtype):
    audio = np.random.default_rng(0).standard_normal(1000).astype(dtype)
    kept = Track(dtype)
    for start in range(0, 1000, 37):
        kept.append(audio[start : start + 37])
    assert len(kept) == 1000 and kept[:].dtype == dtype
    for part in (slice(None), slice(0, 0), slice(3, 77), slice(990, 2000), slice(None, -5)):
        np.testing.assert_array_equal(kept[part], audio[part])
    kept[500:600] = audio[:100]
    audio[500:600] = audio[:100]
    np.testing.assert_array_equal(kept[:], audio)
    np.testing.assert_array_equal(kept.astype(np.float32)[:], audio.astype(np.float32))
    assert len(Track(dtype).astype(np.float64)[:]) == 0


def test_a_copy_is_independent(place):
    kept = Track()
    kept.append(np.zeros(50))
    kept[:][:] = 1
    other = kept.astype(np.float64)
    other[0:50] = np.ones(50)
    assert not kept[:].any() and other[:].all()


def test_a_block_of_another_length_is_refused():
    kept = Track()
    kept.append(np.zeros(9))
    with pytest.raises(ValueError, match="3 samples"):
        kept[0:3] = np.zeros(4)


@pytest.mark.parametrize("at", ["making", "writing"])
def test_a_full_disk_is_one_line(monkeypatch, at):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(track, "IN_MEMORY", 64)
    if at == "making":
        monkeypatch.setattr(tempfile, "TemporaryFile", full)
    else:
        temporary_file = tempfile.TemporaryFile

        def filling(*args, **kwargs):
            file = temporary_file(*args, **kwargs)
            file.write = full
            return file

        monkeypatch.setattr(tempfile, "TemporaryFile", filling)
    with pytest.raises(OSError, match=r"No space left on device.*TMPDIR") as error:
        Track().append(np.zeros(100))
    assert error.value.errno == errno.ENOSPC and "\n" not in str(error.value)


@pytest.mark.parametrize("length", [1, 2, 3, 10, 1000])
@pytest.mark.parametrize("pad", [0, 1, 9, 160])
def test_padding_is_numpy_s(length, pad):
    audio = np.random.default_rng(0).standard_normal(length)
    expected = np.pad(audio, pad, mode="reflect")
    padded = Padded(audio, pad)
    assert len(padded) == len(expected)
    np.testing.assert_array_equal(padded[:], expected)
    rng = np.random.default_rng(1)
    for _ in range(50):
        start, stop = np.sort(rng.integers(0, len(expected) + 1, 2))
        np.testing.assert_array_equal(padded[start:stop], expected[start:stop])


def test_padding_reads_only_what_it_shows():
    class Counted(Track):
        read = 0

        def __getitem__(self, part):
            block = super().__getitem__(part)
            self.read += len(block)
            return block

    audio = Counted()
    audio.append(np.arange(100_000))
    assert len(Padded(audio, 160)[:1000]) == 1000
    assert len(Padded(audio, 160)[50_000:51_000]) == 1000
    assert audio.read < 2500


def test_spans_cover_in_order():
    assert list(spans(0)) == []
    assert list(spans(5, 2)) == [slice(0, 2), slice(2, 4), slice(4, 5)]
