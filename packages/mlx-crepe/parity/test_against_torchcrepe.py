"""Equality with torchcrepe 0.0.24, without its random dither, in RVC's pipeline."""

import importlib.util
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
import torch

from mlx_crepe import CREPE, DECODERS, CREPETiny

for _name in ("resampy", "torchaudio"):  # imported by torchcrepe, not used here
    if importlib.util.find_spec(_name) is None:
        sys.modules[_name] = types.ModuleType(_name)

import torchcrepe  # noqa: E402

AUDIO = [
    Path(__file__).parents[3] / f"tests/audio/{name}.flac"
    for name in ("librivox_austen_0870", "librivox_austen_0930", "vocadito_10", "vocadito_14")
]

SILENT = 1e-3  # of the periodicity; a frame counts as voiced from 0.1 on


@pytest.fixture(autouse=True)
def no_dither(monkeypatch):
    monkeypatch.setattr(torchcrepe.convert, "dither", lambda cents: cents)


def load(path, seconds=None):
    audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = soxr.resample(audio.mean(axis=1), rate, 16000).astype(np.float32)
    return mono if seconds is None else mono[: round(seconds * 16000)]


def theirs(audio, model, decoder):
    f0, strength = torchcrepe.predict(
        torch.tensor(audio)[None],
        16000,
        160,
        50.0,
        1100.0,
        model,
        decoder=getattr(torchcrepe.decode, decoder),
        batch_size=512,
        return_periodicity=True,
    )
    strength = torchcrepe.filter.median(strength, 3)
    f0 = torchcrepe.filter.mean(f0, 3)
    f0[strength < 0.1] = 0
    return f0[0].numpy(), strength[0].numpy()


def compare(ours, expected):
    f0, strength = ours
    assert f0.shape == expected[0].shape
    # Where nothing is heard two paths of Viterbi may be equally good, and rounding, which differs
    # between processors, decides: the neighbouring bins of a few frames that are unvoiced anyway.
    heard = np.maximum(strength, expected[1]) > SILENT
    np.testing.assert_allclose(strength[heard], expected[1][heard], atol=1e-5)
    assert (np.abs(strength - expected[1]) > 1e-5).mean() < 0.01
    np.testing.assert_array_equal(f0 > 0, expected[0] > 0)
    voiced = expected[0] > 0
    assert voiced.sum() > 100
    cents = 1200 * np.abs(np.log2(f0[voiced] / expected[0][voiced]))
    print(f"{cents.max():.2g} cent, periodicity {np.abs(strength - expected[1]).max():.2g}")
    assert cents.max() < 0.1


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("path", AUDIO, ids=lambda path: path.stem)
def test_tiny(path, decoder):
    # torchcrepe's weighted_argmax loops over frames in Python: one block of it is enough.
    audio = load(path, 3 if decoder == "weighted_argmax" else None)
    model = CREPETiny.from_pretrained()
    ours = model.infer_from_audio(audio, decoder=decoder, with_periodicity=True)
    compare(ours, theirs(audio, "tiny", decoder))


def test_full():
    audio = load(AUDIO[0], 3)
    ours = CREPE.from_pretrained().infer_from_audio(audio, with_periodicity=True)
    compare(ours, theirs(audio, "full", "viterbi"))
