"""Decoders and filters against torchcrepe's."""

import numpy as np
import pytest

from mlx_crepe import DECODERS, mean, median
from mlx_crepe.decoding import mask


@pytest.mark.parametrize("f0_range", [(50, 1100), (200, 400)])
@pytest.mark.parametrize("decoder", DECODERS)
def test_decoders_are_the_originals(golden, decoder, f0_range):
    expected = golden["decode"]
    salience = mask(expected["salience"], *f0_range)
    bins, f0 = DECODERS[decoder](salience)
    assert bins.shape == f0.shape == (60,) and f0.dtype == np.float32
    prefix = f"{decoder}/{f0_range[0]}"
    # Float32 cents of the original: 1e-6 of the frequency is 0.002 cent.
    np.testing.assert_allclose(f0, expected[f"{prefix}/f0"], rtol=1e-6)
    strength = np.take_along_axis(salience, bins[:, None], axis=1)[:, 0]
    np.testing.assert_array_equal(strength, expected[f"{prefix}/strength"])


@pytest.mark.parametrize("decoder", DECODERS)
def test_no_frames_give_no_curve(decoder):
    bins, f0 = DECODERS[decoder](np.zeros((0, 360), np.float32))
    assert bins.shape == f0.shape == (0,)


def test_viterbi_drops_a_lone_jump_and_argmax_does_not():
    salience = np.full((21, 360), 0.01, np.float32)
    salience[:, 150] = 0.9
    salience[10, 150], salience[10, 250] = 0.8, 0.9
    assert (DECODERS["viterbi"](salience)[0] == 150).all()
    assert DECODERS["argmax"](salience)[0][10] == 250


@pytest.mark.parametrize("length", [3, 5])
@pytest.mark.parametrize("filter", [mean, median])
def test_filters_are_the_originals(golden, filter, length):
    expected = golden["decode"][f"{filter.__name__}/{length}"]
    found = filter(golden["decode"]["curve"], length)
    assert np.isnan(expected).any()
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    np.testing.assert_allclose(found, expected, rtol=2e-7)


@pytest.mark.parametrize("filter", [mean, median])
@pytest.mark.parametrize("length", [0, 2, -1])
def test_an_even_filter_is_refused(filter, length):
    with pytest.raises(ValueError, match=f"length {length}; expected an odd number"):
        filter(np.ones(5, np.float32), length)


@pytest.mark.parametrize(
    ("low", "high", "message"),
    [
        (0, 500, "0 to 500 Hz; expected"),
        (500, 500, "expected 0 < f0_min < f0_max"),
        (50, np.inf, "finite"),
        (2500, 3000, "holds no pitch class"),
        (10, 20, "holds no pitch class"),
    ],
)
def test_a_range_that_cannot_be_is_refused(low, high, message):
    with pytest.raises(ValueError, match=message):
        mask(np.zeros((1, 360), np.float32), low, high)
