import numpy as np
import pytest

from mlx_fcpe import DECODERS, decode


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("threshold", [0.006, 0.5])
def test_f0_is_the_references(golden, decoder, threshold):
    case = golden["decode"]
    expected = case[f"f0/{decoder}/{threshold}"]
    found = decode(case["salience"], case["cent_table"], threshold, decoder=decoder)
    assert found.dtype == np.float32
    voiced = expected > 0
    np.testing.assert_array_equal(found > 0, voiced)
    assert voiced.any() and not voiced.all()
    assert np.abs(1200 * np.log2(found[voiced] / expected[voiced])).max() < 0.01


def test_the_threshold_itself_is_unvoiced(golden):
    found = decode(golden["decode"]["salience"], golden["decode"]["cent_table"])
    assert found[14] == 0 and found[15] > 0


def test_the_edge_bin_counts_once_for_each_neighbour_it_lacks():
    salience = np.zeros((1, 6), np.float32)
    salience[0, :3] = 1, 0.5, 0.25
    cents = np.arange(1000, 1600, 100.0)
    mean = (5 * 1000 + 0.5 * 1100 + 0.25 * 1200) / 5.75
    np.testing.assert_allclose(decode(salience, cents), [10 * 2 ** (mean / 1200)], rtol=1e-6)


def test_what_lies_outside_the_range_is_unvoiced():
    salience = np.eye(40, dtype=np.float32)
    cents = 1200 * np.log2(np.linspace(50, 1500, 40) / 10)
    whole = decode(salience, cents)
    found = decode(salience, cents, f0_min=100, f0_max=800)
    inside = (whole >= 100) & (whole <= 800)
    assert inside.any() and not inside.all()
    np.testing.assert_array_equal(found, np.where(inside, whole, 0))


def test_a_silent_network_is_no_division_by_zero():
    assert decode(np.zeros((3, 8), np.float32), np.ones(8), decoder="argmax").tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": -0.1}, "threshold is -0.1, expected 0 to 1"),
        ({"threshold": float("nan")}, "threshold is nan"),
        ({"decoder": "viterbi"}, "decoder is 'viterbi', expected local_argmax or argmax"),
        ({"f0_min": 300, "f0_max": 200}, "300 to 200 Hz, expected"),
        ({"f0_min": -1}, "-1 to inf Hz, expected"),
        ({"f0_max": float("nan")}, "0.0 to nan Hz"),
    ],
)
def test_impossible_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        decode(np.zeros((3, 8), np.float32), np.ones(8), **options)
