"""Applio's MRF HiFi-GAN and RefineGAN at full size, random weights and all noise injected."""

from itertools import product

import applio_voices
import numpy as np
import pytest
import torch

from mlx_rvc_synth import Noise, Synthesizer, extract, read_voice, write_voice

FRAMES = 100
SPEAKER = 42
# As Applio's rvc/configs has them. Of 44.1 kHz it has none: these are odd rates.
RATES = {
    24000: ([10, 6, 2, 2], [20, 12, 4, 4]),
    32000: ([10, 8, 2, 2], [20, 16, 4, 4]),
    40000: ([10, 10, 2, 2], [16, 16, 4, 4]),
    44100: ([7, 7, 3, 3], [14, 14, 6, 6]),
    48000: ([12, 10, 2, 2], [24, 20, 4, 4]),
}
SAMPLE = [
    ("MRF HiFi-GAN", 40000),
    ("MRF HiFi-GAN", 44100),
    ("RefineGAN", 24000),
    ("RefineGAN", 44100),
]
CASES = [
    pytest.param(*case, marks=() if case in SAMPLE else pytest.mark.nightly)
    for case in product(applio_voices.NAMES, RATES)
]


def full_config(rate):
    """RVC's list of 18 values, as Applio writes it for a rate in Hz."""
    rates, kernels = RATES[rate]
    sizes = [513 if rate <= 32000 else 1025, 32, 192, 192, 768, 2, 6, 3, 0]
    blocks = ["1", [3, 7, 11], [[1, 3, 5]] * 3]
    return [*sizes, *blocks, rates, 512, kernels, 109, 256, rate]


def trained(vocoder, rate):
    """A network with random weights of float16, and inputs and noise for it."""
    config = full_config(rate)
    model = applio_voices.build(vocoder, 768, config)
    applio_voices.randomise(model, rate, half=True)
    given = applio_voices.example(vocoder, model, config, 768, 1, FRAMES, rate)
    applio_voices.calibrate(model, given, SPEAKER)
    with torch.no_grad():
        for value in model.dec.conv_post.parameters():
            value.copy_(value.half().float())
    return model, config, given


def ours(path, given):
    voice = Synthesizer.from_pretrained(path)
    noise = Noise(given.latent, given.source, given.offsets, given.layers)
    return voice, np.asarray(voice.infer(given.phone, given.f0, speaker=SPEAKER, noise=noise))[0]


def compare(name, found, expected, error=1e-4):
    """Equal: `error` is relative to the level."""
    assert found.shape == expected.shape
    largest = np.abs(found - expected).max()
    similar = np.corrcoef(found.ravel(), expected.ravel())[0, 1]
    level = expected.std()
    print(f"{name}: level {level:.3f}, max error {largest:.1e}, 1 − correlation {1 - similar:.1e}")
    assert similar >= 0.99999
    assert largest <= error * level


@pytest.mark.parametrize(("vocoder", "rate"), CASES)
def test_audio_and_stages_equal_torch(vocoder, rate, tmp_path):
    model, config, given = trained(vocoder, rate)
    torch.save(applio_voices.small_model(vocoder, model, config, 768), tmp_path / "voice.pth")
    voice, audio = ours(tmp_path / "voice.pth", given)
    # As Applio runs it, in float32 throughout: the phase of its source is a little off.
    compare("audio", audio, applio_voices.infer(model, given, SPEAKER)[0][0, 0].numpy(), 5e-3)

    applio_voices.exact_places(model)
    seen = applio_voices.traced(model, given, SPEAKER)
    own = {} if given.offsets is None else {"offsets": given.offsets}
    source = voice.dec.m_source(given.f0, given.source, **own)
    compare("source, exact", source, seen["source"], 2e-4)
    g = np.asarray(voice.emb_g.weight)[[SPEAKER]][None]
    if vocoder == "RefineGAN":
        inside = Noise(given.latent, given.source, layers=given.layers).inside()
        hop = rate // 100
        downs = voice.dec.bring_down(seen["source"], 0, FRAMES * hop, FRAMES)
        compare("source at the rate of frames", downs.arrays[0], seen["down_3"])
        rendered = {"layers": inside}
    else:
        rendered = {}
    compare(
        "vocoder, exact", voice.dec(seen["z"], g, seen["source"], **rendered), seen["audio"][..., 0]
    )
    expected = seen["audio"][0, :, 0]
    assert np.abs(expected).mean() < 0.9  # no saturation, where errors would not show
    compare("audio, exact", audio, expected, 5e-4)


@pytest.mark.parametrize(("vocoder", "rate"), [("MRF HiFi-GAN", 48000), ("RefineGAN", 32000)])
def test_an_extracted_checkpoint_is_loaded_by_applios_network(vocoder, rate, tmp_path):
    model, config, given = trained(vocoder, rate)
    expected = applio_voices.infer(model, given, SPEAKER)[0][0, 0].numpy()
    torch.save({"model": model.state_dict(), "iteration": 9, "optimizer": {}}, tmp_path / "G_9.pth")
    # 24 and 32 kHz have the same spectrum, and RefineGAN no kernels that would tell them apart.
    voice = extract(tmp_path / "G_9.pth", sample_rate=rate if vocoder == "RefineGAN" else None)
    write_voice(voice, tmp_path / "folded.safetensors")
    write_voice(read_voice(tmp_path / "folded.safetensors"), tmp_path / "voice.pth")
    found = torch.load(tmp_path / "voice.pth", weights_only=True)
    assert (found["config"], found["vocoder"]) == (config, vocoder)
    again = applio_voices.build(vocoder, 768, found["config"])
    del again.enc_q
    again.load_state_dict(found["weight"], strict=True)
    audio = applio_voices.infer(again, given, SPEAKER)[0][0, 0].numpy()
    compare("written", audio, expected)
