"""Verdicts: what passes, what fails, and that no failure can hide."""

import numpy as np
import pytest

from mlx_rvc_verify.other_stages import judge_f0
from mlx_rvc_verify.verdict import BARS, FAIL, NOT_COMPARED, PASS, judge

rng = np.random.default_rng(0)
SIGNAL = 0.1 * rng.standard_normal((1, 2000))


def test_rounding_passes_with_its_figures():
    row = judge("dec", SIGNAL + 1e-6, SIGNAL, seconds=(0.5, 0.25))
    assert row.verdict == PASS and not row.note
    assert (row.shape, row.mlx_s, row.torch_s) == ((1, 2000), 0.5, 0.25)
    assert row.max_error == pytest.approx(1e-6, rel=1e-3)
    assert row.limit == pytest.approx(1e-3 * SIGNAL.std())


def test_the_bar_is_relative_to_the_level():
    """A quiet voice must not pass for a good one."""
    quiet = 1e-4 * SIGNAL
    assert judge("dec", quiet + 1e-6, quiet).verdict == FAIL


def test_one_wrong_sample_fails_though_the_correlation_does_not_see_it():
    wrong = SIGNAL.copy()
    wrong[0, 7] += 3e-4
    row = judge("audio", wrong, SIGNAL)
    assert row.correlation > 0.99999 and row.verdict == FAIL and "max error" in row.note


def test_a_scaled_result_fails_though_it_correlates():
    row = judge("dec", 1.01 * SIGNAL, SIGNAL)
    assert row.correlation > 0.9999999 and row.verdict == FAIL


def test_correlation_alone_can_fail():
    """RMVPE's bar is a fixed one: a salience that is nearly nothing everywhere is within it."""
    faint = 1e-5 * np.abs(SIGNAL)
    row = judge("rmvpe", faint[:, ::-1], faint)
    assert row.max_error < row.limit and row.verdict == FAIL and "correlation" in row.note


@pytest.mark.parametrize("stage", BARS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_fails(stage, bad):
    wrong = SIGNAL.copy()
    wrong[0, 0] = bad
    assert judge(stage, wrong, SIGNAL).verdict == FAIL
    assert judge(stage, SIGNAL, wrong).verdict == FAIL
    assert "not finite" in judge(stage, wrong, wrong).note


def test_silence_on_both_sides_shows_nothing_and_fails():
    assert judge("audio", np.zeros((1, 9)), np.zeros((1, 9))).verdict == FAIL


def test_another_shape_fails():
    row = judge("enc_p", SIGNAL[:, 1:], SIGNAL)
    assert row.verdict == FAIL and "1999" in row.note and "2000" in row.note


F0 = np.array([0, 100, 110, 121, 0, 200.0])
CLEAR = np.ones(6, bool)


@pytest.mark.parametrize(("cents", "verdict"), [(0.9, PASS), (1.1, FAIL)])
def test_f0_is_measured_in_cents(cents, verdict):
    found = F0.copy()
    found[5] *= 2 ** (cents / 1200)
    row = judge_f0(found, F0, CLEAR)
    assert row.verdict == verdict and row.max_error == pytest.approx(cents)


def test_voicing_must_agree_but_at_the_threshold():
    found = F0.copy()
    found[0] = 100
    assert "1 frames voiced on one side" in judge_f0(found, F0, CLEAR).note
    low = F0.copy()
    low[1] = 0  # nothing to compare in cents there: the frame is left out
    clear = CLEAR.copy()
    clear[1] = False
    assert "voiced" not in judge_f0(low, F0, clear).note


def test_no_voiced_frame_is_not_compared():
    assert judge_f0(np.zeros(6), np.zeros(6), CLEAR).verdict == NOT_COMPARED
