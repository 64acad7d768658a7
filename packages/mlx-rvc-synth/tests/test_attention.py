"""Relative attention against the textbook way with 2T − 1 offsets, and in blocks of queries."""

import mlx.core as mx
import numpy as np
import pytest

from mlx_rvc_synth import attention
from mlx_rvc_synth.attention import MultiHeadAttention, skew, unskew

CHANNELS, HEADS, WINDOW = 12, 3, 4


def layer(seed=0):
    rng = np.random.default_rng(seed)
    made = MultiHeadAttention(CHANNELS, HEADS, WINDOW)
    for name in ("emb_rel_k", "emb_rel_v"):
        made[name] = mx.array(rng.standard_normal(made[name].shape), mx.float32)
    return made


def naive(made, x):
    """Embeddings of all 2T − 1 offsets, zero outside the window, looked up pair by pair."""
    frames, depth = x.shape[1], CHANNELS // HEADS

    def project(conv):
        y = x.astype(np.float64) @ np.asarray(conv.weight)[:, 0].T + np.asarray(conv.bias)
        return y.reshape(*x.shape[:2], HEADS, depth).transpose(0, 2, 1, 3)

    query, key, value = (project(c) for c in (made.conv_q, made.conv_k, made.conv_v))
    tables = []
    for embedding in (made.emb_rel_k, made.emb_rel_v):
        table = np.zeros((2 * frames - 1, depth))
        for offset in range(-WINDOW, WINDOW + 1):
            if abs(offset) < frames:
                table[offset + frames - 1] = np.asarray(embedding)[0, offset + WINDOW]
        tables.append(table)
    offsets = np.arange(frames)[None] - np.arange(frames)[:, None] + frames - 1  # (T, T)
    by_key, by_value = tables[0][offsets], tables[1][offsets]  # (T, T, D)
    scores = query @ key.swapaxes(-1, -2) + np.einsum("bhid,ijd->bhij", query, by_key)
    scores /= np.sqrt(depth)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    y = weights @ value + np.einsum("bhij,ijd->bhid", weights, by_value)
    y = y.transpose(0, 2, 1, 3).reshape(x.shape)
    return y @ np.asarray(made.conv_o.weight)[:, 0].T + np.asarray(made.conv_o.bias)


@pytest.mark.parametrize("kind", [np.asarray, mx.array], ids=["numpy", "mlx"])
@pytest.mark.parametrize("frames", [1, 3, 5, 9, 40, 100])
def test_equals_the_textbook(frames, kind, monkeypatch):
    monkeypatch.setattr(attention, "SCORES", 1)  # blocks of 32 queries: 100 frames make four
    x = np.random.default_rng(frames).standard_normal((2, frames, CHANNELS)).astype(np.float32)
    made = layer()
    assert np.abs(np.asarray(made(kind(x))) - naive(made, x)).max() < 2e-5


def test_blocks_change_nothing(monkeypatch):
    made = layer()
    x = np.random.default_rng(1).standard_normal((1, 150, CHANNELS)).astype(np.float32)
    whole = made(x)
    monkeypatch.setattr(attention, "SCORES", 1)
    assert np.abs(made(x) - whole).max() < 1e-6


def test_no_array_grows_with_all_offsets(monkeypatch):
    """The largest array of a long input is a block of scores, and never 2T − 1 wide."""
    widest = []
    original = attention.matmul

    def spy(a, b):
        y = original(a, b)
        widest.append(y.shape)
        return y

    monkeypatch.setattr(attention, "matmul", spy)
    monkeypatch.setattr(attention, "SCORES", 3 * 64 * 600)
    layer()(np.zeros((1, 600, CHANNELS), np.float32))
    assert max(shape[-1] for shape in widest) == 600
    assert max(np.prod(shape) for shape in widest) <= 3 * 64 * 600


def test_skew_and_back():
    x = np.arange(12.0).reshape(1, 4, 3)
    banded = skew(x)
    assert banded.shape == (1, 4, 6)
    assert banded[0, 2].tolist() == [0, 0, 6, 7, 8, 0]
    assert np.array_equal(unskew(banded, 3), x)
