"""The recordings of the pitch benchmark: that their truth is the truth, and what is done to them."""

import numpy as np
import pytest
from tracking import conditions, signals
from tracking.conditions import CONDITIONS, QUICK, RATE, STEP, degraded
from tracking.curves import CURVES, PERIOD_MS, glide, leaps, vibrato
from tracking.signals import PLAN, RANGES_HZ, without_short


def voice(frames=800):
    """A vowel that WORLD can sing: a falling spectrum, 0.8 s of it after each pause of 0.2 s."""
    hz = np.fft.rfftfreq(1024, 1 / RATE)
    spectrum = np.tile(1e-4 / (1 + (hz / 800) ** 2), (frames, 1))
    voiced = np.arange(frames) // 40 % 5 != 0
    return spectrum, np.where(voiced[:, None], 1e-3, 1.0) * np.ones_like(spectrum), voiced


@pytest.fixture
def sample(monkeypatch):
    """A function: the quick signals, of that vowel instead of the clips."""
    sung = signals._Voice(*voice())
    monkeypatch.setattr(signals, "read_clip", lambda name: None)
    monkeypatch.setattr(signals, "_analysed", lambda clip, own_hz: sung)
    return lambda: list(signals.signals(quick=True))


@pytest.mark.parametrize("name", CURVES)
def test_a_curve_stays_in_its_range_and_uses_it(name):
    found = CURVES[name](1600, 100.0, 400.0, np.random.default_rng(1))
    assert found.shape == (1600,)
    assert 100 - 1e-9 <= found.min() < 125 and 320 < found.max() <= 400 + 1e-9


def test_what_the_curves_are():
    rng = np.random.default_rng(0)
    cents = 1200 * np.log2(glide(400, 100.0, 400.0, rng))
    slope = np.diff(cents) / (PERIOD_MS / 1000)
    np.testing.assert_allclose(np.abs(slope), 1200)  # two octaves in 2 s
    notes = leaps(400, 100.0, 400.0, rng)
    assert (np.flatnonzero(np.diff(notes)) + 1).tolist() == list(range(60, 400, 60))
    swing = 1200 * np.log2(vibrato(8000, 200.0, 200.0 * 2 ** (160 / 1200), rng) / 200)
    np.testing.assert_allclose([swing.min(), swing.max()], [0, 160], atol=0.5)
    crossings = np.count_nonzero(np.diff(np.sign(swing - 80)))
    assert crossings == pytest.approx(2 * 5.5 * 40, abs=1)


@pytest.mark.parametrize("name", CURVES)
def test_the_truth_is_what_is_heard(name):
    """A tracker finds the curve, neither early nor late; rising and falling glides tell."""
    import parselmouth

    spectrum, aperiodicity, voiced = voice()
    f0 = np.where(voiced, CURVES[name](800, 150.0, 300.0, np.random.default_rng(3)), 0.0)
    audio, truth = signals.resynthesis(spectrum, aperiodicity, f0)
    assert audio.dtype == truth.dtype == np.float32 and len(truth) == len(audio) // STEP + 1
    np.testing.assert_array_equal(truth, f0[::2].astype(np.float32)[: len(truth)])
    sound = parselmouth.Sound(audio.astype(np.float64), RATE)
    pitch = sound.to_pitch_ac(time_step=0.01, pitch_floor=100, pitch_ceiling=600)
    heard = np.array([pitch.get_value_at_time(i / 100) for i in range(len(truth))])
    both = (truth > 0) & (heard > 0)
    assert both.sum() > 0.9 * (truth > 0).sum()
    off = 1200 * np.log2(heard[both] / truth[both])
    assert np.median(np.abs(off)) < 12, np.median(off)
    if name == "glide":  # of an octave in 2 s: 6 cents in 10 ms
        slope = np.sign(np.gradient(truth)[both])
        late = np.median(off[slope > 0]) - np.median(off[slope < 0])
        assert abs(late) < 3, late


def test_no_voice_is_moved_by_more_than_an_octave():
    """But for the highest one, to 1,000 Hz; together they cover 60 to 1,000 Hz."""
    spans = [(part, span) for part in PLAN for span in part.spans_hz]
    beyond = [
        (part.source, span)
        for part, span in spans
        if span[0] < part.own_hz[0] / 2 or span[1] > 2 * part.own_hz[1]
    ]
    assert beyond == [("vocadito_14", (400, 1000)), ("vocadito_14", (500, 1000))]
    assert max(PLAN, key=lambda part: part.own_hz[1]).source == "vocadito_14"
    assert min(span[0] for _, span in spans) == RANGES_HZ[0][0] == 60
    assert max(span[1] for _, span in spans) == RANGES_HZ[-1][1] == 1000


def test_short_voiced_stretches_are_dropped():
    voiced = np.array([1] * 9 + [0] + [1] * 10 + [0], bool)
    np.testing.assert_array_equal(without_short(voiced), [0] * 10 + [1] * 10 + [0])


def test_the_sample_hears_every_condition_alike(sample):
    found = sample()
    assert len(found) == 5 * len(QUICK)
    for condition in QUICK:
        mine = [signal for signal in found if signal.condition == condition]
        assert len(mine) == 5 and len({signal.curve for signal in mine}) == len(CURVES)
    for signal in found:
        assert len(signal.f0_hz) == len(signal.audio) // STEP + 1
        assert 0.5 < (signal.f0_hz > 0).mean() < 1
        assert np.isfinite(signal.audio).all() and np.abs(signal.audio).max() > 0.1


def test_all_of_them(sample):
    found = list(signals.signals())
    assert len(found) == 10 * (len(CONDITIONS) + len(CURVES) - 1)
    clean = [signal for signal in found if signal.condition == "clean"]
    assert len(clean) == 10 * len(CURVES)
    assert all(sum(s.condition == c for s in found) == 10 for c in CONDITIONS[1:])


def test_the_signals_are_the_same_every_time(sample):
    first, again = sample(), sample()
    assert signals.digest(again) == signals.digest(first)
    other = [*again[1:], again[0]]
    assert signals.digest(other) != signals.digest(first)


def test_a_real_voice_is_taken_apart():
    part = next(part for part in PLAN if part.source == "librivox_austen_0930")
    found = signals._analysed(signals.read_clip(part.source), part.own_hz)
    assert len(found.voiced) == len(found.spectrum) == len(found.aperiodicity) == 659
    assert 0.7 < found.voiced.mean() < 0.95 and (found.spectrum > 0).all()
    assert len(found.stretch(2, 2.0).voiced) == 400
    np.testing.assert_array_equal(found.stretch(2, 2.0).voiced, found.voiced[-400:])


@pytest.mark.parametrize("condition", [c for c in CONDITIONS if c.endswith("dB")])
def test_noise_is_as_loud_as_its_name_says(condition):
    rng = np.random.default_rng(5)
    truth = np.r_[np.zeros(100), np.full(301, 200.0)].astype(np.float32)
    audio = np.zeros(400 * STEP, np.float32)
    audio[100 * STEP :] = 0.1 * np.sin(2 * np.pi * 200 * np.arange(300 * STEP) / RATE)
    noise = degraded(audio, truth, condition, rng).astype(np.float64) - audio
    level = 10 * np.log10(0.1**2 / 2 / np.mean(noise**2))
    assert level == pytest.approx(float(condition.split()[1]), abs=0.01)


def test_pink_noise_is_as_strong_in_every_octave():
    noise = conditions.coloured(RATE * 8, "pink", np.random.default_rng(2))
    power, hz = np.abs(np.fft.rfft(noise)) ** 2, np.fft.rfftfreq(RATE * 8, 1 / RATE)
    octaves = [power[(hz >= low) & (hz < 2 * low)].sum() for low in (62.5, 250.0, 1000.0, 4000.0)]
    np.testing.assert_allclose(octaves, np.mean(octaves), rtol=0.15)


def test_a_room_shifts_nothing_and_rings_on():
    click = np.zeros(RATE, np.float32)
    click[1000] = 1
    wet = conditions.reverberant(click, np.random.default_rng(0)).astype(np.float64)
    wet /= wet[1000]
    assert np.abs(wet[:1000]).max() < 1e-6 and np.abs(wet[1001:1080]).max() < 1e-6
    assert 10 * np.log10(np.sum(wet[1080:] ** 2)) == pytest.approx(-3, abs=0.01)
    early, late = (np.mean(wet[start : start + 800] ** 2) for start in (1080, 1080 + 3200))
    assert 10 * np.log10(late / early) == pytest.approx(-60 * 0.2 / 0.5, abs=2)
