"""The demo voice on real recordings: MLX against PyTorch, and whose voice it is."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from oracles import rvc_next_convert

import mlx_rvc_demo
from mlx_rvc import RVCPipeline
from mlx_rvc.f0 import harvest
from mlx_rvc_synth import Noise

AUDIO = Path(__file__).parents[1] / "audio"


@pytest.fixture(scope="module")
def pipeline():
    return RVCPipeline.from_pretrained("demo")


@pytest.mark.parametrize("speaker", [0, 1])
@pytest.mark.parametrize("clip", ["librivox_austen_0930", "librivox_austen_0870"])
def test_mlx_converts_as_pytorch_does(pipeline, clip, speaker):
    audio, rate = soundfile.read(AUDIO / f"{clip}.flac", dtype="float32")
    assert rate == 16000
    bundle = mlx_rvc_demo.bundle()
    pitch = bundle.speakers[speaker].pitch
    expected = rvc_next_convert(
        audio, bundle.encoder, bundle.voice, harvest, pitch=pitch, speaker_id=speaker, rms_mix_rate=1.0
    )
    converted, _ = pipeline.convert_array(
        audio,
        rate,
        f0_method="harvest",
        pitch=pitch,
        speaker=speaker,
        rms_mix_rate=1.0,
        noise=lambda _, frames: Noise.zeros(pipeline.synthesizer.config, frames=frames),
    )
    ours = converted[: len(expected)]
    assert 0 < len(converted) - len(expected) <= 400
    assert np.corrcoef(ours, expected)[0, 1] >= 0.9999
    assert np.abs(ours - expected).max() <= 1e-3


@pytest.mark.parametrize("speaker", [0, 1])
def test_the_voice_is_nearer_to_the_target_than_to_the_source(pipeline, speaker):
    """Cosine of Resemblyzer embeddings; the targets are the real speakers, saying something else."""
    from resemblyzer import VoiceEncoder, preprocess_wav

    encoder = VoiceEncoder("cpu", verbose=False)

    def embed(audio, rate):
        return encoder.embed_utterance(preprocess_wav(audio.astype(np.float32), source_sr=rate))

    bundle = mlx_rvc_demo.bundle()
    source, rate = soundfile.read(bundle.recording, dtype="float32")
    converted, out_rate = pipeline.convert_array(
        source, rate, f0_method="harvest", pitch=bundle.speakers[speaker].pitch, speaker=speaker, seed=0
    )
    target, target_rate = soundfile.read(AUDIO / f"target_{speaker}.flac", dtype="float32")
    mine = embed(converted, out_rate)
    assert mine @ embed(target, target_rate) > mine @ embed(source, rate) + 0.1
