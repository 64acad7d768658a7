"""The fused GRU: its arithmetic, run on the CPU from the very text of the kernel; and its fallback.

The kernel's body is compiled as C++ with macros of its own: a group's threads become threads of the
operating system, its barrier a barrier among them.
"""

import ctypes
import os
import shutil
import subprocess
import warnings

import mlx.core as mx
import numpy as np
import pytest

import mlx_fastops as fo
from mlx_fastops import _fused_gru, _gru_kernel, _mlx_gru

SIZES = [(1, 1), (4, 1), (6, 1), (6, 2), (32, 1), (32, 2), (5, 2)]  # hidden, directions

SHIM = """
#include <barrier>
#include <cmath>
#include <thread>
#include <vector>
#define GRU_SHARED(name, count) static float name[count]
#define GRU_BARRIER() barrier.arrive_and_wait()
#define GRU_EXP(x) std::exp(x)
typedef long long gru_index;
template <int HIDDEN, int SPLITS, int DIRECTIONS>
void body(int lane, int group, std::barrier<>& barrier, const float* gates, const float* u,
          const float* bhn, const float* h0, const int* params, float* out, float* last) {
%s
}
template <int HIDDEN, int SPLITS, int DIRECTIONS>
void run(const float* gates, const float* u, const float* bhn, const float* h0, const int* params,
         float* out, float* last) {
  for (int group = 0; group < params[0] * DIRECTIONS; ++group) {
    std::barrier<> barrier(HIDDEN * SPLITS);
    std::vector<std::thread> lanes;
    for (int lane = 0; lane < HIDDEN * SPLITS; ++lane) {
      lanes.emplace_back([&, lane] {
        body<HIDDEN, SPLITS, DIRECTIONS>(lane, group, barrier, gates, u, bhn, h0, params, out, last);
      });
    }
    for (auto& lane : lanes) lane.join();
  }
}
"""

ENTRY = """
extern "C" void gru_%d_%d(const float* gates, const float* u, const float* bhn, const float* h0,
                          const int* params, float* out, float* last) {
  run<%d, %d, %d>(gates, u, bhn, h0, params, out, last);
}
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    compiler = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++")
    assert compiler, (
        "these tests compile the kernel's text: install a C++ compiler, or name it: CXX"
    )
    folder = tmp_path_factory.mktemp("kernel")
    entries = [ENTRY % (h, d, h, min(3, _gru_kernel.splits(h)), d) for h, d in SIZES]
    (folder / "gru.cpp").write_text(SHIM % _gru_kernel.BODY + "".join(entries))
    command = [
        compiler,
        "-std=c++20",
        "-O1",
        "-shared",
        "-fPIC",
        "-pthread",
        "gru.cpp",
        "-o",
        "gru.so",
    ]
    subprocess.run(command, cwd=folder, check=True)
    return ctypes.CDLL(str(folder / "gru.so"))


@pytest.fixture
def launches():
    return []


@pytest.fixture
def emulated(library, launches):
    """A launch as on a GPU, of the same arrays and parameters."""

    def launch(gates, u, bhn, h0, params):
        directions, batch, hidden = h0.shape
        assert gates.shape == (params[0], params[1], directions, 3 * hidden)
        assert u.shape == (directions, hidden, 3 * hidden)
        assert bhn.shape == (directions, hidden)
        assert 4 + directions == len(params)
        out = np.full((directions, batch, params[3], hidden), np.nan, np.float32)
        last = np.full((directions, batch, hidden), np.nan, np.float32)
        inputs = [np.ascontiguousarray(np.array(a)) for a in (gates, u, bhn, h0)]
        inputs.append(np.array(params, np.int32))
        function = getattr(library, f"gru_{hidden}_{directions}")
        function(*(ctypes.c_void_p(a.ctypes.data) for a in (*inputs, out, last)))
        launches.append(params[3])
        return mx.array(out), mx.array(last)

    return launch


wanted = _fused_gru._wanted


@pytest.fixture(autouse=True)
def _as_if_on_a_gpu(monkeypatch):
    """The choice as on a GPU, with nothing remembered of other tests; the device stays the CPU."""
    monkeypatch.setattr(_fused_gru, "_checked", {})
    monkeypatch.setattr(_fused_gru, "_failed", set())
    monkeypatch.setattr(_fused_gru, "_launch", None)
    monkeypatch.setattr(_fused_gru, "_wanted", lambda hidden, arrays: True)
    monkeypatch.setattr(_fused_gru, "STEPS_PER_LAUNCH", 5)
    with fo.use_backend("mlx"):
        yield


def _normal(seed, *shape):
    return mx.array(np.random.default_rng(seed).standard_normal(shape).astype(np.float32))


def _weights(hidden, inputs=3, seed=0):
    recurrent = _normal(seed + 1, 3 * hidden, hidden) * hidden**-0.5
    return _normal(seed, 3 * hidden, inputs), recurrent, _normal(2, 3 * hidden), _normal(3, hidden)


def _close(found, expected, atol=2e-6):
    np.testing.assert_allclose(np.array(found), np.array(expected), atol=atol)


@pytest.mark.parametrize(("hidden", "directions"), SIZES)
def test_self_check_passes(emulated, hidden, directions, launches):
    assert _fused_gru._self_check(emulated, hidden, directions) < 2e-6
    assert launches == [4, 3]


@pytest.mark.parametrize("frames", [1, 4, 5, 12])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("bare", [False, True])
def test_one_direction(monkeypatch, emulated, launches, frames, reverse, bare):
    x, h0 = _normal(5, 2, frames, 3), _normal(6, 2, 6)
    weights = _weights(6)
    if bare:
        weights, h0 = (*weights[:2], None, None), None
    expected = _mlx_gru.gru(x, *weights, h0, reverse=reverse)
    monkeypatch.setattr(_gru_kernel, "gpu_launch", lambda: emulated)
    _close(fo.gru(x, *weights, reverse=reverse, h0=h0), expected)
    assert launches[2:] == [5] * (frames // 5) + [frames % 5] * (frames % 5 > 0)


def test_both_directions_share_their_launches(monkeypatch, emulated, launches):
    x, one, other = _normal(5, 2, 12, 3), _weights(6), _weights(6, seed=7)
    states = _normal(8, 2, 6), _normal(9, 2, 6)
    monkeypatch.setattr(_gru_kernel, "gpu_launch", lambda: emulated)
    found = fo.bidirectional_gru(x, one, other, h0_forward=states[0], h0_backward=states[1])
    _close(found[0], _mlx_gru.gru(x, *one, states[0], reverse=False))
    _close(found[1], _mlx_gru.gru(x, *other, states[1], reverse=True))
    assert launches[2:] == [5, 5, 2]


def test_gates_saturate(emulated):
    x = mx.array([[[1e4], [-1e4], [1e4]]])
    cell = _fused_gru.Cell(
        mx.array([[1.0], [-1.0], [1.0]]), mx.ones((3, 1)), None, None, None, False
    )
    expected = _mlx_gru.gru(x, *cell[:5], reverse=False)
    _close(_fused_gru._launched(_fused_gru._gates(x, [cell]), [cell], emulated)[0], expected)


@pytest.mark.parametrize("dtype", [mx.float16, mx.bfloat16])
def test_half_precision(monkeypatch, emulated, dtype):
    x, weights = _normal(5, 1, 6, 3).astype(dtype), [w.astype(dtype) for w in _weights(6)]
    monkeypatch.setattr(_gru_kernel, "gpu_launch", lambda: emulated)
    y = fo.gru(x, *weights)
    assert y.dtype == dtype
    full = [w.astype(mx.float32) for w in (x, *weights)]
    _close(y.astype(mx.float32), _mlx_gru.gru(*full, None, reverse=False), atol=0.05)


def test_gradients_take_mlx_ops(monkeypatch, emulated, launches):
    monkeypatch.setattr(_gru_kernel, "gpu_launch", lambda: emulated)
    x, weights = _normal(5, 1, 6, 3), _weights(6)
    for argument in range(5):  # one of them followed is enough
        found = mx.grad(lambda *a: fo.gru(*a).square().sum(), argnums=argument)(x, *weights)
        expected = mx.grad(
            lambda *a: _mlx_gru.gru(*a, None, reverse=False).square().sum(), argnums=argument
        )(x, *weights)
        assert mx.abs(expected).max().item() > 1e-2
        _close(found, expected, atol=1e-5)
    assert launches == []


def test_compile_and_vmap_take_mlx_ops(monkeypatch, emulated, launches):
    monkeypatch.setattr(_gru_kernel, "gpu_launch", lambda: emulated)
    x, weights = _normal(5, 3, 2, 2, 3), _weights(6)
    expected = mx.stack([_mlx_gru.gru(one, *weights, None, reverse=False) for one in x])
    _close(mx.compile(lambda x: fo.gru(x, *weights))(x[0]), expected[0])
    _close(mx.vmap(lambda x: fo.gru(x, *weights))(x), expected)
    assert launches == []


def _wrong(launch):
    def shifted(*arguments):
        out, last = launch(*arguments)
        return out + 1e-3, last

    return shifted


def _not_a_number(launch):
    return lambda *arguments: tuple(array * float("nan") for array in launch(*arguments))


def _raising(launch):
    def refused(*arguments):
        raise RuntimeError("no such instruction\nin line 3")

    return refused


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (_wrong, "its error is 1.0e-03"),
        (_not_a_number, "its error is inf"),
        (_raising, "it failed .no such instruction.; MLX"),
    ],
)
def test_a_bad_kernel_warns_once_and_is_not_used_again(monkeypatch, emulated, launches, bad, says):
    monkeypatch.setattr(_gru_kernel, "gpu_launch", lambda: bad(emulated))
    x, weights = _normal(5, 1, 7, 3), _weights(6)
    expected = _mlx_gru.gru(x, *weights, None, reverse=False)
    with pytest.warns(RuntimeWarning, match=says):
        y = fo.gru(x, *weights)
    _close(y, expected)
    count = len(launches)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _close(fo.gru(x, *weights), expected)
        fo.bidirectional_gru(x, weights, weights)
    assert len(launches) == count


def test_where_there_is_no_gpu_the_kernel_itself_is_refused():
    """The real one, on this machine's CPU: MLX says no, and the numbers are right."""
    x, weights = _normal(5, 1, 7, 3), _weights(6)
    with pytest.warns(RuntimeWarning, match="it failed"), mx.stream(mx.cpu):
        y = fo.gru(x, *weights)
    _close(y, _mlx_gru.gru(x, *weights, None, reverse=False))


def test_each_size_is_checked_once(monkeypatch, emulated, launches):
    monkeypatch.setattr(_gru_kernel, "gpu_launch", lambda: emulated)
    for hidden in (6, 6, 32):
        fo.gru(_normal(5, 1, 3, 3), *_weights(hidden))
    assert launches == [4, 3, 3, 3, 4, 3, 3]


@pytest.mark.parametrize("hidden", [1, 7, 128, 200, 256, 512, 1000, 1024])
def test_threads_of_a_group(hidden):
    assert 1 <= hidden * _gru_kernel.splits(hidden) <= 1024
    assert _gru_kernel.splits(256) == 4


def test_bidirectional_on_blas_and_its_errors():
    x, one, other = _normal(5, 2, 12, 3), _weights(6), _weights(5, seed=7)
    with fo.use_backend("blas"):
        found = fo.bidirectional_gru(x, one, other)
    _close(found[0], _mlx_gru.gru(x, *one, None, reverse=False), atol=1e-5)
    _close(found[1], _mlx_gru.gru(x, *other, None, reverse=True), atol=1e-5)
    with pytest.raises(ValueError, match="backward has 2 arrays; expected w_ih, w_hh, b, bhn"):
        fo.bidirectional_gru(x, one, other[:2])
    with pytest.raises(ValueError, match="w_ih or w_hh is None"):
        fo.bidirectional_gru(x, (None, *one[1:]), (None, *one[1:]))
    with pytest.raises(ValueError, match="gru: h0 has shape"):
        fo.bidirectional_gru(x, one, one, h0_forward=mx.zeros((1, 6)))


def test_when_the_kernel_is_wanted(monkeypatch):
    arrays = [_normal(0, 1, 2, 3), *_weights(6)]
    assert not wanted(6, arrays)  # the device is the CPU
    monkeypatch.setattr(mx, "default_device", lambda: type("D", (), {"type": mx.DeviceType.gpu}))
    assert wanted(6, arrays)
    assert not wanted(1025, arrays)
    assert not wanted(6, [arrays[0].astype(mx.float16), *arrays[1:]])
    monkeypatch.setenv("MLX_FASTOPS_FUSED_GRU", "off")
    assert not wanted(6, arrays)
    monkeypatch.setenv("MLX_FASTOPS_FUSED_GRU", "no")
    with pytest.raises(ValueError, match="MLX_FASTOPS_FUSED_GRU is 'no'; expected 'auto' or 'off'"):
        wanted(6, arrays)
