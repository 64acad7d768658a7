"""F0 on notes. Applio's autotune ignores the pitch shift and gives silence a note of 49 Hz."""

import numpy as np
import pytest

from mlx_rvc.autotune import pitch_classes, tune


def cents(a, b):
    return 1200 * np.log2(np.asarray(a) / np.asarray(b))


def test_full_strength_gives_the_notes():
    notes = 440 * 2 ** (np.arange(-36, 37) / 12)  # A1 to A7
    for detune in (-0.4, 0.0, 0.4):
        np.testing.assert_allclose(tune(notes * 2 ** (detune / 12), 1), notes, rtol=1e-6)


def test_strength_leaves_its_share_of_the_distance():
    f0 = np.array([440 * 2 ** (0.4 / 12), 220 * 2 ** (-0.2 / 12)])
    np.testing.assert_allclose(cents(tune(f0, 0.75), [440, 220]), [10, -5], atol=0.01)
    np.testing.assert_allclose(tune(f0, 0), f0, rtol=1e-6)


def test_unvoiced_frames_stay_unvoiced():
    f0 = np.array([0, 100, 0, 0, 445, 0], np.float32)
    tuned = tune(f0, 1)
    np.testing.assert_array_equal(tuned > 0, f0 > 0)
    assert tuned.dtype == np.float32 and not tune(np.zeros(5), 1).any() and len(tune([], 1)) == 0


def test_a_scale_keeps_to_its_notes():
    hz = 440 * 2 ** (np.linspace(-40, 20, 997) / 12)
    for scale in ("C major", "f# minor", "Bb blues", "A  Harmonic Minor", "E♭ minor pentatonic"):
        numbers = 69 + 12 * np.log2(tune(hz, 1, scale).astype(float) / 440)
        np.testing.assert_allclose(numbers, numbers.round(), atol=1e-4)
        assert set(numbers.round().astype(int) % 12) == set(pitch_classes(scale))
        assert np.abs(cents(tune(hz, 1, scale), hz)).max() <= 201
    assert pitch_classes("C major") == (0, 2, 4, 5, 7, 9, 11) == pitch_classes("A minor")
    assert pitch_classes("B major") == (1, 3, 4, 6, 8, 10, 11)
    # Between octaves too: a B just below C goes up in a scale without it.
    assert tune(np.array([246.94 * 1.02]), 1, "C major pentatonic")[0] == pytest.approx(
        261.63, 1e-3
    )


def test_a_glide_stays_a_path_without_jumps_but_between_notes():
    """Steps of partly tuned F0 are those of the glide, or one change of note."""
    glide = 200 * 2 ** (np.arange(400) / 100 / 12 * 4)
    steps = np.abs(np.diff(cents(tune(glide, 0.5), 200)))
    assert np.sort(steps)[-20:].max() < 52.1 and (steps > 3).sum() <= 17


@pytest.mark.parametrize("scale", ["H major", "C", "C dur", "", "major"])
def test_an_unknown_scale_lists_the_modes(scale):
    with pytest.raises(ValueError, match=r"expected chromatic, or a note and one of major, minor"):
        tune(np.array([100.0]), 1, scale)
