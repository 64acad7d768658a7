import numpy as np
import pytest

from mlx_rvc import cleaning
from mlx_rvc.track import Track

RATE = 16000


def noisy(seconds):
    """Long notes with pauses in steady noise: (with noise, the notes alone)."""
    t = np.arange(int(seconds * RATE)) / RATE
    tone = sum(0.1 / k * np.sin(2 * np.pi * 150 * k * t) for k in range(1, 20))
    tone *= np.sin(2 * np.pi * t / 6) > -0.8
    return tone + 0.02 * np.random.default_rng(0).standard_normal(len(t)), tone


def cleaned(audio, strength):
    track = Track(np.float64)
    track.append(audio)
    result = cleaning.clean(track, strength)
    assert len(result) == len(audio) and result.dtype == np.float64
    return result[:]


def level_db(audio):
    return 10 * np.log10(np.mean(np.square(audio)))


def test_noise_goes_and_held_notes_stay():
    """The library's defaults take 13 dB from a sung melody; here little is lost."""
    audio, tone = noisy(12)
    pause = tone == 0
    half, full = cleaned(audio, 0.5), cleaned(audio, 1)
    assert level_db(full[pause]) < level_db(half[pause]) - 3 < level_db(audio[pause]) - 6
    assert level_db(full[~pause]) == pytest.approx(level_db(audio[~pause]), abs=2)


def test_blocks_give_what_one_piece_gives(monkeypatch):
    audio, _ = noisy(40)
    whole = cleaned(audio, 1)
    monkeypatch.setattr(cleaning, "BLOCK", 10 * RATE)
    blocks = cleaned(audio, 1)
    assert level_db(blocks - whole) < level_db(whole) - 60


def test_digital_silence_stays_silent_and_finite():
    audio = np.concatenate([np.zeros(50 * RATE), noisy(6)[0], np.zeros(10 * RATE)])
    result = cleaned(audio, 1)
    assert np.isfinite(result).all() and not result[: 20 * RATE].any()
    assert level_db(result[50 * RATE : 56 * RATE]) > -30
    assert not cleaned(np.zeros(10), 1).any()


def test_without_noisereduce_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'mlx-rvc\[clean\]'") as error:
        cleaning.check_installed()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("samples", [10, 4 * RATE])
def test_without_a_pause_nothing_is_taken_for_noise(samples):
    with pytest.raises(ValueError, match=r"clean needs a pause, .* leave clean at 0"):
        cleaned(noisy(4)[1][:samples] + 0.1, 1)
