"""Layers are mlx.nn's: same parameters, same results, both kinds of arrays."""

import mlx.core as mx
import numpy as np
import pytest
from mlx import nn
from mlx.utils import tree_flatten

import mlx_fastops as fo

CASES = [
    ("Conv1d", (4, 6, 3), {"stride": 2, "padding": 1, "dilation": 2, "groups": 2}, (2, 20, 4)),
    ("Conv1d", (4, 6, 3), {"bias": False}, (2, 20, 4)),
    ("ConvTranspose1d", (4, 6, 4), {"stride": 2, "padding": 1, "output_padding": 1}, (2, 9, 4)),
    ("Conv2d", (4, 6, 3), {"stride": (1, 2), "padding": 1}, (1, 9, 8, 4)),
    ("Conv2d", (4, 6, (1, 3)), {"bias": False, "groups": 2}, (1, 9, 8, 4)),
    ("ConvTranspose2d", (4, 6, 3), {"stride": 2, "padding": 1, "output_padding": 1}, (1, 5, 8, 4)),
    ("Linear", (4, 6), {}, (2, 5, 4)),
    ("Linear", (4, 6), {"bias": False}, (5, 4)),
    ("GRU", (4, 6), {}, (2, 9, 4)),
    ("GRU", (4, 6), {"bias": False}, (9, 4)),
]


@pytest.mark.parametrize("backend", ["mlx", "blas"])
@pytest.mark.parametrize(("name", "arguments", "options", "shape"), CASES)
def test_same_as_mlx_nn(name, arguments, options, shape, backend):
    theirs = getattr(nn, name)(*arguments, **options)
    ours = getattr(fo, name)(*arguments, **options)
    assert isinstance(ours, getattr(nn, name))
    ours.load_weights(tree_flatten(theirs.parameters()), strict=True)
    x = mx.random.normal(shape)
    expected = np.array(theirs(x))
    with fo.use_backend(backend):
        y = ours(x)
        z = ours(np.array(x))
    assert isinstance(y, mx.array)
    assert isinstance(z, np.ndarray)
    np.testing.assert_allclose(np.array(y), expected, atol=1e-5)
    np.testing.assert_allclose(z, expected, atol=1e-5)


def test_gru_state_and_direction():
    layer = fo.GRU(4, 6)
    x, h = mx.random.normal((2, 9, 4)), mx.random.normal((2, 6))
    np.testing.assert_allclose(
        np.array(layer(x, h)), np.array(nn.GRU.__call__(layer, x, h)), atol=1e-5
    )
    backwards = np.array(layer(x, reverse=True))
    np.testing.assert_allclose(backwards, np.array(layer(x[:, ::-1]))[:, ::-1], atol=1e-5)
    np.testing.assert_allclose(np.array(layer(x[0], h[0])), np.array(layer(x, h))[0], atol=1e-5)


def test_exported_names():
    assert len(set(fo.__all__)) == len(fo.__all__)
    assert all(hasattr(fo, name) for name in fo.__all__)
