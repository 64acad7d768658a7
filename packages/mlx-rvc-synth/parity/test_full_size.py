"""Full-size voices with random weights against the original network in torch, noise injected."""

import golden_synth
import numpy as np
import pytest
import torch
from full_size_voices import calibrate, full_config

from mlx_rvc_synth import Noise, Synthesizer

FRAMES = 100
SPEAKER = 42


@pytest.mark.parametrize("kilohertz", [32, 40, 48])
@pytest.mark.parametrize("f0", [True, False], ids=["f0", "no_f0"])
@pytest.mark.parametrize("version", [1, 2])
def test_audio_equals_torch(version, f0, kilohertz, tmp_path):
    width = 256 if version == 1 else 768
    config = full_config(version, kilohertz)
    seed = 10 * kilohertz + version
    model = golden_synth.build(width, f0, config)
    golden_synth.randomise(model, seed, half=True)
    inputs = golden_synth.example(config, width, f0, 1, FRAMES, seed)
    calibrate(model, f0, inputs, SPEAKER)
    expected, _ = golden_synth.infer(model, f0, inputs, SPEAKER)
    expected = expected[:, 0].numpy()
    saved = golden_synth.small_model(model, config, width, f0, f"{kilohertz}k")
    torch.save(saved, tmp_path / "voice.pth")

    voice = Synthesizer.from_pretrained(tmp_path / "voice.pth")
    phone, pitchf, latent, source = inputs
    noise = Noise(latent, source if f0 else None)
    audio = np.asarray(voice.infer(phone, pitchf if f0 else None, speaker=SPEAKER, noise=noise))

    assert audio.shape == (1, FRAMES * kilohertz * 10)
    error = np.abs(audio - expected).max()
    correlation = np.corrcoef(audio[0], expected[0])[0, 1]
    level = expected.std()
    print(f"level {level:.3f}, max error {error:.1e}, 1 − correlation {1 - correlation:.1e}")
    assert np.abs(expected).mean() < 0.9  # no saturation, where errors would not show
    assert correlation >= 0.99999
    assert error <= 1e-3 * level  # the level is below 1: a quiet voice must not pass for a good one
