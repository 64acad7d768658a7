"""The shipped weights against the original program (swift-f0 0.3.0, ONNX) on real recordings.

python -m pytest packages/mlx-swift-f0/parity --import-mode=importlib -c pyproject.toml
"""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
import swift_f0

from mlx_swift_f0 import SwiftF0

ROOT = Path(__file__).parents[3]
# Beside the checkout where the project keeps all of them; some are committed with its tests.
FOLDERS = [
    Path(os.environ.get("MLX_RVC_AUDIO", ROOT.parent / "shared/audio")),
    ROOT / "tests/audio",
]
CLIPS = sorted({path.name: path for f in FOLDERS for path in f.glob("*.flac")}.items())
BANDS = [(None, None), (50.0, 1100.0), (100.0, 300.0), (300.0, 313.0)]


@pytest.fixture(scope="module")
def ours():
    return SwiftF0.from_pretrained()


@pytest.fixture(scope="module")
def theirs():
    return swift_f0.SwiftF0(threads=1)


def recording(path):
    audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = audio.mean(axis=1, dtype=np.float32)
    return mono if rate == 16000 else soxr.resample(mono, rate, 16000, quality="HQ")


def compare(ours, theirs, audio, band=(None, None)):
    """Largest distance of F0 in cents and of confidence, over every frame, voiced or not."""
    low, high = band
    limits = {} if low is None else {"f0_min": low, "f0_max": high}
    f0, confidence = ours.native(audio, **limits)
    expected = theirs.detect(audio, 16000, low, high)
    assert f0.shape == expected.pitch_hz.shape
    cents = np.abs(1200 * np.log2(f0.astype(float) / expected.pitch_hz))
    strength = np.abs(confidence - expected.confidence)
    print(f"cents {cents.max():.2g} confidence {strength.max():.2g} frames {len(f0)}")
    return cents, strength, expected


def test_there_are_clips():
    assert len(CLIPS) >= 4


@pytest.mark.parametrize("band", BANDS)
@pytest.mark.parametrize(("name", "path"), CLIPS)
def test_real_recordings(ours, theirs, name, path, band):
    cents, strength, expected = compare(ours, theirs, recording(path), band)
    if band == (None, None):
        assert 0.1 < (expected.confidence >= 0.5).mean() < 1
    assert cents.max() <= 0.1
    assert strength.max() <= 1e-4


def test_longer_than_a_block_of_either(ours, theirs):
    """Four clips one after another, twice: the original cuts at 30 s, we at 16."""
    audio = np.concatenate([recording(path) for _, path in CLIPS] * 2)
    assert len(audio) > 45 * 16000
    cents, strength, _ = compare(ours, theirs, audio)
    assert cents.max() <= 0.1
    assert strength.max() <= 1e-4


def test_the_streams_agree(ours, theirs):
    """Frames of both streams, pushed alike; the original's brought onto the grid of 10 ms."""
    from mlx_swift_f0 import to_grid

    audio = recording(CLIPS[-1][1])[: 5 * 16000 + 123]
    mine, other = ours.stream(), theirs.stream(50.0, 1100.0)
    curve, results = [], []
    for at in range(0, len(audio), 800):
        curve.append(mine.push(audio[at : at + 800]))
        results.append(other.push(audio[at : at + 800], 16000))
    curve.append(mine.flush())
    results.append(other.flush())
    result = swift_f0.concat(results)
    voiced = np.where(result.confidence >= 0.5, result.pitch_hz, 0)
    expected = to_grid(voiced, 0, len(audio) // 160 + 1)
    found = np.concatenate(curve)
    np.testing.assert_array_equal(found > 0, expected > 0)
    both = found > 0
    assert both.mean() > 0.2
    assert np.abs(1200 * np.log2(found[both] / expected[both])).max() <= 0.1
