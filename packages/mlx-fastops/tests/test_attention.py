"""Attention in blocks is the plain formula, on both paths."""

import mlx.core as mx
import numpy as np
import pytest

import mlx_fastops as fo
from mlx_fastops import _blas_attention

RNG = np.random.default_rng(3)


@pytest.mark.parametrize("backend", ["blas", "mlx"])
@pytest.mark.parametrize("scale", [None, 0.3])
@pytest.mark.parametrize("kind", [np.asarray, mx.array])
@pytest.mark.parametrize("keys_in_parts", [11, 4, 1])  # all at once; 4, 4 and 3; one by one
def test_equals_the_formula(monkeypatch, backend, scale, kind, keys_in_parts):
    monkeypatch.setattr(_blas_attention, "KEYS_IN_ONE", keys_in_parts)
    monkeypatch.setattr(_blas_attention, "KEYS_IN_PARTS", keys_in_parts)
    monkeypatch.setattr(_blas_attention, "SCORES_AT_ONCE", 4 * 11)  # blocks of 4 queries
    q = 4 * RNG.standard_normal((2, 9, 3, 8)).astype(np.float32)
    k, v = (4 * RNG.standard_normal((2, 11, 3, 8)).astype(np.float32) for _ in range(2))
    scores = np.einsum("bthd,bshd->bhts", q, k) * (8**-0.5 if scale is None else scale)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    expected = np.einsum("bhts,bshd->bthd", weights, v)
    found = fo.attention(kind(q), kind(k), kind(v), scale=scale, backend=backend)
    assert isinstance(found, type(kind(q)))
    np.testing.assert_allclose(np.asarray(found), expected, atol=2e-5)


@pytest.mark.parametrize("keys_in_parts", [3, 1])
def test_scores_beyond_the_range_of_exp(monkeypatch, keys_in_parts):
    monkeypatch.setattr(_blas_attention, "KEYS_IN_ONE", keys_in_parts)
    monkeypatch.setattr(_blas_attention, "KEYS_IN_PARTS", keys_in_parts)
    q = np.full((1, 2, 1, 1), 1000, np.float32)
    k = np.array([1, 2, 2], np.float32).reshape(1, 3, 1, 1)
    v = np.array([5, 7, 9], np.float32).reshape(1, 3, 1, 1)
    np.testing.assert_allclose(fo.attention(q, k, v), np.full((1, 2, 1, 1), 8))


@pytest.mark.parametrize(
    "shapes",
    [
        ((1, 4, 2, 3), (1, 4, 2, 2), (1, 4, 2, 3)),
        ((1, 4, 2, 3), (1, 5, 2, 3), (1, 4, 2, 3)),
        ((1, 4, 2, 3), (2, 4, 2, 3), (2, 4, 2, 3)),
        ((4, 2, 3), (4, 2, 3), (4, 2, 3)),
    ],
)
def test_shapes_that_do_not_fit(shapes):
    q, k, v = (np.zeros(shape, np.float32) for shape in shapes)
    with pytest.raises(ValueError, match=r"expected \(batch, frames, heads, channels\)"):
        fo.attention(q, k, v)
