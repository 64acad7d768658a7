import numpy as np
import pytest

from mlx_swift_f0 import to_grid
from mlx_swift_f0.grid import frame_count


def test_an_even_glide_stays_one():
    """F0 that is exact at the model's frames is exact at the others, and not 6 ms off."""
    native = 100 * 2 ** (np.arange(40) * 0.016)
    found = to_grid(native, 0, 62)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, 100 * 2 ** (np.arange(62) * 0.01), rtol=1e-6)


def test_nothing_is_made_up_across_the_edge_of_a_voiced_stretch():
    """The model is voiced at 16 and 32 ms alone; 40 ms is as near to 32 as to 48."""
    found = to_grid(np.array([0.0, 200.0, 400.0, 0.0, 0.0]), 0, 7)
    #                         0    10     20    30     40 (as near)  50 60
    between = 200 * 2**0.25, 200 * 2**0.875
    np.testing.assert_allclose(found, [0, 200, *between, 400, 0, 0], rtol=1e-6)


def test_the_earlier_counts_if_both_are_as_near():
    np.testing.assert_allclose(to_grid(np.array([0, 0, 0, 100.0]), 0, 5)[4], 0)
    np.testing.assert_allclose(to_grid(np.array([0, 0, 100.0, 0]), 0, 5)[4], 100)


def test_an_octave_is_interpolated_in_its_logarithm():
    np.testing.assert_allclose(to_grid(np.array([0, 0, 100.0, 400.0]), 4, 5), 200, rtol=1e-6)


def test_the_last_frame_is_held():
    np.testing.assert_allclose(to_grid(np.array([100.0, 300.0]), 0, 6)[2:], 300)
    assert not to_grid(np.array([100.0, 0.0]), 0, 6)[2:].any()
    np.testing.assert_allclose(to_grid(np.array([123.0]), 0, 2), 123)


def test_silence_needs_no_logarithm_of_zero():
    assert not to_grid(np.zeros(5), 0, 9).any()  # warnings are errors here


def test_a_part_is_what_the_whole_says():
    rng = np.random.default_rng(0)
    native = rng.uniform(80, 400, (2, 50)) * (rng.random((2, 50)) > 0.3)
    whole = to_grid(native, 0, 80)
    assert whole.shape == (2, 80)
    np.testing.assert_array_equal(to_grid(native[:, 10:], 16, 80, first=10), whole[:, 16:])


@pytest.mark.parametrize(("samples", "frames"), [(1, 1), (159, 1), (160, 2), (16000, 101)])
def test_frame_count(samples, frames):
    assert frame_count(samples) == frames
