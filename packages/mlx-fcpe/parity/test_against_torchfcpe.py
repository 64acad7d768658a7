"""The published weights on real speech and singing, against torchfcpe 0.0.4 in torch.

python -m pytest packages/mlx-fcpe/parity --import-mode=importlib -c pyproject.toml

Compared at 16 kHz: at other rates torchfcpe counts the frames of the unresampled recording. The
range is open, because torchfcpe has none.
"""

import numpy as np
import pytest
import soundfile
import soxr
from golden_fcpe import PUBLISHED, ROOT, f0_of, published, salience_of, sound

from mlx_fcpe import FCPE, decode
from mlx_fcpe.blocks import salience_blocks
from mlx_fcpe.weights import SHIPPED

CLIPS = sorted(path.stem for path in (ROOT / "tests/audio").glob("*.flac"))
WHOLE = {"f0_min": 0.0, "f0_max": np.inf}


@pytest.fixture(scope="module")
def theirs():
    return published()


@pytest.fixture(scope="module")
def full():
    return FCPE.from_pretrained(PUBLISHED)


@pytest.fixture(scope="module")
def shipped():
    return FCPE.from_pretrained(SHIPPED)


def clip(name):
    audio, rate = soundfile.read(ROOT / f"tests/audio/{name}.flac", dtype="float32")
    return audio if rate == 16000 else soxr.resample(audio, rate, 16000, quality="HQ")


def compare(found, expected):
    """Frames whose voicing differs, and the largest difference of the others in cents."""
    voiced = (found > 0) & (expected > 0)
    cents = np.abs(1200 * np.log2(found[voiced] / expected[voiced]))
    return int(((found > 0) != (expected > 0)).sum()), cents.max(initial=0)


def test_there_are_clips():
    assert len(CLIPS) == 9


@pytest.mark.parametrize("name", CLIPS)
@pytest.mark.parametrize("decoder", ["local_argmax", "argmax"])
def test_f0_with_float32_weights(theirs, full, name, decoder):
    audio = clip(name)
    expected = f0_of(theirs, audio, decoder_mode=decoder)
    found = full.infer_from_audio(audio, decoder=decoder, **WHOLE)
    assert found.shape == expected.shape and (expected > 0).mean() > 0.3
    flipped, cents = compare(found, expected)
    print(f"{name} {decoder} fp32: {flipped} flipped, {cents:.2g} cents")
    assert flipped == 0 and cents <= 0.1


@pytest.mark.parametrize("name", CLIPS)
@pytest.mark.parametrize("decoder", ["local_argmax", "argmax"])
def test_f0_with_the_shipped_weights(theirs, shipped, name, decoder):
    """In 16 bits: within a cent, and no frame changes its voicing."""
    audio = clip(name)
    expected = f0_of(theirs, audio, decoder_mode=decoder)
    flipped, cents = compare(shipped.infer_from_audio(audio, decoder=decoder, **WHOLE), expected)
    print(f"{name} {decoder} 16 bits: {flipped} flipped, {cents:.2g} cents")
    assert flipped == 0 and cents <= 1


@pytest.mark.parametrize("name", CLIPS)
def test_salience(theirs, full, name):
    audio = clip(name)
    error = np.abs(full.salience(audio) - salience_of(theirs, audio)).max()
    print(f"{name} salience: {error:.2g}")
    assert error <= 1e-4


@pytest.mark.parametrize(
    "samples", [1, 159, 160, 300, 432, 433, 592, 1024, 8000, 16000 + 77, 3 * 16000 - 1]
)
def test_every_length(theirs, full, samples):
    audio = sound(samples, seed=samples)
    expected = salience_of(theirs, audio)
    found = full.salience(audio)
    assert found.shape == expected.shape == (samples // 160 + 1, 360)
    assert np.abs(found - expected).max() <= 1e-4


def test_a_batch(theirs, full):
    audio = np.stack([sound(8100, seed=1), 0.1 * sound(8100, seed=2)])
    assert np.abs(full.salience(audio) - salience_of(theirs, audio)).max() <= 1e-4


def test_blocks_are_one_pass_of_torch(theirs, full):
    audio = clip("vocadito_14")
    expected = f0_of(theirs, audio)
    blocks = list(salience_blocks(full.network, audio[None], block_frames=256))
    assert len(blocks) > 3
    found = np.concatenate(blocks, axis=1)[0]
    error = np.abs(found - salience_of(theirs, audio)).max()
    flipped, cents = compare(decode(found, np.array(full.network.cent_table)), expected)
    print(f"blocks: salience {error:.2g}, {flipped} flipped, {cents:.2g} cents")
    assert error <= 1e-4 and flipped == 0 and cents <= 0.1
