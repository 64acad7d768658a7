"""Every operation against torch's results, written by tools/golden_fastops.py."""

import json
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest

import mlx_fastops as fo

GOLDEN = dict(np.load(Path(__file__).parent / "golden/operations.npz"))
CASES = json.loads(str(GOLDEN["cases"]))
KINDS = pytest.mark.parametrize(("kind", "backend"), [(np.asarray, "blas"), (mx.array, "mlx")])


@KINDS
@pytest.mark.parametrize("name", CASES)
def test_convolutions(name, kind, backend):
    case = CASES[name]
    x, weight, bias, expected = (GOLDEN[f"{name}.{part}"] for part in ("x", "weight", "bias", "y"))
    operation = getattr(fo, case["operation"])
    y = operation(kind(x), kind(weight), kind(bias), backend=backend, **case["options"])
    assert y.shape == expected.shape
    np.testing.assert_allclose(np.array(y), expected, atol=2e-5)


@KINDS
@pytest.mark.parametrize("name", ["up_odd", "image_up", "image_up_wide"])
def test_output_padding_is_not_zeros_appended(name, kind, backend):
    """The defect of two ports: the last outputs are the bias alone."""
    case = CASES[name]
    options = dict(case["options"])
    x, weight, bias, expected = (GOLDEN[f"{name}.{part}"] for part in ("x", "weight", "bias", "y"))
    extra = options.pop("output_padding")
    operation = getattr(fo, case["operation"])
    short = np.array(operation(kind(x), kind(weight), kind(bias), backend=backend, **options))
    axes = x.ndim - 2
    pads = [
        (0, 0),
        *((0, e) for e in ([extra] * axes if isinstance(extra, int) else extra)),
        (0, 0),
    ]
    appended = np.pad(short - bias, pads) + bias
    assert appended.shape == expected.shape
    assert np.abs(appended - expected).max() > 0.3


@KINDS
def test_gru_with_torchs_two_biases(kind, backend):
    x = kind(GOLDEN["gru.x"])
    directions = []
    for suffix in ("", "_reverse"):
        w_ih, w_hh, b_ih, b_hh = (
            GOLDEN[f"gru.{part}_l0{suffix}"]
            for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        bias = b_ih + np.concatenate([b_hh[:10], np.zeros(5, np.float32)])
        y = fo.gru(x, w_ih, w_hh, bias, b_hh[10:], reverse=bool(suffix), backend=backend)
        directions.append(np.array(y))
    np.testing.assert_allclose(np.concatenate(directions, -1), GOLDEN["gru.y"], atol=2e-6)


@KINDS
def test_pointwise(kind, backend):
    x, w, b = (kind(GOLDEN[f"pointwise.{part}"]) for part in ("x", "weight", "bias"))
    with fo.use_backend(backend):
        results = {
            "relu": fo.relu(x),
            "leaky_relu": fo.leaky_relu(x, 0.1),
            "gelu": fo.gelu(x),
            "sigmoid": fo.sigmoid(x),
            "tanh": fo.tanh(x),
            "softmax": fo.softmax(x),
            "layer_norm": fo.layer_norm(x, w, b),
            "linear": fo.linear(x, w.reshape(1, -1), b[:1]),
            "matmul": fo.matmul(x, x.T),
        }
    for name, y in results.items():
        expected = GOLDEN[f"pointwise.{name}"]
        np.testing.assert_allclose(np.array(y), expected, atol=2e-5, rtol=2e-6, err_msg=name)
