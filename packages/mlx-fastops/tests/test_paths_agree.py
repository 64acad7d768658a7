"""The BLAS path against MLX's own ops, over random shapes and every parameter."""

import mlx.core as mx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlx_fastops as fo

SWEEP = settings(deadline=None, max_examples=80, derandomize=True)

SMALL = st.integers(1, 3)


def _both(operation, arrays, **options):
    blas = operation(*arrays, backend="blas", **options)
    mlx = operation(*map(_mlx, arrays), backend="mlx", **options)
    assert isinstance(blas, np.ndarray)
    assert isinstance(mlx, mx.array)
    assert blas.shape == tuple(mlx.shape)
    assert blas.dtype == np.float32
    np.testing.assert_allclose(blas, np.array(mlx), atol=1e-4, rtol=1e-4)


def _mlx(array):
    return None if array is None else mx.array(array)


def _normal(rng, *shape):
    return rng.standard_normal(shape).astype(np.float32)


@st.composite
def _convolutions(draw, axes, transposed):
    groups, group_in, group_out = draw(SMALL), draw(SMALL), draw(SMALL)
    taps = st.sampled_from([1, 2, 3, 5, 7, 40]) if axes == 1 else st.integers(1, 4)
    kernel = [draw(taps) for _ in range(axes)]
    stride = [draw(SMALL) for _ in range(axes)]
    dilation = [draw(SMALL) for _ in range(axes)]
    padding = [draw(st.integers(0, 6 if axes == 1 else 3)) for _ in range(axes)]
    extra = [draw(st.integers(0, max(s, d) - 1)) for s, d in zip(stride, dilation, strict=True)]
    sizes = []
    for k, s, d, p in zip(kernel, stride, dilation, padding, strict=True):
        span = d * (k - 1) + 1
        # The shortest input that leaves one output.
        least = 1 + max(0, -(-(2 * p - span + 1) // s)) if transposed else max(1, span - 2 * p)
        sizes.append(draw(st.integers(least, least + (60 if axes == 1 else 12))))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    arrays = (
        _normal(rng, draw(SMALL), *sizes, groups * group_in),
        _normal(rng, groups * group_out, *kernel, group_in),
        _normal(rng, groups * group_out) if draw(st.booleans()) else None,
    )
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    if transposed:
        options["output_padding"] = extra
    return arrays, options


@SWEEP
@given(_convolutions(1, False))
def test_conv1d(case):
    _both(fo.conv1d, case[0], **case[1])


@SWEEP
@given(_convolutions(1, True))
def test_conv_transpose1d(case):
    _both(fo.conv_transpose1d, case[0], **case[1])


@SWEEP
@given(_convolutions(2, False))
def test_conv2d(case):
    _both(fo.conv2d, case[0], **case[1])


@SWEEP
@given(_convolutions(2, True))
def test_conv_transpose2d(case):
    _both(fo.conv_transpose2d, case[0], **case[1])


@pytest.mark.parametrize(
    ("channels", "taps", "options"),
    [
        (64, 7, {"dilation": 3, "padding": 9}),
        (64, 11, {"padding": 5}),
        (48, 10, {"stride": 5}),
        (64, 64, {"groups": 4, "padding": 32}),
        (32, 5, {"groups": 32, "padding": 2}),
        (32, 3, {"stride": 2, "dilation": 2}),
    ],
)
def test_conv1d_in_many_blocks(monkeypatch, channels, taps, options):
    """Block borders are seams: with blocks of a few frames there are many of them."""
    from mlx_fastops import _blas_conv1d

    monkeypatch.setattr(_blas_conv1d, "BLOCK_BYTES", 30_000)
    rng = np.random.default_rng(0)
    groups = options.get("groups", 1)
    weight = _normal(rng, 64, taps, channels // groups)
    _both(fo.conv1d, (_normal(rng, 2, 1501, channels), weight, _normal(rng, 64)), **options)


@pytest.mark.parametrize("channels", [8, 256])
@pytest.mark.parametrize("options", [{"padding": 1}, {"padding": 2, "dilation": 2}, {"stride": 2}])
def test_conv2d_in_many_blocks(monkeypatch, channels, options):
    from mlx_fastops import _blas_conv2d

    monkeypatch.setattr(_blas_conv2d, "BLOCK_BYTES", 20_000)
    rng = np.random.default_rng(0)
    weight = _normal(rng, 5, 3, 3, channels)
    _both(fo.conv2d, (_normal(rng, 1, 37, 9, channels), weight, _normal(rng, 5)), **options)


@pytest.mark.parametrize("operation", [fo.conv1d, fo.conv_transpose1d])
def test_empty_batch(operation):
    y = operation(np.zeros((0, 5, 2), np.float32), np.ones((3, 2, 2), np.float32))
    assert y.shape == (0, 4 if operation is fo.conv1d else 6, 3)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(("batch", "frames"), [(1, 1), (1, 300), (3, 20)])
def test_gru(monkeypatch, batch, frames, bias, reverse):
    from mlx_fastops import _blas_gru

    monkeypatch.setattr(_blas_gru, "BLOCK_FRAMES", 7)
    rng = np.random.default_rng(frames)
    hidden, inputs = 5, 4
    weights = (_normal(rng, 3 * hidden, inputs), _normal(rng, 3 * hidden, hidden))
    biases = (_normal(rng, 3 * hidden), _normal(rng, hidden)) if bias else (None, None)
    h0 = _normal(rng, batch, hidden)
    x = _normal(rng, batch, frames, inputs)
    for state in (None, h0):
        blas = fo.gru(x, *weights, *biases, reverse=reverse, h0=state)
        mlx = fo.gru(x, *weights, *biases, reverse=reverse, h0=state, backend="mlx")
        np.testing.assert_allclose(blas, mlx, atol=2e-5)


def test_gru_gates_saturate_without_warnings():
    x = np.full((1, 4, 1), 1e4, np.float32)
    w = np.array([[-1], [-1], [1]], np.float32)
    y = fo.gru(x, w, np.ones((3, 1), np.float32))
    np.testing.assert_allclose(y, np.ones((1, 4, 1)))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((4, 5), (5, 3)),
        ((2, 4, 5), (2, 5, 3)),
        ((2, 4, 5), (5, 3)),
        ((3, 1, 4, 5), (2, 5, 6)),
        ((5,), (5, 3)),
        ((4, 5), (5,)),
    ],
)
def test_matmul(a, b):
    rng = np.random.default_rng(0)
    _both(fo.matmul, (_normal(rng, *a), _normal(rng, *b)))


def test_matmul_of_strided_factors():
    rng = np.random.default_rng(0)
    a = _normal(rng, 3, 8, 2, 10)[:, :, 0, ::2]
    b = _normal(rng, 3, 7, 5).swapaxes(1, 2)
    _both(fo.matmul, (a, b))


@pytest.mark.parametrize("shape", [(5,), (4, 5), (2, 3, 5), (0, 5)])
@pytest.mark.parametrize("bias", [False, True])
def test_linear(shape, bias):
    rng = np.random.default_rng(0)
    _both(fo.linear, (_normal(rng, *shape), _normal(rng, 7, 5), _normal(rng, 7) if bias else None))


def test_strided_inputs_give_the_same():
    rng = np.random.default_rng(0)
    x = _normal(rng, 2, 12, 40)
    weight = _normal(rng, 12, 5, 4).transpose(2, 1, 0)
    channels_last = x.transpose(0, 2, 1)
    np.testing.assert_allclose(
        fo.conv1d(channels_last, weight, padding=2),
        fo.conv1d(np.ascontiguousarray(channels_last), np.ascontiguousarray(weight), padding=2),
        atol=1e-5,
    )
    every_other = channels_last[:, ::2]
    np.testing.assert_allclose(
        fo.conv1d(every_other, weight), fo.conv1d(every_other.copy(), weight), atol=1e-5
    )


def test_one_channel_of_any_stride():
    """NumPy lets an axis of length 1 have any stride; what lies in memory does not change."""
    rng = np.random.default_rng(5)
    signal = rng.standard_normal(900).astype(np.float32)
    weight = mx.array(rng.standard_normal((8, 10, 1)))
    odd = np.lib.stride_tricks.as_strided(signal, (1, 900, 1), (3600, 4, 3600))
    expected = fo.conv1d(signal[None, :, None], weight, stride=5, backend="mlx")
    np.testing.assert_allclose(fo.conv1d(odd, weight, stride=5), expected, atol=1e-5)
