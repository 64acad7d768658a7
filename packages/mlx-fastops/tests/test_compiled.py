"""Functions over time compiled once per bucket of lengths."""

import copy
import threading

import mlx.core as mx
import numpy as np
import pytest
from mlx import nn

import mlx_fastops as fo
from mlx_fastops import _choices


class Smooth(nn.Module):
    """A convolution that looks to both sides, so that padding could leak into real frames."""

    def __init__(self):
        super().__init__()
        self.conv = fo.Conv1d(2, 2, 3, padding=1)
        self._on_device = fo.Bucketed(self._run, self, timed=2)

    def _run(self, mask, x, fine, shift, *, twice=False):
        x = mx.where(mask[:, None], x + shift, 0)
        for _ in range(1 + twice):
            x = mx.where(mask[:, None], self.conv(x), 0)
        return x, fine + mx.repeat(x, 3, axis=1)

    def __call__(self, x, **options):
        fine = mx.ones((x.shape[0], 3 * x.shape[1], x.shape[2]))
        return self._on_device(x, fine, mx.array(0.5), **options)

    def plain(self, x):
        y = self.conv(x + 0.5)
        return y, 1 + mx.repeat(y, 3, axis=1)


@pytest.fixture(autouse=True)
def _compiling():
    with fo.use_backend("mlx"), fo.use_compilation(True):
        yield


def test_lengths_share_what_was_compiled(compiler):
    model = Smooth()
    for frames in (1, 7, 31, 32, 33, 36):
        x = mx.random.normal((2, frames, 2))
        for found, expected in zip(model(x), model.plain(x), strict=True):
            assert found.shape == expected.shape
            np.testing.assert_allclose(np.array(found), np.array(expected), atol=1e-6)
    assert model._on_device.traces == 2
    model.conv.bias = mx.ones((2,))
    np.testing.assert_allclose(np.array(model(x)[0]), np.array(model.plain(x)[0]), atol=1e-6)
    assert model._on_device.traces == 2


def test_options_batches_and_choices_are_compiled_by_themselves(compiler):
    model, x = Smooth(), mx.ones((1, 5, 2))
    model(x)
    model(x, twice=True)
    model(mx.ones((3, 5, 2)))
    assert model._on_device.traces == 3
    with fo.use_form("lowered"):
        model(x)
    assert model._on_device.traces == 4
    model(x)
    assert model._on_device.traces == 4
    _choices.forget()  # as after a warm-up: other forms may be chosen now
    model(x)
    assert model._on_device.traces == 5


def test_many_threads_at_once():
    model, x = Smooth(), mx.ones((1, 5, 2))
    mx.eval(model.parameters(), x)
    expected = np.array(model.plain(x)[0])
    found = []

    def run():
        with fo.use_backend("mlx"), fo.use_compilation(True):
            found.append(np.array(model(x)[0]))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert model._on_device.traces <= 8  # MLX keeps what it compiled for each thread
    np.testing.assert_allclose(np.stack(found), np.stack([expected] * 8), atol=1e-6)


def test_a_copy_compiles_for_itself():
    model, x = Smooth(), mx.ones((1, 5, 2))
    model(x)
    other = copy.deepcopy(model)
    other.conv.weight = mx.zeros_like(other.conv.weight)
    assert mx.array_equal(other(x)[0], other.plain(x)[0])
    assert not mx.array_equal(other(x)[0], model(x)[0])


def test_it_is_no_parameter():
    names = [name for name, _ in nn.utils.tree_flatten(Smooth().parameters())]
    assert sorted(names) == ["conv.bias", "conv.weight"]


def test_buckets():
    sizes = [fo.bucket(n) for n in range(1, 5000)]
    assert sizes[:32] == [32] * 32
    assert all(n <= size <= max(32, 1.125 * n) for n, size in enumerate(sizes, 1))
    assert all(fo.bucket(size) == size for size in sizes)
    assert len({s for s in sizes if 1024 < s <= 2048}) == 8


def test_when_stages_are_compiled(monkeypatch):
    assert fo.compiles()
    with fo.use_backend("blas"):
        assert not fo.compiles()
    with fo.use_compilation(False):
        assert not fo.compiles()
    from mlx_fastops import _compiled

    token = _compiled._chosen.set(None)
    assert not fo.compiles()  # MLX's CPU
    monkeypatch.setattr(mx, "default_device", lambda: type("D", (), {"type": mx.DeviceType.gpu}))
    assert fo.compiles()
    _compiled._chosen.reset(token)
