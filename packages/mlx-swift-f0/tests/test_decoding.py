import numpy as np
import pytest

from mlx_swift_f0 import SwiftF0Config, decode
from mlx_swift_f0.decoding import check_band, check_threshold, class_logs

CONFIG = SwiftF0Config()
HZ = np.exp(class_logs(CONFIG))
WHOLE = (46.875, 2093.75)


def one(place, height=5.0):
    scores = np.zeros((1, 95), np.float32)
    scores[0, place] = height
    return scores


def decoded(scores, band=WHOLE, voicing=2.0, peak=1.0):
    frames = len(scores)
    f0, confidence = decode(
        scores, np.full(frames, voicing, np.float32), np.full(frames, peak), band, CONFIG
    )
    return f0, confidence


def test_classes_are_as_far_apart_as_the_config_says():
    assert len(HZ) == 95
    np.testing.assert_allclose(HZ[[0, -1]], WHOLE)
    np.testing.assert_allclose(HZ[1:] / HZ[:-1], CONFIG.class_ratio)
    assert CONFIG.class_ratio == pytest.approx(1.04125, abs=1e-5)


def test_f0_is_the_softmax_mean_of_three_classes():
    scores = np.full((1, 95), 9.0)  # whatever is further away does not count
    scores[0, 40:43] = 9.5, 10.0, 9.2
    weight = np.exp(scores[0, 40:43])
    expected = np.exp((weight * np.log(HZ[40:43])).sum() / weight.sum())
    np.testing.assert_allclose(decoded(scores)[0], expected, rtol=1e-12)


@pytest.mark.parametrize("place", [0, 94])
def test_at_the_ends_two_classes_are_left(place):
    beside = 1 if place == 0 else 93
    weight = np.exp([5.0, 0.0])
    expected = np.exp((weight * np.log(HZ[[place, beside]])).sum() / weight.sum())
    np.testing.assert_allclose(decoded(one(place))[0], expected, rtol=1e-12)


def test_confidence_is_the_sigmoid_even_of_extreme_logits():
    assert decoded(one(30), voicing=2.0)[1] == pytest.approx(1 / (1 + np.exp(-2.0)))
    assert decoded(one(30), voicing=-900.0)[1] == 0  # warnings are errors here
    assert decoded(one(30), voicing=900.0)[1] == 1


def test_the_strongest_class_of_all_decides_whether_the_band_is_heard():
    scores = one(70)
    scores[0, 30] = 4.0
    f0, confidence = decoded(scores, band=(HZ[20], HZ[50]))
    assert confidence == 0 and HZ[29] < f0 < HZ[31]
    assert decoded(scores, band=(HZ[20], HZ[80]))[1] > 0.8


def test_a_limit_on_a_class_holds_it():
    for place in (0, 33, 94):
        low, high = HZ[max(place - 1, 0)], HZ[place]
        if place == 0:
            low, high = HZ[0], HZ[1]
        assert decoded(one(place), band=(low, high))[1] > 0.8
    assert decoded(one(33), band=(HZ[33] * 1.001, HZ[40]))[1] == 0


def test_digital_silence_is_unvoiced():
    assert decoded(one(30), peak=0.999e-3)[1] == 0
    assert decoded(one(30), peak=1.001e-3)[1] > 0.8


@pytest.mark.parametrize("threshold", [-0.1, 1.5, float("nan")])
def test_an_impossible_threshold_is_refused(threshold):
    with pytest.raises(ValueError, match=r"threshold is .*expected 0 to 1"):
        check_threshold(threshold)


def test_a_band_is_cut_to_the_models_range():
    assert check_band(0, 9000, CONFIG) == WHOLE
    assert check_band(50, 1100, CONFIG) == (50, 1100)
    assert check_band(100, 100 * CONFIG.class_ratio, CONFIG)[1] > 104


@pytest.mark.parametrize(
    "band",
    [(200, 100), (100, 100), (100, 104), (10, 40), (2100, 4000), (float("nan"), 100)],
)
def test_a_band_without_room_for_a_class_is_refused(band):
    with pytest.raises(ValueError, match=r"expected a highest F0 at least 1\.0412"):
        check_band(*band, CONFIG)
