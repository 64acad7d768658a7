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


def bump(*pitches):
    """Salience (1, 360) with a bump of strength s at f Hz for each (f, s)."""
    total = np.zeros(360)
    for hz, strength in pitches:
        place = (1200 * np.log2(hz / 10) - 1997.3794084376191) / 20
        total += strength * np.exp(-0.5 * ((np.arange(360) - place) / 1.25) ** 2)
    return total[None]


def test_within_a_range_the_strongest_pitch_inside_counts():
    salience = bump((110, 0.4), (220, 0.9), (440, 0.5))
    assert cents(decode(salience), 220) < 1
    assert cents(decode(salience, f0_max=200), 110) < 1
    assert cents(decode(salience, f0_min=300), 440) < 1
    assert cents(decode(salience, f0_min=150, f0_max=300), 220) < 1
    assert decode(salience, 0.45, f0_max=200) == 0
    np.testing.assert_array_equal(decode(salience, f0_min=1, f0_max=9999), decode(salience))


@pytest.mark.parametrize(("hz", "limit"), [(204, {"f0_max": 200}), (216, {"f0_min": 220})])
def test_the_flank_of_a_pitch_outside_is_no_pitch_at_the_edge(hz, limit):
    assert decode(bump((hz, 0.9)), 0.03, **limit) == 0
    assert decode(bump((hz, 0.9)), 0.03) > 0


@pytest.mark.parametrize(
    ("low", "high"), [(300, 200), (0.0, 10.0), (5000, None), (float("nan"), 400), (100.1, 100.2)]
)
def test_a_range_without_a_bin_is_refused(low, high):
    with pytest.raises(ValueError, match=r"F0 is looked for from .* within 31\.7 to"):
        decode(np.zeros((1, 360)), f0_min=low, f0_max=high)
