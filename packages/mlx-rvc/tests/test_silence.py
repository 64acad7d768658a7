"""What is silence, and a conversion that leaves it out."""

import numpy as np
import pytest

from mlx_rvc.chunks import Chunk, plan
from mlx_rvc.silence import FRAME, MARGIN, SHORTEST, sounding
from mlx_rvc.track import Track

RATE = 16000


def recording(*parts, seed=0):
    """Noise of (seconds, level in dB) one after the other."""
    rng = np.random.default_rng(seed)
    return np.concatenate(
        [0.3 * 10 ** (level / 20) * rng.standard_normal(int(s * RATE)) for s, level in parts]
    )


def seconds(stretches):
    return [(start / RATE, stop / RATE) for start, stop in stretches]


def test_long_silences_separate_stretches():
    audio = recording((4, -70), (2, 0), (5, -70), (1, -10), (1, -70), (1, 0), (6, -70))
    found = seconds(sounding(audio, -50))
    margin = MARGIN / RATE
    np.testing.assert_allclose(found, [(4 - margin, 6 + margin), (11 - margin, 14 + margin)])
    assert sounding(audio, -80) == [(0, len(audio))]


def test_ends_that_are_short_stay():
    audio = recording((2, -70), (2, 0), (2, -70))
    assert sounding(audio, -50) == [(0, len(audio))]


def test_the_threshold_is_relative_to_the_loudest():
    audio = recording((4, -60), (2, 0), (4, -60))
    np.testing.assert_array_equal(sounding(audio, -50), sounding(audio / 100, -50))


@pytest.mark.parametrize("samples", [1, FRAME - 1, FRAME, 5 * SHORTEST])
def test_digital_silence_has_no_stretch(samples):
    assert sounding(np.zeros(samples), -50) == []
    assert sounding(np.ones(samples), -50) == [(0, samples)]


def test_blocks_change_nothing(monkeypatch):
    audio = recording((4, -70), (2, 0), (5, -70), (1, -10), (3.0123, -70))
    track = Track(np.float64)
    track.append(audio)
    assert sounding(track, -50) == sounding(audio, -50)


def test_the_plan_holds_silence_and_pieces_in_order():
    audio = recording((4, -70), (100, 0), (5, -70), (1, 0))
    stretches = sounding(audio, -50)
    pieces = plan(audio, stretches=stretches)
    assert [piece.silent for piece in pieces] == [True, False, False, False, True, False]
    assert [piece.start for piece in pieces[1:]] == [piece.stop for piece in pieces[:-1]]
    assert pieces[0].start == 0 and pieces[-1].stop is None
    assert all(piece.start % FRAME == 0 for piece in pieces)
    assert plan(np.zeros(999), stretches=[]) == [Chunk(0, None, silent=True)]
