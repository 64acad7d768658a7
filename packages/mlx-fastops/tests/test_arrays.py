"""Views without copies, kinds and dtypes that come back, weights that are rearranged once."""

import gc
import threading

import mlx.core as mx
import numpy as np
import pytest

import mlx_fastops as fo
from mlx_fastops import _packed


@pytest.fixture(autouse=True)
def _blas(monkeypatch):
    monkeypatch.setenv("MLX_FASTOPS_BACKEND", "blas")


def _address(array):
    return np.asarray(array).__array_interface__["data"][0]


def test_native_is_the_same_memory():
    x = mx.arange(6.0).reshape(2, 3) + 1
    view = fo.native(x)
    assert isinstance(view, np.ndarray)
    assert _address(x) == _address(view)
    assert fo.native(view) is view


def test_native_cannot_change_its_source_and_outlives_its_changes():
    x = mx.zeros(4)
    view = fo.native(x)
    with pytest.raises(ValueError, match="read-only"):
        view += 1
    x += 1
    x[0] = 7
    mx.eval(x)
    np.testing.assert_array_equal(view, np.zeros(4))


def test_native_on_mlx_is_an_mlx_array():
    with fo.use_backend("mlx"):
        assert isinstance(fo.native(np.zeros(3, np.float32)), mx.array)
        x = mx.zeros(3)
        assert fo.native(x) is x


def test_native_refuses_other_things():
    with pytest.raises(ValueError, match=r"native: found list; expected mx\.array"):
        fo.native([1, 2])


def test_to_numpy_and_to_mlx():
    x = mx.array([1.5, 2], dtype=mx.bfloat16)
    assert fo.to_numpy(x).dtype == np.float32
    assert fo.to_mlx(x) is x
    assert isinstance(fo.to_mlx(np.zeros(2)), mx.array)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("backend", ["mlx", "blas"])
def test_mlx_dtypes_come_back(dtype, backend):
    dtype = getattr(mx, dtype)
    x, w, b = mx.ones((1, 8, 4), dtype), mx.ones((2, 3, 4), dtype), mx.ones(2, dtype)
    y = fo.conv1d(x, w, b, backend=backend)
    assert isinstance(y, mx.array)
    assert y.dtype == dtype
    assert mx.all(y == 13).item()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_numpy_dtypes_come_back(dtype):
    x, w = np.ones((1, 8, 4), dtype), np.ones((2, 3, 4), dtype)
    assert fo.conv1d(x, w).dtype == dtype
    assert fo.conv1d(x, w.astype(np.float32)).dtype == np.result_type(dtype, np.float32)


def test_float16_is_summed_in_float32():
    x, w = np.full((1, 1, 4096), 1, np.float16), np.full((1, 4096), 1, np.float16)
    assert fo.linear(x, w)[0, 0, 0] == 4096  # float16 sums stop at 2048


def test_results_are_contiguous():
    x, w = np.ones((2, 9, 4), np.float32), np.ones((6, 4, 4), np.float32)
    for y in (fo.conv1d(x, w, padding=2), fo.conv_transpose1d(x, w, stride=2, padding=1)):
        assert y.flags.c_contiguous
        assert y.flags.writeable


def test_packed_weights_are_made_once_and_dropped_with_the_weight(monkeypatch):
    weight = mx.random.normal((4, 8, 3))
    x = mx.random.normal((1, 10, 3))
    made = []
    phases = fo.operations._blas_conv_transpose._phases
    monkeypatch.setattr(
        fo.operations._blas_conv_transpose,
        "_phases",
        lambda *a: (made.append(1), phases(*a))[1],
    )
    gc.collect()
    before = len(_packed._entries)
    for _ in range(3):
        fo.conv_transpose1d(x, weight, stride=4)
    assert len(made) == 1
    assert len(_packed._entries) == before + 1
    fo.conv_transpose1d(x, weight, stride=2)
    assert len(made) == 2
    del weight
    gc.collect()
    assert len(_packed._entries) == before


@pytest.mark.parametrize("dtype", [mx.float32, mx.bfloat16])
def test_packed_weights_follow_changes_in_place(dtype):
    weight = mx.random.normal((4, 8, 3)).astype(dtype)
    x = mx.random.normal((1, 10, 3)).astype(dtype)
    fo.conv_transpose1d(x, weight, stride=4)
    for _ in range(3):
        weight *= 2
        weight[0] = 1
        expected = fo.conv_transpose1d(x, weight, stride=4, backend="mlx")
        found = fo.conv_transpose1d(x, weight, stride=4)
        np.testing.assert_allclose(
            fo.to_numpy(found),
            fo.to_numpy(expected),
            rtol=2e-2,
            atol=2e-2 if dtype != mx.float32 else 1e-4,
        )


def test_numpy_weights_may_change_in_place():
    weight = np.ones((4, 8, 3), np.float32)
    x = np.ones((1, 10, 3), np.float32)
    first = fo.conv_transpose1d(x, weight, stride=4)
    weight *= 2
    np.testing.assert_allclose(fo.conv_transpose1d(x, weight, stride=4), 2 * first)


def test_threads_do_not_share_buffers():
    rng = np.random.default_rng(0)
    inputs = [rng.standard_normal((1, 400, 16)).astype(np.float32) for _ in range(4)]
    conv = mx.random.normal((16, 5, 16))
    wx, wh = mx.random.normal((48, 16)), mx.random.normal((48, 16))
    mx.eval(conv, wx, wh)

    def run(x):
        return fo.gru(fo.gelu(fo.conv_transpose1d(x, conv, stride=2, padding=2)), wx, wh)

    expected = [run(x) for x in inputs]
    found = [None] * len(inputs)

    def work(i):
        found[i] = run(inputs[i])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(inputs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for a, b in zip(expected, found, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
