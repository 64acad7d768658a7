"""The lowered forms against MLX's own ops: every geometry, gradients, compilation, blocks."""

import mlx.core as mx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlx_fastops as fo
from mlx_fastops import _lowered
from mlx_fastops._geometry import conv_geometry

SWEEP = settings(deadline=None, max_examples=100, derandomize=True)
SMALL = st.integers(1, 3)

LOWERED = {"conv1d": _lowered.conv1d, "conv_transpose1d": _lowered.conv_transpose1d}


def _normal(seed, *shape):
    return mx.array(np.random.default_rng(seed).standard_normal(shape).astype(np.float32))


def _lower(operation, x, weight, bias=None, **options):
    if operation == "conv_transpose1d":
        options.setdefault("output_padding", 0)
    names = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1} | options
    return LOWERED[operation](x, weight, bias, conv_geometry(operation, x, weight, bias, **names))


def _same(operation, arrays, **options):
    with fo.use_form("native"):
        expected = getattr(fo, operation)(*arrays, backend="mlx", **options)
    found = _lower(operation, *arrays, **options)
    assert found.shape == expected.shape
    np.testing.assert_allclose(np.array(found), np.array(expected), atol=1e-4, rtol=1e-4)


@st.composite
def _cases(draw, transposed):
    groups = 1 if transposed else draw(SMALL)
    group_in, group_out = draw(SMALL), draw(SMALL)
    taps = draw(st.sampled_from([1, 2, 3, 5, 8, 20]))
    stride, dilation = draw(st.integers(1, 5)), draw(SMALL)
    padding = draw(st.integers(0, 6))
    span = dilation * (taps - 1) + 1
    least = 1 + max(0, -(-(2 * padding - span + 1) // stride))
    frames = draw(st.integers(0, 40)) + (least if transposed else max(1, span - 2 * padding))
    seed = draw(st.integers(0, 99))
    arrays = (
        _normal(seed, draw(SMALL), frames, groups * group_in),
        _normal(seed + 1, groups * group_out, taps, group_in),
        _normal(seed + 2, groups * group_out) if draw(st.booleans()) else None,
    )
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    if transposed:
        options["output_padding"] = draw(st.integers(0, max(stride, dilation) - 1))
    else:
        options["groups"] = groups
    return arrays, options


@SWEEP
@given(_cases(False))
def test_conv1d(case):
    _same("conv1d", case[0], **case[1])


@SWEEP
@given(_cases(True))
def test_conv_transpose1d(case):
    _same("conv_transpose1d", case[0], **case[1])


# Real geometries with fewer channels: HuBERT's positional and first convolutions, the vocoder's
# last one, its source convolutions and its upsamplings at 48, 40, 32 and 44.1 kHz.
REAL = [
    ("conv1d", 24, 24, 128, {"padding": 64, "groups": 4}),
    ("conv1d", 1, 32, 10, {"stride": 5}),
    ("conv1d", 16, 16, 3, {"stride": 2}),
    ("conv1d", 16, 8, 1, {}),
    ("conv1d", 32, 1, 7, {"padding": 3}),
    ("conv1d", 1, 16, 80, {"stride": 40}),
    ("conv1d", 1, 8, 4, {"stride": 2, "padding": 1}),
    ("conv_transpose1d", 16, 8, 24, {"stride": 12, "padding": 6}),
    ("conv_transpose1d", 16, 8, 16, {"stride": 10, "padding": 3}),
    ("conv_transpose1d", 16, 8, 4, {"stride": 2, "padding": 1}),
    ("conv_transpose1d", 8, 4, 14, {"stride": 7, "padding": 4, "output_padding": 1}),
    ("conv_transpose1d", 8, 4, 3, {"stride": 3, "padding": 0}),
]


@pytest.mark.parametrize(("operation", "inputs", "outputs", "taps", "options"), REAL)
def test_real_geometries_in_many_blocks(monkeypatch, operation, inputs, outputs, taps, options):
    monkeypatch.setattr(_lowered, "BLOCK_NUMBERS", 7000)
    groups = options.get("groups", 1)
    weight = _normal(1, outputs, taps, inputs // groups)
    _same(operation, (_normal(0, 2, 203, inputs), weight, _normal(2, outputs)), **options)


@pytest.mark.parametrize(
    ("operation", "inputs", "outputs", "taps", "options"), REAL[:2] + REAL[7:8]
)
def test_blocks_stay_under_the_bound(monkeypatch, operation, inputs, outputs, taps, options):
    """The rows of one product, which a backend may copy, are counted in the graph itself."""
    monkeypatch.setattr(_lowered, "BLOCK_NUMBERS", 20_000)
    sizes = []
    as_strided = mx.as_strided

    def spy(array, shape, *rest):
        sizes.append(np.prod(shape))
        return as_strided(array, shape, *rest)

    monkeypatch.setattr(mx, "as_strided", spy)
    weight = _normal(1, outputs, taps, inputs // options.get("groups", 1))
    _lower(operation, _normal(0, 1, 400, inputs), weight, **options)
    assert len(sizes) > 1 or sum(sizes) <= 20_000
    assert max(sizes) <= 20_000


@pytest.mark.parametrize(("operation", "inputs", "outputs", "taps", "options"), REAL)
def test_gradients_and_compilation(operation, inputs, outputs, taps, options):
    weight = _normal(1, outputs, taps, inputs // options.get("groups", 1)) * 0.1
    arrays = (_normal(0, 1, 150, inputs), weight, _normal(2, outputs))

    def loss(*arrays):
        return fo.__dict__[operation](*arrays, backend="mlx", **options).square().mean()

    results = {}
    for form in ("native", "lowered"):
        with fo.use_form(form):
            results[form] = [mx.compile(loss)(*arrays), *mx.grad(loss, argnums=(0, 1, 2))(*arrays)]
    for found, expected in zip(results["lowered"], results["native"], strict=True):
        assert mx.abs(expected).max().item() > 1e-4
        np.testing.assert_allclose(np.array(found), np.array(expected), atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("dtype", [mx.float16, mx.bfloat16])
def test_half_precision_stays_half(dtype):
    x, weight = _normal(0, 1, 40, 4).astype(dtype), _normal(1, 6, 5, 4).astype(dtype)
    y = _lower("conv1d", x, weight, padding=2)
    assert y.dtype == dtype
    expected = np.array(mx.conv1d(x.astype(mx.float32), weight.astype(mx.float32), padding=2))
    np.testing.assert_allclose(np.array(y.astype(mx.float32)), expected, atol=0.2)


@pytest.mark.parametrize("form", ["native", "lowered"])
def test_use_form_decides_what_runs(monkeypatch, form):
    seen = []
    lowered = _lowered.conv1d
    monkeypatch.setattr(_lowered, "conv1d", lambda *a: (seen.append("lowered"), lowered(*a))[1])
    with fo.use_form(form):
        fo.conv1d(_normal(0, 1, 30, 1), _normal(1, 4, 3, 1), backend="mlx")
    assert seen == (["lowered"] if form == "lowered" else [])


def test_use_form_refuses_other_names():
    with pytest.raises(ValueError, match="use_form is 'fast'; expected 'native' or 'lowered'"):
        fo.use_form("fast").__enter__()


def test_an_empty_batch_needs_no_form():
    with fo.use_form("lowered"):
        assert fo.conv1d(mx.zeros((0, 9, 1)), mx.zeros((2, 3, 1)), backend="mlx").shape == (0, 7, 2)
