"""Needs praat-parselmouth (the extra `praat`)."""

import numpy as np
import parselmouth
import pytest

from mlx_f0 import Praat, blocks, praat
from mlx_f0.testing import check_method


def test_the_contract_is_kept():
    check_method(Praat.from_pretrained())


def in_rvc(audio, floor=50.0, ceiling=1100.0):
    """F0 of the bare clip and the times of its frames, as RVC asks for it."""
    pitch = parselmouth.Sound(audio, 16000).to_pitch_ac(
        time_step=0.01, voicing_threshold=0.6, pitch_floor=floor, pitch_ceiling=ceiling
    )
    return pitch.selected_array["frequency"], pitch.xs()


def test_where_rvc_s_frames_lie_on_the_grid_they_are_ours(song):
    audio, _ = song(6)
    expected, times = in_rvc(audio.astype(np.float64))
    places = np.rint(times * 100).astype(int)
    np.testing.assert_allclose(places / 100, times, atol=1e-9)
    found = Praat().infer_from_audio(audio)
    np.testing.assert_array_equal(found[places] > 0, expected > 0)
    voiced = expected > 0
    assert np.abs(1200 * np.log2(found[places][voiced] / expected[voiced])).max() < 0.1


@pytest.mark.parametrize("floor", [30.0, 47.3, 50.0, 75.0, 210.0])
@pytest.mark.parametrize("samples", [1, 159, 16000, 16080, 16159])
def test_praat_s_frames_are_put_on_the_grid(monkeypatch, floor, samples):
    times = []
    to_pitch_ac = parselmouth.Sound.to_pitch_ac

    def watched(sound, **settings):
        pitch = to_pitch_ac(sound, **settings)
        times.append(pitch.xs())
        return pitch

    monkeypatch.setattr(parselmouth.Sound, "to_pitch_ac", watched)
    Praat().infer_from_audio(np.full(samples, 0.1), f0_min=floor, f0_max=600.0)
    margin = int(3 * 16000 / floor / 2) + 40
    expected = margin / 16000 + np.arange(samples // 160 + 1) / 100
    np.testing.assert_allclose(times[0], expected, atol=1e-9)


def test_a_block_hears_how_loud_the_recording_is(song, monkeypatch):
    """A whisper far from a shout is silence, in one pass and in blocks alike."""
    audio, _ = song(24)
    audio[: 16000 * 8] *= 0.02
    whole = Praat().infer_from_audio(audio)
    assert not whole[:700].any() and whole[1000:].any()
    monkeypatch.setattr(blocks, "BLOCK", 600)
    monkeypatch.setattr(blocks, "CONTEXT", 200)
    found = Praat().infer_from_audio(audio)
    np.testing.assert_array_equal(found > 0, whole > 0)
    voiced = whole > 0
    assert np.abs(1200 * np.log2(found[voiced] / whole[voiced])).max() < 0.1


def test_a_threshold_is_praat_s(song):
    audio, _ = song(3)
    some = [(Praat().infer_from_audio(audio, threshold=t) > 0).sum() for t in (0.0, 0.6, 1.0)]
    assert some[0] >= some[1] >= some[2] and some[0] > some[2]
    with pytest.raises(ValueError, match="threshold is 2; expected a number from 0 to 1"):
        Praat().infer_from_audio(audio, threshold=2)


def test_without_parselmouth_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(praat, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'mlx-f0\[praat\]'"):
        Praat.from_pretrained()
