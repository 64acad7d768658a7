"""The pitch benchmark's run: curves that outlive it, times, groups, and what trackers agree on."""

import numpy as np
import pytest
from tracking import methods, run
from tracking.agreement import agreed, judged, kind
from tracking.conditions import CONDITIONS
from tracking.curves import CURVES
from tracking.groups import sub_sample
from tracking.run import Curves, Times
from tracking.signals import PLAN

import pitch

RECORDINGS = [np.zeros(n, np.float32) for n in (1600, 1759, 16000, 160)]


def steady(hz, calls=None, last=None):
    """A method that hears the same everywhere, and breaks off after `last` calls."""

    def run(audio):
        if calls is not None:
            calls.append(len(audio))
            if last is not None and len(calls) > last:
                raise KeyboardInterrupt
        return np.full(len(audio) // 160 + 1, hz)

    return lambda: run


def test_a_run_that_was_broken_off_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "SAVE_S", 0.0)
    calls = []
    with pytest.raises(KeyboardInterrupt):
        Curves(tmp_path, "a").measure("hybrid[a+b]", steady(100, calls, last=2), RECORDINGS)
    calls.clear()
    found = Curves(tmp_path, "a").measure("hybrid[a+b]", steady(200, calls), RECORDINGS)
    assert calls == [16000, 160]  # the first two were kept
    assert [len(curve) for curve in found] == [11, 11, 101, 2]
    assert [curve[0] for curve in found] == [100, 100, 200, 200]
    again = Curves(tmp_path, "a").measure("hybrid[a+b]", None, RECORDINGS)
    assert [curve.tolist() for curve in again] == [curve.tolist() for curve in found]


def test_curves_of_other_signals_are_not_used(tmp_path):
    Curves(tmp_path, "a").measure("m", steady(100), RECORDINGS)
    found = Curves(tmp_path, "b").measure("m", steady(200), RECORDINGS)
    assert found[0][0] == 200


@pytest.mark.parametrize(
    ("result", "told"),
    [
        (np.zeros(10), "expected 11"),
        (np.full(11, np.nan), "no frequency"),
        (-np.ones(11), "no freq"),
    ],
)
def test_a_method_off_the_grid_is_refused(tmp_path, result, told):
    with pytest.raises(ValueError, match=told):
        Curves(tmp_path, "a").measure("m", lambda: lambda audio: result, RECORDINGS[:1])


def test_times_are_taken_in_turns_and_kept(tmp_path):
    order = []
    makers = {name: lambda name=name: lambda audio: order.append(name) for name in ("m", "n")}
    times = Times(tmp_path / "times.json")
    times.measure(makers, RECORDINGS[0])
    assert order == ["m", "n"] * (1 + run.REPEATS)
    times.found = {
        "m": {"wall": [2.0, 1.0, 4.0], "processor": [1.0, 1.0, 2.0], "clip_s": 5.0},
        "m (original)": {"wall": [9.0, 9.0, 9.0], "processor": [2.0, 3.0, 2.0]},
    }
    assert times.factors("m") == {
        "median": 2.0, "low": 1.0, "high": 4.0, "processor": 1.0, "runs": 3, "clip_s": 5.0,
    }  # fmt: skip
    assert times.ratio("m") == [2.0, 1.0, 3.0]
    assert times.factors("none") is None and times.ratio("m (original)") is None
    Times(tmp_path / "times.json").measure({"m": None, "n": None}, RECORDINGS[0])


def test_the_sub_sample_holds_every_condition_and_span_once():
    spans = sum(len(part.spans_hz) for part in PLAN)
    each = len(CONDITIONS) + len(CURVES) - 1  # signals of a span: clean with every curve
    places = [(number // each, number % each) for number in sub_sample(spans * each)]
    assert {span for span, _ in places} == set(range(spans))
    conditions = [max(place - len(CURVES) + 1, 0) for _, place in places]
    assert sorted(conditions) == list(range(len(CONDITIONS)))


def test_trackers_agree_where_all_but_one_say_the_same():
    near = 200 * 2 ** (40 / 1200)
    curves = np.array(
        [
            [200.0, 200, 200, 0, 0, 200, 200],
            [near, 200, 200, 0, 0, 200, 0],
            [200, 400, 400, 0, 0, 0, 300],
            [200, 200, 400, 0, 90, 0, 400],
        ]
    )
    f0, counts = agreed(curves)
    np.testing.assert_array_equal(counts, [1, 1, 0, 1, 1, 0, 0])
    np.testing.assert_allclose(f0[counts], [200, 200, 0, 0], rtol=1e-6)


def test_nobody_is_judged_by_himself():
    assert kind("dio") == kind("harvest (original)") == "harvest"
    assert kind("crepe (original)") == kind("crepe-tiny") == "crepe-tiny"
    curve = [np.array([100.0, 0.0])]
    few = dict.fromkeys(("harvest", "pm", "fcpe"), curve)
    assert judged("harvest", few) is None  # two others are too few
    assert judged("hybrid[pm+fcpe]", {**few, "crepe-tiny": curve, "swift-f0": curve}) is None


def test_the_names_on_the_command_line():
    everything = pitch.chosen(None)
    assert {"fcpe", "fcpe (original)", "rmvpe", *methods.HYBRIDS} <= set(everything)
    assert pitch.chosen(["pm"]) == ["pm", "pm (original)", "pm (original, as RVC places it)"]
    hybrid = pitch.chosen(["hybrid[harvest+dio+pm]"])
    assert {"harvest", "dio (original)", "hybrid[harvest+dio+pm]"} <= set(hybrid)
    assert pitch.main(["--methods", "ears"]) == 2


def test_what_has_no_weights_here_is_no_failure():
    class Run:
        missing, failed = {}, {}

    def raises(error):
        raise error

    pitch._attempt(Run, "rmvpe", lambda: raises(ValueError("cannot fetch it\nnow")))
    pitch._attempt(Run, "fcpe (original)", lambda: raises(ImportError("no torch")))
    pitch._attempt(Run, "dio", lambda: raises(ValueError("cannot fetch")))
    assert Run.missing == {"rmvpe": "cannot fetch it now", "fcpe (original)": "no torch"}
    assert list(Run.failed) == ["dio"]


def test_a_hybrid_is_what_its_parts_curves_make():
    """The benchmark joins curves that are there; the class tracks by itself: the same numbers."""
    from mlx_f0 import load

    audio = np.random.default_rng(0).standard_normal(8000).astype(np.float32)
    audio += np.sin(2 * np.pi * 220 * np.arange(8000) / 16000).astype(np.float32) * 3
    low, high = methods.RANGE_HZ
    parts = [methods.available()[name]()(audio) for name in ("harvest", "dio")]
    expected = load("hybrid[harvest+dio]").infer_from_audio(audio, f0_min=low, f0_max=high)
    assert (expected > 0).mean() > 0.5
    np.testing.assert_array_equal(methods.combined(parts), expected)
