"""`check_method` finds what it is there to find."""

import numpy as np
import pytest

from mlx_f0 import Dio
from mlx_f0.testing import check_method, voice


class Changed(Dio):
    """Dio whose result is changed by a function of the curve."""

    change = staticmethod(lambda f0: f0)

    def infer_from_audio(self, *arguments, **settings):
        return self.change(super().infer_from_audio(*arguments, **settings))

    def infer_from_reader(self, *arguments, **settings):
        return super().infer_from_reader(*arguments, **settings)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f0: f0.astype(np.float64), "expected float32"),
        (lambda f0: f0[..., :-1], "of shape"),
        (lambda f0: f0 - 1, "0 or above"),
        (lambda f0: f0 * np.float32(1.01), "another curve than the array"),
    ],
)
def test_a_wrong_result_is_found(change, words):
    method = Changed()
    method.change = change
    with pytest.raises(AssertionError, match=words):
        check_method(method)


class Late(Dio):
    frames = 1

    def curve(self, clip, threshold, f0_min, f0_max):
        f0 = super().curve(clip, threshold, f0_min, f0_max)
        return np.roll(f0, self.frames)


@pytest.mark.parametrize("frames", [1, -1])
def test_a_curve_a_frame_off_is_found(frames):
    method = Late()
    method.frames = frames
    with pytest.raises(
        AssertionError, match=rf"the curve is [{'+' if frames > 0 else '-'}]10\.\d ms late"
    ):
        check_method(method)


class Sharp(Dio):
    def curve(self, clip, threshold, f0_min, f0_max):
        return super().curve(clip, threshold, f0_min, f0_max) * 1.03


def test_a_wrong_pitch_is_found():
    with pytest.raises(AssertionError, match="a tone of 110 Hz was heard as 113"):
        check_method(Sharp())


class Blind(Dio):
    def curve(self, clip, threshold, f0_min, f0_max):
        return super().curve(clip, threshold, 50.0, 1100.0)


def test_a_range_that_is_ignored_is_found():
    with pytest.raises(AssertionError, match="where 150 to 350 Hz was asked for"):
        check_method(Blind())
    check_method(Blind(), trained=False)


def test_what_is_no_method_is_named():
    with pytest.raises(AssertionError, match="object lacks"):
        check_method(object())


def test_the_voice_has_the_pitch_it_is_given():
    sound = voice(np.concatenate([np.zeros(1600), np.full(16000, 250.0)]))
    assert not sound[:1600].any() and sound.dtype == np.float32
    spectrum = np.abs(np.fft.rfft(sound[1600:]))
    assert np.argmax(spectrum) == 250
