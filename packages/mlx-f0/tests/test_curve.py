import numpy as np
import pytest

from mlx_f0 import (
    F0Settings,
    Hybrid,
    check_range,
    combine,
    fill_unvoiced,
    median,
    outside_voice_range,
)


def test_gaps_are_filled_in_hz_and_ends_are_held():
    f0 = np.array([0, 0, 100, 0, 0, 0, 200, 0], np.float32)
    filled = fill_unvoiced(f0)
    assert filled.dtype == np.float32
    np.testing.assert_allclose(filled, [100, 100, 100, 125, 150, 175, 200, 200])
    np.testing.assert_array_equal(f0[:3], [0, 0, 100])  # not in place
    assert not fill_unvoiced(np.zeros(5)).any() and len(fill_unvoiced(np.zeros(0))) == 0


def test_frames_that_voices_cannot_tell_apart_are_counted():
    f0 = np.array([0, 30, 49.9, 50, 200, 1100, 1101, 2200], np.float32)
    assert outside_voice_range(f0) == 4 and outside_voice_range(np.stack([f0, f0])) == 8
    assert outside_voice_range(np.zeros(3, np.float32)) == 0


def test_the_median_is_scipy_s_medfilt():
    """As in RVC: lone frames go, lone gaps are filled, and the ends see zeros."""
    f0 = np.array([100, 0, 0, 200, 0, 300, 310, 0, 320, 320], np.float32)
    expected = [0, 0, 0, 0, 200, 300, 300, 310, 320, 320]
    np.testing.assert_array_equal(median(f0), expected)
    np.testing.assert_array_equal(median(np.stack([f0, f0[::-1]]))[1], expected[::-1])
    np.testing.assert_array_equal(median(f0, 1), f0)
    np.testing.assert_array_equal(median(np.array([7.0])), [0])
    with pytest.raises(ValueError, match="expected an odd number"):
        median(f0, 4)


def test_a_hybrid_is_voiced_by_half_and_takes_the_median():
    curves = np.array(
        [
            [100, 100, 100, 0, 0],
            [110, 110, 0, 0, 300],
            [400, 0, 0, 0, 0],
        ],
        np.float32,
    )
    np.testing.assert_allclose(combine(curves), [110, 105, 0, 0, 0])
    np.testing.assert_allclose(combine(curves[:2]), [105, 105, 100, 0, 300])
    stacked = combine(np.stack([curves, curves], axis=1))
    np.testing.assert_allclose(stacked, [[110, 105, 0, 0, 0]] * 2)


def test_a_hybrid_asks_each_part_and_filters_each(flat):
    parts = [flat(100.0), flat(200.0), flat(210.0)]
    hybrid = Hybrid(parts)
    told = []
    found = hybrid.infer_from_audio(
        np.zeros((2, 800), np.float32), f0_min=60.0, progress=lambda *done: told.append(done)
    )
    assert found.shape == (2, 6) and (found == 200).all()
    assert all(part.asked[0]["f0_min"] == 60 and "f0_max" not in part.asked[0] for part in parts)
    parts[0].asked[0]["progress"](3, 6)
    parts[2].asked[0]["progress"](6, 6)
    assert told == [(3, 18), (18, 18)]
    F0Settings(filter_radius=3).from_audio(hybrid, np.zeros(800, np.float32))
    assert "filter_radius" not in parts[0].asked[1]  # done to its curve
    hybrid.warmup()
    assert all(part.asked[-1] == "warmup" for part in parts)
    with pytest.raises(ValueError, match="measure different things"):
        hybrid.infer_from_audio(np.zeros(800, np.float32), threshold=0.5)
    with pytest.raises(ValueError, match="expected two or more"):
        Hybrid(parts[:1])


@pytest.mark.parametrize("limits", [(19, 400), (50, 3001), (float("nan"), 400), (400, 400)])
def test_a_range_that_no_method_can_search_is_refused(limits):
    with pytest.raises(ValueError, match="expected"):
        check_range(*limits)
