"""The demo voice on real recordings: MLX against PyTorch, its melody, and whose voice it is."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from oracles import load_rvc_next

import mlx_rvc_demo
from mlx_f0 import Harvest
from mlx_rvc import RVCPipeline
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
    pitch = bundle.recordings[0].pitch[speaker]  # the same reader
    expected = load_rvc_next(bundle.encoder, bundle.voice, Harvest().infer_from_audio)(
        audio, pitch=pitch, speaker_id=speaker, rms_mix_rate=1.0
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
    source, rate = soundfile.read(bundle.recordings[0].path, dtype="float32")
    converted, out_rate = pipeline.convert_array(
        source,
        rate,
        f0_method="harvest",
        pitch=bundle.recordings[0].pitch[speaker],
        speaker=speaker,
        seed=0,
    )
    target, target_rate = soundfile.read(AUDIO / f"target_{speaker}.flac", dtype="float32")
    mine = embed(converted, out_rate)
    assert mine @ embed(target, target_rate) > mine @ embed(source, rate) + 0.1


def measured_f0(audio, rate):
    """F0 in Hz and voicing by SwiftF0, which neither made the conversion nor was made by us.

    WORLD's estimators, which the conversion uses, lose this toy voice's weak fundamental.
    """
    from swift_f0 import SwiftF0

    found = SwiftF0().detect(audio.astype(np.float32), rate, 50, 800)
    return np.where(np.asarray(found.confidence) >= 0.5, np.asarray(found.pitch_hz), 0)


@pytest.mark.parametrize(
    ("clip", "speaker", "pitch"),
    [
        ("librivox_austen_0870", 0, -2),
        ("librivox_austen_0870", 1, 10),
        ("librivox_austen_0930", 1, 9.5),
        ("vocadito_14", 0, -12),
    ],
)
def test_the_melody_follows_the_input(pipeline, clip, speaker, pitch):
    """F0 of the output lies within 50 cents of the shifted input's in 90 % of voiced frames."""
    audio, rate = soundfile.read(AUDIO / f"{clip}.flac", dtype="float32")
    converted, out_rate = pipeline.convert_array(
        audio, rate, f0_method="harvest", speaker=speaker, pitch=pitch, seed=0
    )
    wanted = measured_f0(audio, rate) * 2 ** (pitch / 12)
    found = measured_f0(converted, out_rate)
    frames = min(len(wanted), len(found))
    wanted, found = wanted[:frames], found[:frames]
    both = (wanted > 50) & (found > 0)
    cents = 1200 * np.log2(found[both] / wanted[both])
    assert both.sum() >= 0.85 * (wanted > 50).sum()
    assert np.mean(np.abs(cents) < 50) >= 0.9
