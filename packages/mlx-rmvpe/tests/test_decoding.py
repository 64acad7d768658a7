import numpy as np
import pytest

from mlx_rmvpe import decode


def cents(found, expected):
    return np.abs(1200 * np.log2(found / expected)).max()


@pytest.mark.parametrize("threshold", [0.0, 0.03, 0.5])
def test_f0_is_the_references(golden, threshold):
    expected = golden["decode"][f"f0/{threshold}"]
    found = decode(golden["decode"]["salience"], threshold)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found > 0, expected > 0)
    voiced = expected > 0
    assert 0 < voiced.sum() < len(voiced)
    assert cents(found[voiced], expected[voiced]) < 1e-3


@pytest.mark.parametrize("hz", [40.0, 55.0, 110.0, 261.63, 440.0, 1046.5, 1900.0])
def test_a_bump_of_known_pitch_gives_that_pitch(hz):
    place = (1200 * np.log2(hz / 10) - 1997.3794084376191) / 20
    salience = np.exp(-0.5 * ((np.arange(360) - place) / 1.25) ** 2)[None]
    assert cents(decode(salience, 0.03), hz) < 1.0


def test_a_frame_at_the_threshold_is_unvoiced():
    salience = np.zeros((2, 360), np.float32)
    salience[:, 100] = 0.5, np.nextafter(np.float32(0.5), np.float32(1))
    assert (decode(salience, 0.5) > 0).tolist() == [False, True]


def test_silence_is_unvoiced_without_a_division_by_zero():
    assert not decode(np.zeros((3, 360)), 0.0).any()  # warnings are errors here


def test_batches_are_decoded_frame_by_frame(golden):
    salience = golden["decode"]["salience"]
    pair = np.stack([salience, salience[::-1]])
    np.testing.assert_array_equal(decode(pair), [decode(salience), decode(salience)[::-1]])


@pytest.mark.parametrize("threshold", [-0.1, 1.5, float("nan")])
def test_an_impossible_threshold_is_refused(threshold):
    with pytest.raises(ValueError, match=r"threshold is .*expected 0 to 1"):
        decode(np.zeros((1, 360)), threshold)
