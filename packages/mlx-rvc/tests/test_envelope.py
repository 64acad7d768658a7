from pathlib import Path

import numpy as np

from mlx_rvc import envelope

GOLDEN = np.load(Path(__file__).parent / "golden/envelope.npz")


def test_rms_is_librosa_s():
    np.testing.assert_allclose(
        envelope.rms(GOLDEN["source"], 1600), GOLDEN["source_rms"], rtol=1e-6
    )
    np.testing.assert_allclose(
        envelope.rms(GOLDEN["target"], 2400), GOLDEN["target_rms"], rtol=1e-6
    )


def test_the_mix_is_the_reference_s(monkeypatch):
    monkeypatch.setattr(envelope, "_BLOCK", 1000)  # several blocks, joined without a seam
    ours = envelope.match_envelope(GOLDEN["source"], 1600, GOLDEN["target"], 2400, 0.25)
    np.testing.assert_allclose(ours, GOLDEN["result"], atol=2e-6)


def test_rate_1_keeps_and_rate_0_takes_the_loudness():
    rng = np.random.default_rng(0)
    source, target = 0.01 * rng.standard_normal(16000 * 4), rng.standard_normal(16000 * 4)
    kept = envelope.match_envelope(source, 16000, target, 16000, 1.0)
    np.testing.assert_allclose(kept, target, rtol=1e-5)
    taken = envelope.match_envelope(source, 16000, target, 16000, 0.0)
    assert 0.009 < taken.std() < 0.011


def test_silence_stays_finite():
    silent = np.zeros(8000)
    assert not envelope.match_envelope(silent, 16000, silent, 16000, 0.25).any()
