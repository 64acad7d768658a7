import numpy as np
import pytest
import pyworld

from mlx_f0 import Dio, F0Settings, Harvest, blocks, median
from mlx_f0.testing import check_method
from mlx_f0.world import balanced


@pytest.mark.parametrize("method", [Harvest, Dio])
def test_the_contract_is_kept(method):
    check_method(method.from_pretrained())


@pytest.mark.parametrize(("method", "name"), [(Harvest, "harvest"), (Dio, "dio")])
def test_it_is_what_rvc_makes_of_pyworld(song, method, name):
    audio, _ = song(2)
    audio = audio.astype(np.float64)
    rough, times = getattr(pyworld, name)(
        audio, 16000, f0_floor=50.0, f0_ceil=1100.0, frame_period=10
    )
    expected = pyworld.stonemask(audio, rough, times, 16000)
    found = method().infer_from_audio(audio, filter_radius=0)
    np.testing.assert_array_equal(found, expected.astype(np.float32))
    filtered = method().infer_from_audio(audio, filter_radius=3)
    np.testing.assert_array_equal(filtered, median(expected.astype(np.float32)))
    default = method().infer_from_audio(audio)
    np.testing.assert_array_equal(default, filtered if method is Harvest else found)


@pytest.mark.parametrize("method", [Harvest(), Dio()])
def test_a_threshold_is_refused_since_there_is_none(method):
    with pytest.raises(ValueError, match=r"threshold is 0\.5, but (harvest|dio) has none"):
        F0Settings(threshold=0.5).from_audio(method, np.zeros(800, np.float32))


# --- blocks -----------------------------------------------------------------------------------


def test_blocks_are_of_about_half_a_minute_and_short_recordings_whole():
    assert blocks.borders(1) == [0, 1]
    assert blocks.borders(4499) == [0, 4499]
    assert blocks.borders(4501) == [0, 2250, 4501]
    assert max(np.diff(blocks.borders(360001))) == 3001


@pytest.mark.parametrize("samples", [160 * 1500, 160 * 1501 - 1, 160 * 1444 + 7])
def test_frames_are_where_they_are_in_one_pass(monkeypatch, samples):
    """With a curve that is local, blocks leave no trace at all; and none reads too much."""
    monkeypatch.setattr(blocks, "BLOCK", 300)
    monkeypatch.setattr(blocks, "CONTEXT", 40)
    audio = np.abs(np.random.default_rng(0).standard_normal(samples)) + 1
    audio[samples // 3 : samples // 2] = 0
    asked, told = [], []

    def read(start, stop):
        asked.append(stop - start)
        return audio[start:stop]

    def curve(clip, ends):
        return np.append(clip, clip[-1])[:: blocks.HOP][: len(clip) // blocks.HOP + 1]

    found = blocks.joined(curve, read, samples, lambda *done: told.append(done))
    expected = curve(audio, True)
    # The last frame of a block lies on its end, which only the last block has as well.
    np.testing.assert_array_equal(found, expected)
    assert len(asked) == 5 and max(asked) <= (300 + 2 * 40 + 2) * blocks.HOP
    assert told == sorted(told) and told[-1] == (samples // 160 + 1,) * 2


def test_curves_meet_where_both_are_silent_or_else_agree():
    one, other = np.full(100, 200.0), np.full(100, 100.0)
    assert blocks._meeting(one, other, 50) == 50
    one[40:43] = other[40:43] = 150
    assert blocks._meeting(one, other, 50) == 42
    one[70], other[70] = 0, 0
    assert blocks._meeting(one, other, 50) == 70


@pytest.mark.parametrize("method", [Harvest(), Dio()])
def test_blocks_change_next_to_nothing(song, monkeypatch, method):
    """Also where the mean of a block is not that of the recording, which WORLD takes away."""
    audio, _ = song(4)
    audio[: len(audio) // 3] += 0.05
    whole = method.infer_from_audio(audio, f0_min=100, f0_max=500)
    monkeypatch.setattr(blocks, "BLOCK", 130)
    monkeypatch.setattr(blocks, "CONTEXT", 60)
    found = method.infer_from_audio(audio, f0_min=100, f0_max=500)
    assert len(blocks.borders(len(found))) == 4
    np.testing.assert_array_equal(found > 0, whole > 0)
    voiced = whole > 0
    assert np.abs(1200 * np.log2(found[voiced] / whole[voiced])).max() < 0.1


@pytest.mark.parametrize("before", [True, False])
def test_a_swell_brings_a_block_to_a_mean_and_leaves_it_as_it_is(before):
    clip = np.random.default_rng(0).standard_normal(4000) + 0.3
    found = balanced(clip, 0.1, before=before)
    assert found.mean() == pytest.approx(0.1)
    np.testing.assert_array_equal(found[-4000:] if before else found[:4000], clip)
    more = len(found) - 4000
    assert more % 160 == 0  # frames stay on the grid
    beside = found[more - 8000 : more] if before else found[4000:12000]
    assert not beside.any()
