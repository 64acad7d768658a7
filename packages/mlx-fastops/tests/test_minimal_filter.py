"""Minimal filtering gives what plain sums give, and takes part where it should."""

import mlx.core as mx
import numpy as np
import pytest

import mlx_fastops as fo
from mlx_fastops import _blas_conv1d, _blas_conv2d, _blas_minimal
from mlx_fastops._minimal_filter import ONE, minimal_filter

RNG = np.random.default_rng(7)


@pytest.mark.parametrize(
    ("outputs", "taps", "stride"), [(4, 3, 1), (4, 4, 1), (4, 5, 1), (4, 3, 2)]
)
def test_the_form_is_a_filter(outputs, taps, stride):
    form = minimal_filter(outputs, taps, stride)
    x, w = RNG.standard_normal(form.products), RNG.standard_normal(taps)
    y = form.output_matrix @ ((form.tap_matrix @ w) * (form.input_matrix @ x))
    np.testing.assert_allclose(y, np.correlate(x, w, "valid")[::stride], atol=1e-6)
    assert np.unique(form.output_matrix[:, ONE]).size == 1  # where a bias may enter


def direct(x, weight, bias, padding, dilation):
    """The plain sum over taps in float64."""
    x = np.pad(x.astype(np.float64), ((0, 0), (padding, padding), (0, 0)))
    frames = x.shape[1] - dilation * (weight.shape[1] - 1)
    taps = weight.astype(np.float64).transpose(1, 2, 0)
    return bias + sum(x[:, k * dilation :][:, :frames] @ tap for k, tap in enumerate(taps))


@pytest.mark.parametrize("taps", [3, 4, 5, 6, 7, 8, 11, 13, 16])
@pytest.mark.parametrize("dilation", [1, 3])
@pytest.mark.parametrize("padding", [0, 2, 40])
@pytest.mark.parametrize("frames", [301, 320, 1500])
def test_equals_plain_sums(monkeypatch, taps, dilation, padding, frames):
    monkeypatch.setattr(_blas_minimal, "BLOCK", 1 << 14)  # several blocks
    x = RNG.standard_normal((2, frames, 40), dtype=np.float32)
    weight = RNG.standard_normal((33, taps, 40), dtype=np.float32) / np.sqrt(40 * taps)
    weight = weight.astype(np.float32)
    bias = RNG.standard_normal(33, dtype=np.float32)
    expected = direct(x, weight, bias, padding, dilation)
    y = fo.conv1d(x, mx.array(weight), mx.array(bias), padding=padding, dilation=dilation)
    np.testing.assert_allclose(y, expected, atol=2e-5)


@pytest.mark.parametrize("padding", [0, 1, 3])
@pytest.mark.parametrize("frames", [65, 66, 67, 68, 600, 5001])
def test_a_stride_of_two(monkeypatch, frames, padding):
    monkeypatch.setattr(_blas_minimal, "BLOCK", 1 << 14)  # several blocks
    x = RNG.standard_normal((2, frames, 130), dtype=np.float32)
    weight = (RNG.standard_normal((129, 3, 130)) / np.sqrt(390)).astype(np.float32)
    bias = RNG.standard_normal(129, dtype=np.float32)
    expected = direct(x, weight, bias, padding, 1)[:, ::2]
    y = fo.conv1d(x, mx.array(weight), mx.array(bias), padding=padding, stride=2)
    np.testing.assert_allclose(y, expected, atol=2e-5)


@pytest.mark.parametrize("channels", [32, _blas_minimal.MANY_CHANNELS])
def test_the_error_is_that_of_a_few_roundings(channels):
    x = RNG.standard_normal((1, 2000, channels), dtype=np.float32)
    weight = RNG.standard_normal((channels, 11, channels)) / np.sqrt(11 * channels)
    weight = weight.astype(np.float32)
    expected = direct(x, weight, 0, 25, 5)
    error = fo.conv1d(x, mx.array(weight), padding=25, dilation=5) - expected
    assert np.sqrt(np.mean(error**2)) < 2e-6 and np.abs(error).max() < 2e-5


@pytest.mark.parametrize(
    ("shape", "options", "takes_part"),
    [
        ((64, 7, 64), {}, True),
        ((64, 7, 64), {"dilation": 5}, True),
        ((64, 2, 64), {}, False),
        ((64, 17, 64), {}, False),
        ((16, 7, 64), {}, False),
        ((64, 7, 16), {}, False),
        ((64, 7, 32), {"groups": 2}, False),
        ((64, 7, 64), {"stride": 2}, False),
        ((64, 3, 64), {"stride": 2}, False),
        ((128, 3, 128), {"stride": 2}, True),
        ((128, 3, 128), {"stride": 2, "dilation": 2}, False),
    ],
)
def test_who_takes_part(monkeypatch, shape, options, takes_part):
    used = []

    def jobs(*arguments):
        used.append(arguments)
        return real(*arguments)

    real = _blas_conv1d.minimal_jobs
    monkeypatch.setattr(_blas_conv1d, "minimal_jobs", jobs)
    weight = RNG.standard_normal(shape, dtype=np.float32)
    x = RNG.standard_normal((1, 800, shape[2] * options.get("groups", 1)), dtype=np.float32)
    fo.conv1d(x, mx.array(weight), **options)
    assert bool(used) is takes_part
    used.clear()
    fo.conv1d(x, weight, **options)  # NumPy's own weights: rearranging them each time costs more
    fo.conv1d(x.astype(np.float64), mx.array(weight), **options)  # asked for more precision
    fo.conv1d(x[:, :35], mx.array(weight), **options)  # too short
    assert not used


CASES = [
    ((64, 7, 64), {"dilation": 3, "padding": 9}),  # minimal filtering
    ((8, 3, 8), {"padding": 1}),  # plain sums
    ((8, 3, 8), {"dilation": 4}),  # a product per tap
    ((8, 5, 8), {"dilation": 2, "padding": 4}),  # taken apart
    ((8, 3, 8), {"dilation": 2, "stride": 2}),  # unfolded
    ((8, 40, 4), {"groups": 2, "padding": 20}),  # in parts
    ((16, 3, 1), {"groups": 8, "padding": 1}),  # depthwise
]


@pytest.mark.parametrize(("shape", "options"), CASES)
@pytest.mark.parametrize("kind", [mx.array, np.asarray])
def test_activation_and_residual_are_the_same_as_apart(shape, options, kind):
    x = RNG.standard_normal((2, 200, shape[2] * options.get("groups", 1)), dtype=np.float32)
    weight = mx.array(RNG.standard_normal(shape) / np.sqrt(shape[1] * shape[2]))
    bias = mx.array(RNG.standard_normal(shape[0]))
    plain = np.asarray(fo.conv1d(fo.leaky_relu(kind(x), 0.1), weight, bias, **options))
    residual = RNG.standard_normal(plain.shape, dtype=np.float32)
    for backend in ("blas", "mlx"):
        y = fo.conv1d(
            kind(x),
            weight,
            bias,
            leaky_slope=0.1,
            residual=kind(residual),
            backend=backend,
            **options,
        )
        np.testing.assert_allclose(np.asarray(y), plain + residual, atol=1e-4)


def test_errors_name_the_residual_and_the_slope():
    x, weight = np.zeros((1, 50, 4), np.float32), np.zeros((4, 3, 4), np.float32)
    with pytest.raises(ValueError, match=r"residual has shape \(1, 50, 4\); expected .*48"):
        fo.conv1d(x, weight, residual=x)
    with pytest.raises(ValueError, match="slope is 2; expected 0 to 1"):
        fo.conv1d(x, weight, leaky_slope=2)


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize(("channels", "out_channels"), [(16, 16), (20, 33), (32, 16)])
@pytest.mark.parametrize("size", [(16, 10), (37, 20), (66, 31)])
@pytest.mark.parametrize(("kernel_w", "padding"), [(3, (1, 1)), (3, (0, 2)), (1, (2, 0)), (5, 1)])
def test_images_equal_mlx(monkeypatch, relu, channels, out_channels, size, kernel_w, padding):
    monkeypatch.setattr(_blas_minimal, "BLOCK", 1 << 12)  # several blocks
    used = []
    real = _blas_conv2d.minimal_jobs
    monkeypatch.setattr(_blas_conv2d, "minimal_jobs", lambda *a: used.append(a) or real(*a))
    if isinstance(padding, tuple) and padding[0] == 0:
        size = (size[0] + 2, size[1])
    x = mx.array(RNG.standard_normal((2, *size, channels), dtype=np.float32))
    weight = RNG.standard_normal((out_channels, 3, kernel_w, channels)) / np.sqrt(9 * channels)
    weight, bias = mx.array(weight), mx.array(RNG.standard_normal(out_channels))
    y = fo.conv2d(x, weight, bias, padding=padding, relu=relu, backend="blas")
    assert used
    expected = fo.conv2d(x, weight, bias, padding=padding, relu=relu, backend="mlx")
    assert not relu or np.asarray(y).min() == 0
    np.testing.assert_allclose(np.asarray(y), np.asarray(expected), atol=3e-5)


@pytest.mark.parametrize("channels", [4, 256])
def test_relu_without_minimal_filtering(channels):
    x = mx.array(RNG.standard_normal((1, 9, 8, channels), dtype=np.float32))
    weight = mx.array(RNG.standard_normal((6, 3, 3, channels)) / np.sqrt(9 * channels))
    plain = np.asarray(fo.conv2d(x, weight, padding=1))
    np.testing.assert_allclose(
        np.asarray(fo.conv2d(x, weight, padding=1, relu=True)), np.maximum(plain, 0), atol=1e-5
    )


def test_deep_images_share_channels_among_threads():
    """More weights than pixels: threads take output channels, and the result is the same."""
    x = mx.array(RNG.standard_normal((2, 9, 4, 256), dtype=np.float32))
    weight = mx.array(RNG.standard_normal((129, 3, 3, 256)) / np.sqrt(9 * 256))
    bias = mx.array(RNG.standard_normal(129))
    y = fo.conv2d(x, weight, bias, padding=1, backend="blas")
    expected = fo.conv2d(x, weight, bias, padding=1, backend="mlx")
    np.testing.assert_allclose(np.asarray(y), np.asarray(expected), atol=3e-5)
