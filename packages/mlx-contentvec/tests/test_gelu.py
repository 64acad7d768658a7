import math

import mlx.core as mx
import numpy as np
import pytest

from mlx_contentvec.gelu import BLOCK, gelu


def exact(x):
    return np.array([v * 0.5 * math.erfc(-v / math.sqrt(2)) for v in x.astype(float).ravel()])


def test_error_against_double_precision():
    x = np.concatenate([np.linspace(-12, 12, 200_001), [0.0, -0.0, 1e-40]]).astype(np.float32)
    error = np.abs(gelu(x.copy()) - exact(x)) / np.maximum(1, np.abs(x))
    assert error.max() < 2e-7  # 1.5e-7 is found; the tanh approximation has 5e-4


@pytest.mark.parametrize("sign", [1, -1])
def test_far_outside_the_fitted_range(sign):
    x = sign * np.geomspace(6, 3e38, 2000).astype(np.float32)
    expected = x if sign > 0 else np.zeros_like(x)
    np.testing.assert_allclose(gelu(x.copy()), expected, rtol=1e-6, atol=1e-7)


def test_both_kinds_of_arrays_agree():
    x = np.random.default_rng(2).standard_normal((2, 7, 5)).astype(np.float32) * 3
    np.testing.assert_allclose(gelu(x.copy()), np.array(gelu(mx.array(x))), atol=1e-6)


def test_any_layout_in_memory():
    """Over its input where that is possible, never over memory that is not its own to write."""
    x = np.random.default_rng(3).standard_normal((3, BLOCK)).astype(np.float32)
    expected = exact(x).reshape(x.shape)
    read_only = x.copy()
    read_only.flags.writeable = False
    for argument in (read_only, np.repeat(x, 2, axis=1)[:, ::2], np.asfortranarray(x)):
        np.testing.assert_allclose(gelu(argument), expected, atol=2e-6)
    assert np.array_equal(read_only, x)
    own = x.copy()
    assert np.shares_memory(gelu(own), own)
