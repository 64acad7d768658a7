"""The sine source: phase over minutes, amplitudes of sine and noise."""

import mlx.core as mx
import numpy as np
import pytest

from mlx_rvc_synth.source import sine_source

HOP, RATE = 480, 48000


def reference_phase(f0):
    """Cycles at every sample, summed sample by sample in extended precision."""
    step = np.repeat(f0.astype(np.longdouble), HOP, axis=1) / RATE
    return np.cumsum(step, axis=1)


@pytest.mark.parametrize("kind", [np.asarray, mx.array], ids=["numpy", "mlx"])
def test_phase_does_not_drift_over_five_minutes(kind):
    frames = 5 * 60 * 100
    rng = np.random.default_rng(0)
    f0 = (180 + 100 * np.sin(np.arange(frames) / 37) + rng.normal(0, 3, frames))[None]
    f0 = f0.astype(np.float32)
    quiet = kind(np.zeros((1, frames * HOP, 1), np.float32))
    found = np.asarray(sine_source(f0, quiet, HOP, RATE))[0, -20 * HOP :, 0]
    expected = 0.1 * np.sin(2 * np.pi * (reference_phase(f0)[0, -20 * HOP :] % 1))
    # A float32 running sum is off by 1e-2 here; the closed form stays at one sample's rounding.
    assert np.abs(found - expected.astype(np.float64)).max() < 1e-6


def test_unvoiced_frames_are_noise_alone_and_a_third_of_the_sine():
    f0 = np.array([[200, 0, 200]], np.float32)
    noise = np.ones((1, 3 * HOP, 1), np.float32)
    silent = sine_source(f0, 0 * noise, HOP, RATE)[0, :, 0]
    added = sine_source(f0, noise, HOP, RATE)[0, :, 0] - silent
    assert np.all(silent[HOP : 2 * HOP] == 0)
    assert np.abs(silent).max() == pytest.approx(0.1, abs=1e-6)
    assert np.allclose(added[HOP : 2 * HOP], 0.1 / 3)
    assert np.allclose(added[:HOP], 0.003, atol=1e-7)


def test_voices_of_a_batch_are_independent():
    f0 = np.array([[100, 300], [0, 150]], np.float32)
    noise = np.random.default_rng(0).standard_normal((2, 2 * HOP, 1)).astype(np.float32)
    both = sine_source(f0, noise, HOP, RATE)
    for row in range(2):
        alone = sine_source(f0[row : row + 1], noise[row : row + 1], HOP, RATE)
        assert np.array_equal(both[row : row + 1], alone)


def test_a_second_piece_goes_on_where_the_first_ended():
    f0 = np.random.default_rng(0).uniform(80, 400, (1, 2000)).astype(np.float32)
    quiet = np.zeros((1, 2000 * HOP, 1), np.float32)
    whole = sine_source(f0, quiet, HOP, RATE)
    phase = np.sum(f0[0, :1200], dtype=np.float64) * HOP / RATE
    second = sine_source(f0[:, 1200:], quiet[:, 1200 * HOP :], HOP, RATE, phase)
    assert np.abs(whole[:, 1200 * HOP :] - second).max() < 1e-6
    assert (
        np.abs(
            whole[:, 1200 * HOP :] - sine_source(f0[:, 1200:], quiet[:, 1200 * HOP :], HOP, RATE)
        ).max()
        > 0.01
    )
