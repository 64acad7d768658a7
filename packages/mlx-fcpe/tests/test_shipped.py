"""The real weights: what torchfcpe makes of the same sounds, and where frames lie in time."""

import numpy as np
import pytest

from mlx_fcpe import FCPE
from mlx_fcpe.weights import SHIPPED

WHOLE = {"f0_min": 0.0, "f0_max": np.inf}
RATE = 16000


def harmonic(f0_hz):
    """A tone that follows F0 given for each sample, with up to 14 overtones, none aliased."""
    count = min(15, int(RATE / 2 / np.max(f0_hz)))
    phase = 2 * np.pi * np.cumsum(f0_hz) / RATE
    return (0.1 * sum(np.sin(k * phase) / k for k in range(1, count + 1))).astype(np.float32)


@pytest.mark.parametrize("name", ["speech", "glide"])
def test_f0_is_the_originals_within_a_cent(shipped, golden, name):
    """The original computes with the weights in float32; most of these have 16 bits."""
    audio = golden["clip"][f"audio/{name}"].astype(np.float32) / 32768
    expected = golden["clip"][f"f0/{name}"]
    found = shipped.infer_from_audio(audio, **WHOLE)
    voiced = expected > 0
    assert voiced.any()
    np.testing.assert_array_equal(found > 0, voiced)
    assert np.abs(1200 * np.log2(found[voiced] / expected[voiced])).max() < 1


def test_it_is_what_one_gets_by_default_and_small_enough_for_a_wheel():
    assert FCPE.from_pretrained().config.hidden_dims == 512
    assert sum(file.stat().st_size for file in SHIPPED.iterdir()) < 25e6
    assert "CN_ChiTu" in (SHIPPED / "LICENSE-torchfcpe").read_text()


@pytest.mark.parametrize("f0_hz", [80, 220, 440, 880])
def test_a_known_tone_has_its_pitch(shipped, f0_hz):
    found = shipped.infer_from_audio(harmonic(np.full(RATE, float(f0_hz))))[10:-10]
    assert (found > 0).all()
    assert np.abs(1200 * np.log2(found / f0_hz)).max() < 25


@pytest.mark.parametrize("f0_hz", [1200, 1400, 1800])
def test_a_tone_that_the_network_does_not_know_is_unvoiced_not_folded(shipped, f0_hz):
    audio = harmonic(np.full(RATE, float(f0_hz)))
    assert not shipped.infer_from_audio(audio, **WHOLE)[10:-10].any()


def test_a_tone_outside_the_range_is_unvoiced(shipped):
    audio = harmonic(np.full(RATE, 880.0))
    assert not shipped.infer_from_audio(audio, f0_max=800)[10:-10].any()


def test_silence_is_unvoiced(shipped):
    assert not shipped.infer_from_audio(np.zeros(RATE, np.float32)).any()


def test_frames_lie_at_multiples_of_ten_milliseconds(shipped):
    """Rising and falling glides of an octave a second: a late frame reads one high, one low.

    Half the difference of their errors is time alone; what the bins do to both cancels.
    """
    time = np.arange(2 * RATE) / RATE
    frames = np.arange(30, 171)
    late = []
    for slope in (1200.0, -1200.0):  # cents a second
        found = shipped.infer_from_audio(harmonic(220 * 2 ** (slope * (time - 1) / 1200)))[frames]
        error = 1200 * np.log2(found / 220) - slope * (frames / 100 - 1)
        late.append(error / slope)
    assert abs(np.median(np.mean(late, axis=0))) < 0.0015  # seconds


def test_an_impulse_train_begins_and_ends_where_it_does(shipped):
    """200 Hz from 0.5 to 1.5 s: the middle of what is voiced is the middle of the train."""
    audio = np.zeros(2 * RATE, np.float32)
    audio[8000:24001:80] = 0.5
    voiced = np.flatnonzero(shipped.infer_from_audio(audio))
    assert abs((voiced[0] + voiced[-1]) / 2 - 100) <= 1
    assert abs(len(voiced) - 101) <= 6
