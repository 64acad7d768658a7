"""Full-size voices with random weights against the original network in torch, noise injected."""

import golden_synth
import pytest
import torch
from full_size_voices import calibrate, full_config

from mlx_rvc_synth import Synthesizer
from mlx_rvc_verify import compare_voice
from mlx_rvc_verify.verdict import PASS
from mlx_rvc_verify.voice_stages import PARTS

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
    saved = golden_synth.small_model(model, config, width, f0, f"{kilohertz}k")
    torch.save(saved, tmp_path / "voice.pth")

    voice = Synthesizer.from_pretrained(tmp_path / "voice.pth")
    phone, pitchf, latent, source = inputs
    given = (phone, pitchf, latent, source) if f0 else (phone, None, latent, None)
    rows = {
        row.stage: row for row in compare_voice(voice, model, given, speaker=SPEAKER, warm=False)
    }
    for row in rows.values():
        print(f"{row.stage}: level {row.level:.3f}, max error {row.max_error:.1e}, "
              f"1 − correlation {1 - row.correlation:.1e}")  # fmt: skip
        assert row.verdict == PASS, row
    audio = rows["audio"]
    assert set(rows) == set(PARTS) - ({"source"} if not f0 else set())
    assert audio.shape == (1, FRAMES * kilohertz * 10)
    assert audio.level < 0.9  # no saturation, where errors would not show
    assert audio.correlation >= 0.99999
    assert audio.max_error <= 1e-3 * audio.level
