import numpy as np
import pytest

from mlx_rvc.auto_pitch import median_hz, shift_to


def test_the_median_is_that_of_voiced_frames():
    assert median_hz(np.array([0, 0, 0, 100, 200, 400, 0])) == pytest.approx(200)
    assert median_hz(np.array([100, 400])) == pytest.approx(200)  # in between on a log axis
    assert median_hz(np.zeros(3)) is None


@pytest.mark.parametrize(
    ("target", "step", "shift"),
    [(200, "semitone", 12), (150, "semitone", 7), (150, "octave", 12), (130, "octave", 0),
     (50, "octave", -12), (100, "semitone", 0), (3000, "semitone", 59)],
)  # fmt: skip
def test_the_shift_is_in_whole_steps(target, step, shift):
    assert shift_to(np.full(9, 100.0), target, step) == shift


def test_octave_errors_do_not_move_it():
    f0 = np.array([110.0] * 70 + [220.0] * 30)
    assert shift_to(f0, 220) == 12


def test_without_voice_nothing_is_shifted():
    assert shift_to(np.zeros(10), 200) == 0
