"""What does not fit is refused before any path runs, with found and expected."""

import mlx.core as mx
import numpy as np
import pytest

import mlx_fastops as fo

X1, W1 = np.zeros((1, 5, 4), np.float32), np.zeros((6, 3, 4), np.float32)
X2, W2 = np.zeros((1, 5, 6, 4), np.float32), np.zeros((6, 3, 3, 4), np.float32)
B = np.zeros(6, np.float32)


@pytest.mark.parametrize("convert", [np.asarray, mx.array])
@pytest.mark.parametrize("backend", ["mlx", "blas"])
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda c, **o: fo.conv1d(c(X1[0]), c(W1), **o), r"shape \(5, 4\); expected \(batch, time"),
        (lambda c, **o: fo.conv1d(c(X1), c(W2), **o), r"weight has shape .* \(out channels, taps"),
        (lambda c, **o: fo.conv1d(c(X1[..., :3]), c(W1), **o), "has 3 channels .* expects 4"),
        (lambda c, **o: fo.conv1d(c(X1), c(W1), groups=2, **o), "has 4 channels .* expects 8"),
        (lambda c, **o: fo.conv1d(c(X1), c(W1), c(B[:2]), **o), r"bias has shape \(2,\); .*\(6,\)"),
        (
            lambda c, **o: fo.conv1d(c(X1[:, :2]), c(W1), **o),
            "is 2 long, .* spans 3: give at least 3",
        ),
        (
            lambda c, **o: fo.conv1d(c(X1), c(W1), stride=0, **o),
            "stride is 0; expected an integer >= 1",
        ),
        (
            lambda c, **o: fo.conv1d(c(X1), c(W1), padding=-1, **o),
            "padding is -1; expected an integer >= 0",
        ),
        (lambda c, **o: fo.conv1d(c(X1), c(W1), padding=(1, 1), **o), r"padding is \(1, 1\)"),
        (lambda c, **o: fo.conv1d(c(X1), c(W1), dilation=1.5, **o), "dilation is 1.5"),
        (lambda c, **o: fo.conv1d(c(X1), c(W1), groups=True, **o), "groups is True"),
        (lambda c, **o: fo.conv_transpose1d(c(X1), c(W1), padding=5, **o), "would give 0 outputs"),
        (
            lambda c, **o: fo.conv_transpose1d(c(X1), c(W1), stride=2, output_padding=2, **o),
            "output_padding is 2; expected less than the stride 2",
        ),
        (lambda c, **o: fo.conv_transpose1d(c(X1[:, :0]), c(W1), **o), "input 0 long"),
        (lambda c, **o: fo.conv2d(c(X1), c(W2), **o), r"expected \(batch, height, width"),
        (lambda c, **o: fo.conv2d(c(X2[:, :1]), c(W2), **o), "is 1 long along axis 1"),
        (lambda c, **o: fo.conv2d(c(X2), c(W2), stride=(1, 0), **o), "integer >= 1 or 2 of them"),
        (lambda c, **o: fo.conv2d(c(X2), c(W2[:5, ..., :2]), groups=2, **o), "divisor of the 5"),
        (lambda c, **o: fo.linear(c(X1), c(B), **o), r"linear: found an input of shape"),
        (lambda c, **o: fo.linear(c(X1), c(W1[:, 0]), c(B[:1]), **o), "the bias has shape"),
        (lambda c, **o: fo.matmul(c(X1), c(X1), **o), "matmul: found shapes"),
        (
            lambda c, **o: fo.gru(c(X1[0]), c(B[:, None]), c(B[:, None]), **o),
            "gru: the input has shape",
        ),
        (
            lambda c, **o: fo.gru(
                c(X1), c(np.zeros((6, 3), np.float32)), c(np.zeros((6, 2), np.float32)), **o
            ),
            r"w_ih has shape \(6, 3\); expected \(6, 4\)",
        ),
    ],
)
def test_shapes(call, message, convert, backend):
    with pytest.raises(ValueError, match=message):
        call(convert, backend=backend)


def test_kinds_and_dtypes():
    with pytest.raises(ValueError, match=r"the input is list; expected mx\.array or numpy"):
        fo.conv1d(X1.tolist(), W1)
    with pytest.raises(ValueError, match="the weight has dtype int64; expected a floating-point"):
        fo.conv1d(X1, W1.astype(np.int64))
    with pytest.raises(ValueError, match="the input has dtype int32"):
        fo.linear(mx.zeros((2, 4), mx.int32), mx.zeros((2, 4)))
    with pytest.raises(ValueError, match="gelu: the input has dtype int64"):
        fo.gelu(np.arange(3))
    with pytest.raises(ValueError, match="slope is 2; expected 0 to 1"):
        fo.leaky_relu(X1, 2)
    with pytest.raises(
        ValueError, match=r"layer_norm: the weight has shape \(6,\); expected \(4,\)"
    ):
        fo.layer_norm(X1, B)
