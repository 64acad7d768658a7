"""warmup: measures once, remembers per device and version, and never lets a bad cache hurt."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest

import mlx_fastops as fo
from mlx_fastops import _choices, _lowered, _mlx_conv, _tuning
from mlx_fastops._forms import Signature, form_for

X = mx.random.normal((1, 200, 1), key=mx.random.key(0))
W = mx.random.normal((8, 10, 1), key=mx.random.key(1))
KEY = "conv1d 1 8 10 5 1 1 float32 256 1"


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("MLX_FASTOPS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MLX_FASTOPS_TUNING", "auto")
    _choices.forget()
    with fo.use_backend("mlx"):
        yield
    _choices.forget()


def _run():
    return fo.conv1d(X, W, stride=5)


@pytest.fixture
def times(monkeypatch):
    """Seconds that 256 frames take in each form, on a clock that only these tests move."""
    cost, now = {}, [0.0]
    run = _tuning._run

    def timed(s, form, x, *rest):
        now[0] += cost.get(form, 0.001) * x.shape[1] / 256
        return run(s, form, x, *rest)

    monkeypatch.setattr(_tuning, "_run", timed)
    monkeypatch.setattr(_tuning.time, "perf_counter", lambda: now[0])
    return cost


@pytest.fixture
def lowered_calls(monkeypatch):
    calls = []
    lowered = _lowered.conv1d
    monkeypatch.setattr(_lowered, "conv1d", lambda *a: (calls.append(1), lowered(*a))[1])
    return calls


@pytest.mark.parametrize(("slow", "faster"), [("native", "lowered"), ("lowered", "native")])
def test_the_faster_form_runs_afterwards(times, lowered_calls, slow, faster):
    native = np.array(_run())
    assert lowered_calls == []  # nothing measured: MLX's own op
    times[slow] = 0.01
    assert fo.warmup(_run) == {KEY: faster}
    lowered_calls.clear()
    np.testing.assert_allclose(np.array(_run()), native, atol=1e-5)
    assert len(lowered_calls) == (faster == "lowered")


def test_equal_forms_stay_native(times):
    assert fo.warmup(_run) == {KEY: "native"}


def test_a_second_warmup_measures_nothing(times):
    runs = []
    times["native"] = 0.01
    assert fo.warmup(lambda: (runs.append(1), _run())[1])
    assert fo.warmup(lambda: (runs.append(1), _run())[1]) == {}
    assert len(runs) == 2


def test_another_process_reads_the_choice(times):
    times["native"] = 0.01
    fo.warmup(_run)
    code = (
        "import mlx_fastops._forms as f;"
        "s = f.Signature('conv1d', 1, 8, 10, 5, 1, 1, 'float32', 256, 1); print(f.form_for(s))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "lowered"


def test_real_times_end_within_the_budget():
    start = _tuning.time.perf_counter()
    chosen = fo.warmup(
        lambda: (_run(), fo.conv_transpose1d(_run(), mx.repeat(W[:, :4], 8, axis=2)))
    )
    assert _tuning.time.perf_counter() - start < 10
    assert set(chosen.values()) <= {"native", "lowered"}
    assert {key.split()[0] for key in chosen} == {"conv1d", "conv_transpose1d"}


def test_most_work_first_and_the_rest_waits(times):
    wide = mx.random.normal((64, 10, 1))
    times["native"] = times["lowered"] = 0.1

    def run():
        return _run(), fo.conv1d(X, wide, stride=5)

    # Each costs 4 runs on 16 frames, then 12 on as many frames as 20 would leave time for.
    first = fo.warmup(run, seconds=0.6)
    assert list(first) == [KEY.replace(" 8 ", " 64 ")]
    assert list(fo.warmup(run, seconds=60)) == [KEY]
    assert fo.warmup(run, seconds=60) == {}


def test_no_time_no_choice(times, lowered_calls):
    assert fo.warmup(_run, seconds=0) == {}
    assert lowered_calls == []
    with pytest.raises(ValueError, match="seconds is -1; expected 0 or more"):
        fo.warmup(_run, seconds=-1)


@pytest.mark.parametrize("trouble", ["wrong", "fails"])
def test_a_form_that_is_wrong_or_fails_on_a_device_is_never_taken(monkeypatch, times, trouble):
    times["native"] = 1.0
    lowered = _lowered.conv1d

    def bad(*arguments):
        if trouble == "fails":
            raise RuntimeError("out of memory")
        return lowered(*arguments) * 1.5

    monkeypatch.setattr(_lowered, "conv1d", bad)
    assert fo.warmup(_run) == {KEY: "native"}


def test_off_measures_nothing_and_heeds_nothing(monkeypatch, times, lowered_calls):
    times["native"] = 0.01
    fo.warmup(_run)
    lowered_calls.clear()
    monkeypatch.setenv("MLX_FASTOPS_TUNING", "off")
    runs = []
    assert fo.warmup(lambda: (runs.append(1), _run())[1]) == {}
    assert (runs, lowered_calls) == ([1], [])
    monkeypatch.setenv("MLX_FASTOPS_TUNING", "fast")
    with pytest.raises(ValueError, match="MLX_FASTOPS_TUNING is 'fast'; expected 'auto' or 'off'"):
        _run()


def test_the_blas_path_is_only_run():
    runs = []
    with fo.use_backend("blas"):
        assert fo.warmup(lambda: (runs.append(1), _run())[1]) == {}
    assert runs == [1]


def test_warmup_leaves_the_random_state_alone():
    mx.random.seed(3)
    expected = np.array(mx.random.normal((3,)))
    mx.random.seed(3)
    fo.warmup(_run)
    np.testing.assert_array_equal(np.array(mx.random.normal((3,))), expected)


GOOD = {"format": 1, "devices": {}}
BAD = [
    b"",
    b"\xff\xfe{",
    b"[]",
    b'{"format": 2, "devices": {"x": {}}}',
    b'{"format": 1, "devices": [1]}',
    b'{"format": 1, "devices": {"x": 3}}',
    b"[" * 100_000,
]


@pytest.mark.parametrize("content", BAD)
def test_a_damaged_cache_is_as_none_and_is_replaced(times, content):
    path = _choices.cache_file()
    path.parent.mkdir()
    path.write_bytes(content)
    _run()
    times["native"] = 0.01
    assert fo.warmup(_run) == {KEY: "lowered"}
    assert json.loads(path.read_text())["devices"][_choices.device_key()] == {KEY: "lowered"}


def test_unknown_words_in_the_cache_are_passed_over():
    path = _choices.cache_file()
    path.parent.mkdir()
    devices = {_choices.device_key(): {KEY: "quantum"}, "another device": {KEY: "lowered"}}
    path.write_text(json.dumps(GOOD | {"devices": devices}))
    assert form_for(Signature("conv1d", 1, 8, 10, 5, 1, 1, "float32", 256, 1)) == "native"


def test_what_another_process_wrote_stays(times):
    fo.warmup(_run)
    path = _choices.cache_file()
    data = json.loads(path.read_text())
    data["devices"]["another device"] = {KEY: "lowered"}
    data["devices"][_choices.device_key()]["of another process"] = "native"
    path.write_text(json.dumps(data))
    wide = mx.random.normal((64, 10, 1))
    fo.warmup(lambda: fo.conv1d(X, wide, stride=5))
    kept = json.loads(path.read_text())["devices"]
    assert kept["another device"] == {KEY: "lowered"}
    assert len(kept[_choices.device_key()]) == 3


def test_a_cache_that_cannot_be_written_still_chooses(times, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("MLX_FASTOPS_CACHE", str(tmp_path / "file"))
    times["native"] = 0.01
    assert fo.warmup(_run) == {KEY: "lowered"}
    assert form_for(Signature("conv1d", 1, 8, 10, 5, 1, 1, "float32", 256, 1)) == "lowered"


def test_where_the_cache_lies(monkeypatch):
    monkeypatch.delenv("MLX_FASTOPS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert _choices.cache_file().parent == Path("/xdg/mlx-fastops")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert "ache" in str(_choices.cache_file())


def test_many_threads_see_one_choice(times):
    times["native"] = 0.01
    fo.warmup(_run)
    signature = Signature("conv1d", 1, 8, 10, 5, 1, 1, "float32", 256, 1)
    _choices.forget()
    forms = []
    threads = [threading.Thread(target=lambda: forms.append(form_for(signature))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert forms == ["lowered"] * 8


def test_lengths_share_a_power_of_two():
    g = type("G", (), {"kernel": (3,), "stride": (1,), "dilation": (1,), "groups": 1})()
    lengths = [
        _mlx_conv.signature("conv1d", mx.zeros((1, n, 1)), mx.zeros((1, 3, 1)), g).length
        for n in (0, 1, 2, 3, 4, 5, 1024, 1025)
    ]
    assert lengths == [1, 1, 2, 4, 4, 8, 1024, 2048]


def test_an_unknown_length_takes_the_choice_of_the_nearest():
    keys = {KEY: "native", KEY.replace("256", "4096"): "lowered", "of a later version": "lowered"}
    _choices.remember(keys)
    signature = Signature("conv1d", 1, 8, 10, 5, 1, 1, "float32", 256, 1)
    lengths = (1, 256, 512, 2048, 4096, 1 << 20)
    forms = [form_for(signature._replace(length=n, batch=3)) for n in lengths]
    assert forms == ["native"] * 3 + ["lowered"] * 3
    assert form_for(signature._replace(taps=11, length=4096)) == "native"


def test_wide_convolutions_are_not_measured():
    wide = mx.random.normal((64, 3, 64))
    assert fo.warmup(lambda: fo.conv1d(mx.zeros((1, 50, 64)), wide)) == {}
