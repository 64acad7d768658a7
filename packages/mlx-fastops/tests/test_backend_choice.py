"""Which path runs: argument before context before environment before device."""

import os
import subprocess
import sys
import threading

import mlx.core as mx
import numpy as np
import pytest

import mlx_fastops as fo
from mlx_fastops import operations


@pytest.fixture(autouse=True)
def _nothing_forced(monkeypatch):
    monkeypatch.delenv("MLX_FASTOPS_BACKEND", raising=False)


@pytest.fixture
def ran(monkeypatch):
    """Names of the paths that linear() took."""
    seen = []
    dispatch = operations.dispatch

    def spy(name, arrays, mlx_op, blas_op, backend):
        return dispatch(
            name,
            arrays,
            lambda *a: (seen.append("mlx"), mlx_op(*a))[1],
            lambda *a: (seen.append("blas"), blas_op(*a))[1],
            backend,
        )

    monkeypatch.setattr(operations, "dispatch", spy)
    return seen


def _linear(x, **options):
    return fo.linear(x, mx.ones((2, 3)), **options)


def test_device_decides(monkeypatch):
    with mx.stream(mx.cpu):
        assert fo.selected_backend() == "blas"
    monkeypatch.setattr(mx, "default_device", lambda: type("D", (), {"type": mx.DeviceType.gpu}))
    assert fo.selected_backend() == "mlx"


def test_environment_decides(monkeypatch, ran):
    monkeypatch.setenv("MLX_FASTOPS_BACKEND", "mlx")
    assert fo.selected_backend() == "mlx"
    _linear(mx.ones((1, 3)))
    monkeypatch.setenv("MLX_FASTOPS_BACKEND", "blas")
    _linear(mx.ones((1, 3)))
    assert ran == ["mlx", "blas"]


def test_context_beats_environment_and_argument_beats_context(monkeypatch, ran):
    monkeypatch.setenv("MLX_FASTOPS_BACKEND", "blas")
    with fo.use_backend("mlx"):
        assert fo.selected_backend() == "mlx"
        _linear(mx.ones((1, 3)))
        _linear(mx.ones((1, 3)), backend="blas")
        with fo.use_backend("auto"):
            _linear(np.ones((1, 3), np.float32))
    assert fo.selected_backend() == "blas"
    assert ran == ["mlx", "blas", "blas"]


def test_numpy_goes_through_mlx_when_forced(ran):
    y = _linear(np.ones((1, 3), np.float32), backend="mlx")
    assert ran == ["mlx"]
    assert isinstance(y, np.ndarray)
    np.testing.assert_array_equal(y, [[3, 3]])


def test_numpy_takes_blas_even_where_mlx_is_the_choice_of_the_device(monkeypatch, ran):
    monkeypatch.setattr(mx, "default_device", lambda: type("D", (), {"type": mx.DeviceType.gpu}))
    _linear(np.ones((1, 3), np.float32))
    assert ran == ["blas"]


def test_the_context_is_left_after_an_error_and_not_seen_by_other_threads():
    with pytest.raises(RuntimeError), fo.use_backend("mlx"):
        raise RuntimeError
    with mx.stream(mx.cpu):
        assert fo.selected_backend() == "blas"
    seen = []
    with fo.use_backend("mlx"):
        thread = threading.Thread(target=lambda: seen.append(fo.selected_backend("auto")))
        thread.start()
        thread.join()
        assert fo.selected_backend() == "mlx"
    assert seen == [fo.selected_backend()]


@pytest.mark.parametrize("wrong", ["BLAS", "torch", "gpu"])
def test_wrong_names(monkeypatch, wrong):
    with pytest.raises(ValueError, match=f"backend is '{wrong}'; expected 'auto', 'mlx' or 'blas'"):
        _linear(mx.ones((1, 3)), backend=wrong)
    with pytest.raises(ValueError, match="use_backend is"), fo.use_backend(wrong):
        pass
    monkeypatch.setenv("MLX_FASTOPS_BACKEND", wrong)
    with pytest.raises(ValueError, match=f"MLX_FASTOPS_BACKEND is '{wrong}'; expected"):
        fo.selected_backend()


def test_environment_of_a_new_process():
    environment = os.environ | {"MLX_FASTOPS_BACKEND": "mlx"}
    code = "import mlx_fastops; print(mlx_fastops.selected_backend())"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "mlx"
