"""grad, vjp, jvp, compile and vmap see through every function: no silent zero gradients."""

import mlx.core as mx
import numpy as np
import pytest
from mlx import nn

import mlx_fastops as fo


@pytest.fixture(autouse=True)
def _blas(monkeypatch):
    monkeypatch.setenv("MLX_FASTOPS_BACKEND", "blas")


def _block(x, weight):
    x = fo.native(x)
    x = fo.leaky_relu(fo.conv1d(x, weight, padding=1), 0.1)
    x = fo.native(x) + fo.gelu(x)
    return fo.to_mlx(fo.linear(x, weight[:, 0]))


X = mx.random.normal((1, 9, 4), key=mx.random.key(0))
W = mx.random.normal((4, 3, 4), key=mx.random.key(1))


def _close(a, b):
    for p, q in zip(a, b, strict=True):
        np.testing.assert_allclose(np.array(p), np.array(q), atol=1e-4)


def test_grad_for_inputs_and_weights():
    def loss(x, weight):
        return _block(x, weight).square().sum()

    blas = mx.grad(loss, argnums=(0, 1))(X, W)
    with fo.use_backend("mlx"):
        mlx = mx.grad(loss, argnums=(0, 1))(X, W)
    _close(blas, mlx)
    assert all(mx.abs(g).max().item() > 0.1 for g in blas)


def test_jvp_and_vjp():
    def product(x, w):  # MLX has no jvp for convolutions
        return fo.linear(fo.native(x), w)

    blas = mx.jvp(product, [X, W[0]], [X, W[0]]), mx.vjp(_block, [X, W], [X])
    with fo.use_backend("mlx"):
        mlx = mx.jvp(product, [X, W[0]], [X, W[0]]), mx.vjp(_block, [X, W], [X])
    for b, m in zip(blas, mlx, strict=True):
        _close(b[0] + b[1], m[0] + m[1])


def test_second_derivative():
    def inner(x):
        return (mx.grad(lambda x: fo.linear(x, W[0]).square().sum())(x) ** 2).sum()

    blas = mx.grad(inner)(X)
    with fo.use_backend("mlx"):
        _close([blas], [mx.grad(inner)(X)])


def test_layers_train():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = fo.Conv1d(4, 4, 3, padding=1)
            self.up = fo.ConvTranspose1d(4, 4, 4, stride=2, padding=1)
            self.gru = fo.GRU(4, 5)
            self.out = fo.Linear(5, 2)

        def __call__(self, x):
            return self.out(self.gru(fo.native(self.up(self.conv(x)))))

    model = Model()

    def loss(x):
        return model(x).square().sum()

    value, gradients = nn.value_and_grad(model, loss)(X)
    with fo.use_backend("mlx"):
        expected_value, expected = nn.value_and_grad(model, loss)(X)
    assert abs(value.item() - expected_value.item()) < 1e-3 * abs(value.item())
    pairs = nn.utils.tree_flatten(gradients), nn.utils.tree_flatten(expected)
    for (name, found), (_, wanted) in zip(*pairs, strict=True):
        assert mx.abs(wanted).max().item() > 0, name
        np.testing.assert_allclose(np.array(found), np.array(wanted), atol=1e-3, err_msg=name)


def test_compile_and_vmap():
    expected = _block(X, W)
    _close([mx.compile(_block)(X, W)], [expected])
    _close([mx.vmap(lambda x: _block(x, W))(X[None])[0]], [expected])


def test_traced_weights_with_numpy_input_are_refused():
    x = fo.to_numpy(X)
    with pytest.raises(ValueError, match="a weight is followed by an MLX transformation"):
        mx.grad(lambda weight: fo.to_mlx(fo.conv1d(x, weight)).sum())(W)


def test_to_numpy_refuses_traced_arrays():
    with pytest.raises(ValueError, match="followed by an MLX transformation"):
        mx.grad(lambda x: fo.to_mlx(fo.to_numpy(x)).sum())(X)


def test_blas_path_is_back_after_a_transformation():
    kept = []

    def loss(x):
        y = x * 2
        mx.eval(y)
        kept.append(y)
        return y.sum()

    mx.grad(loss)(X)
    assert isinstance(fo.native(kept[0]), np.ndarray)


def test_long_gru_on_mlx_under_grad():
    x = mx.random.normal((1, 600, 2))
    wx, wh = mx.random.normal((9, 2)), mx.random.normal((9, 3)) * 0.1
    gradient = mx.grad(lambda x: fo.gru(x, wx, wh).sum())(x)
    assert mx.abs(gradient[0, 0]).max().item() > 0
