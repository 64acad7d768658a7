"""Layers and salience of the toy network against torchcrepe's, in every form."""

import numpy as np
import pytest

from mlx_crepe import network as module
from mlx_crepe.layer import Layer


def test_every_layer_is_the_originals(toy, golden):
    expected = golden["toy"]
    x = expected["frames"][..., None]
    for number in range(1, 7):
        layer = toy.network._layer(number)
        found = layer(x)
        wanted = expected[f"layer{number}"]
        assert found.shape == wanted.shape
        np.testing.assert_allclose(found, wanted, atol=2e-6 * np.abs(wanted).max())
        if number > 1:
            by_tap = layer.by_tap(x)
            np.testing.assert_allclose(by_tap, wanted, atol=2e-6 * np.abs(wanted).max())
        x = wanted


def test_salience_is_the_originals(toy, golden, backend):
    expected = golden["toy"]
    found = toy.network(expected["frames"])
    assert found.dtype == np.float32 and found.shape == (5, 360)
    np.testing.assert_allclose(found, expected["salience"], atol=2e-6)


def test_passes_change_nothing(toy, golden, backend, monkeypatch):
    frames = golden["toy"]["frames"]
    whole = toy.network(frames)
    monkeypatch.setattr(module, "PASS_FRAMES", 2)
    np.testing.assert_allclose(toy.network(frames), whole, atol=1e-6)
    monkeypatch.setattr(module, "PASS_FRAMES", 512)
    monkeypatch.setattr(module, "PASS_VALUES", 1)
    np.testing.assert_allclose(toy.network(frames), whole, atol=1e-6)


@pytest.mark.parametrize("steps", [2, 8, 31, 32, 33, 64, 128])
def test_both_forms_are_the_padded_convolution(steps):
    rng = np.random.default_rng(steps)
    taps, channels, out = 64, 3, 5
    x = rng.standard_normal((2, steps, channels))
    weight = rng.standard_normal((out, taps, channels))
    bias, scale, shift = rng.standard_normal((3, out))
    padded = np.pad(x, ((0, 0), (31, 32), (0, 0)))
    windows = np.stack([padded[:, t : t + taps] for t in range(steps)], axis=1)
    y = np.maximum(np.einsum("ntkc,okc->nto", windows, weight) + bias, 0) * scale + shift
    even = steps // 2 * 2
    expected = np.maximum(y[:, 0:even:2], y[:, 1:even:2])
    layer = Layer(weight, bias, scale, shift, stride=1, before=31)
    np.testing.assert_allclose(layer.by_position(x), expected, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(layer.by_tap(x), expected, rtol=1e-10, atol=1e-10)


def test_the_form_goes_by_what_the_cache_holds(monkeypatch):
    taken = []
    monkeypatch.setattr(Layer, "by_tap", lambda self, x: taken.append("tap"))
    monkeypatch.setattr(Layer, "by_position", lambda self, x: taken.append("position"))
    for steps, channels, out in ((128, 1024, 128), (64, 128, 128), (8, 256, 512)):
        weight = np.broadcast_to(np.float32(0), (out, 64, channels))
        nothing = np.zeros(out, np.float32)
        x = np.broadcast_to(np.float32(0), (1, steps, channels))
        Layer(weight, nothing, nothing, nothing, stride=1, before=31)(x)
    assert taken == ["tap", "position", "position"]
