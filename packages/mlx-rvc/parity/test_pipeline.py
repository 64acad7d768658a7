"""The whole chain against rvc-next, at full size with random weights and all noise zeroed.

Both sides take F0 from the same function, so that one flipped frame of a random F0 network does
not hide (or excuse) a difference elsewhere; RMVPE has parity tests of its own.
"""

from pathlib import Path

import faiss
import numpy as np
import pytest
import soundfile
import torch
from oracles import load_rvc_next
from transformers import HubertConfig, HubertModel

from mlx_f0 import Dio
from mlx_rvc import RVCPipeline, chunks
from mlx_rvc.recording import prepare
from mlx_rvc_synth import Noise
from mlx_rvc_verify import torch_voice

AUDIO = Path(__file__).parents[3] / "tests/audio"
VOICE_40K = [1025, 32, 192, 192, 768, 2, 6, 3, 0, "1", [3, 7, 11], [[1, 3, 5]] * 3]
VOICE_40K += [[10, 10, 2, 2], 512, [16, 16, 4, 4], 4, 256, 40000]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Encoder folder, voice file and index file, as a user would have them."""
    folder = tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    hubert = HubertModel(HubertConfig())
    hubert.final_proj = torch.nn.Linear(768, 256)
    hubert.save_pretrained(folder / "encoder")

    voice = torch_voice.build(768, True, VOICE_40K)
    with torch.no_grad():
        for name, parameter in voice.named_parameters():
            if name.startswith("flow") and ".post." in name:
                parameter.normal_(0, 0.02)  # initialised to zero, which would hide the flow
    weight = {k: v.half() for k, v in voice.state_dict().items() if "enc_q" not in k}
    small = {"weight": weight, "config": VOICE_40K, "sr": "40k", "f0": 1, "version": "v2"}
    torch.save({**small, "info": "random"}, folder / "voice.pth")

    index = faiss.index_factory(768, "IVF16,Flat")
    with torch.no_grad():
        audio, _ = soundfile.read(AUDIO / "librivox_austen_0870.flac", dtype="float32")
        features = hubert(torch.from_numpy(audio)[None]).last_hidden_state[0].numpy()
    index.train(features)
    index.add(features)
    faiss.write_index(index, str(folder / "added_voice.index"))
    return folder / "encoder", folder / "voice.pth", folder / "added_voice.index"


def speech(seconds):
    clips = [
        soundfile.read(AUDIO / f"librivox_austen_{n}.flac", dtype="float32")[0]
        for n in ("0870", "0930")
    ]
    return np.resize(np.concatenate(clips), int(seconds * 16000))


def reference_cuts(audio, _seconds):
    """Where rvc-next cuts: the quietest 10 ms around each 38 s, floored to a frame of F0.

    Ours lie on a grid twice as coarse (`mlx_rvc.chunks`); with the reference's cuts in their place
    every sample of a long recording can be compared.
    """
    half = chunks.HOP // 2
    magnitude = np.abs(np.pad(audio[:], half, mode="reflect"))
    total = np.convolve(magnitude, np.ones(chunks.HOP), mode="valid")[: len(audio)]
    cuts = []
    for center in range(chunks.CENTER, len(audio), chunks.CENTER):
        window = total[center - chunks.QUERY : center + chunks.QUERY]
        first = center - chunks.QUERY + int(np.argmin(window))
        cuts.append(first // chunks.HOP * chunks.HOP)
    return cuts if len(audio) + chunks.HOP > chunks.LONGEST else []


def as_long_as_the_reference(converted, audio, rate):
    """Cut the 5 to 25 ms off the end of each piece that the reference loses there."""
    hop, kept = rate // 100, []
    padded = np.pad(audio, chunks.PAD)
    for piece in chunks.plan(prepare(audio)):
        frames = 2 * ((len(piece.audio(padded)) - 80) // 320) - 2 * 100
        first = piece.start // chunks.HOP * hop
        kept.append(converted[first : first + frames * hop])
    return np.concatenate(kept)


@pytest.mark.parametrize("seconds", [10, pytest.param(60, marks=pytest.mark.nightly)])
def test_the_chain_equals_the_reference(models, seconds, monkeypatch):
    monkeypatch.setattr(chunks, "quiet_points", reference_cuts)
    monkeypatch.setattr(RVCPipeline, "_phase", lambda self, f0_hz: 0.0)
    encoder, voice, index = models
    audio = speech(seconds)
    settings = {"pitch": 3.5, "index_rate": 0.6, "protect": 0.2, "rms_mix_rate": 1.0}
    expected = load_rvc_next(encoder, voice, Dio().infer_from_audio)(
        audio, index, speaker_id=2, **settings
    )

    pipeline = RVCPipeline.from_pretrained(voice, index=index, contentvec=encoder)
    converted, rate = pipeline.convert_array(
        audio,
        16000,
        f0_method="dio",
        speaker=2,
        noise=lambda _, frames: Noise.zeros(pipeline.synthesizer.config, frames=frames),
        **settings,
    )
    assert (rate, len(converted)) == (40000, seconds * 40000)
    ours = as_long_as_the_reference(converted, audio, rate)
    assert len(ours) == len(expected)
    assert expected.std() > 1e-3
    # Ours is scaled down where it is louder than full scale; correlation does not see that.
    assert np.corrcoef(ours, expected)[0, 1] >= 0.999


def test_the_loudness_envelope_equals_the_reference(models):
    encoder, voice, _ = models
    # Not near a multiple of 0.5 s, where the reference's short output has one RMS frame less than
    # its input and its two curves no longer lie over each other.
    audio = speech(5.3)
    expected = load_rvc_next(encoder, voice, Dio().infer_from_audio)(audio, rms_mix_rate=0.25)
    pipeline = RVCPipeline.from_pretrained(voice, contentvec=encoder)
    converted, rate = pipeline.convert_array(
        audio,
        16000,
        f0_method="dio",
        rms_mix_rate=0.25,
        noise=lambda _, frames: Noise.zeros(pipeline.synthesizer.config, frames=frames),
    )
    ours = as_long_as_the_reference(converted, audio, rate)
    assert np.corrcoef(ours, expected)[0, 1] >= 0.999
    assert ours.std() == pytest.approx(expected.std(), rel=0.01)
