"""Blocks on threads: all done, errors come out, OpenBLAS gets its threads back."""

import os
import threading

import numpy as np
import pytest

import mlx_fastops as fo
from mlx_fastops import _parallel


@pytest.fixture
def blas(monkeypatch):
    """An OpenBLAS that may use three threads, whatever this machine has."""
    state = {"threads": 3, "set": []}

    def put(threads):
        state["threads"] = threads
        state["set"].append(threads)

    monkeypatch.setattr(_parallel, "_openblas", lambda: (lambda: state["threads"], put))
    return state


def test_numpy_of_this_environment_is_found_or_does_without():
    found = _parallel._openblas()
    assert _parallel.thread_count() == (1 if found is None else found[0]())


def test_all_jobs_run_once_on_several_threads(blas):
    done, threads = [], set()
    barrier = threading.Barrier(3, timeout=30)

    def job(i):
        if i < 3:
            barrier.wait()  # passes only if three jobs run at the same time
        assert blas["threads"] == 1
        done.append(i)
        threads.add(threading.get_ident())

    _parallel.run([lambda i=i: job(i) for i in range(20)])
    assert sorted(done) == list(range(20))
    assert len(threads) == 3
    assert blas["set"] == [1, 3]


def test_errors_come_out_and_threads_come_back(blas):
    def fail():
        raise RuntimeError("a block failed")

    for jobs in ([fail] * 5, [lambda: None] * 4 + [fail]):
        with pytest.raises(RuntimeError, match="a block failed"):
            _parallel.run(jobs)
        assert blas["threads"] == 3


def test_overlapping_regions_restore_once(blas):
    with _parallel.one_blas_thread():
        assert _parallel.thread_count() == 3
        _parallel.run([lambda: None] * 3)
        assert blas["threads"] == 1
    assert blas["set"] == [1, 3]


def test_a_job_that_runs_jobs_does_not_wait_for_itself(blas):
    done = []
    _parallel.run([lambda: _parallel.run([lambda: done.append(1)] * 4)] * 4)
    assert len(done) == 16


def test_small_work_stays_on_one_thread(blas):
    assert _parallel.block_count(100, 40, 1 << 20) == 1
    assert _parallel.block_count(1 << 20, 4, 1 << 20) == 6
    assert _parallel.block_count(0, 4, 1 << 20) == 1


def test_same_results_with_threads(blas):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 3000, 32)).astype(np.float32)
    w = rng.standard_normal((32, 7, 32)).astype(np.float32)
    image, kernel = (
        x.reshape(2, 300, 10, 32),
        w[:, :3, None, :] + np.zeros((1, 1, 3, 1), np.float32),
    )

    def everything():
        return [
            fo.conv1d(x, w, padding=9, dilation=3),
            fo.conv_transpose1d(x, w, stride=3, padding=2),
            fo.conv2d(image, kernel, padding=1),
            fo.conv_transpose2d(image, kernel, stride=2, padding=1, output_padding=1),
            fo.matmul(x, x[:, :8].swapaxes(1, 2)),
            fo.gelu(x),
            fo.sigmoid(x),
        ]

    threaded = everything()
    assert 1 in blas["set"]
    blas["threads"] = 1
    for a, b in zip(threaded, everything(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_makes_its_own_threads(blas):
    _parallel.run([lambda: None] * 3)
    child = os.fork()
    if child == 0:
        _parallel.run([lambda: None] * 3)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
