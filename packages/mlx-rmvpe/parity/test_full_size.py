"""The published sizes with random weights, against RVC's own network in torch.

python -m pytest packages/mlx-rmvpe/parity --import-mode=importlib -c pyproject.toml
"""

import numpy as np
import pytest
import torch
from golden_rmvpe import estimator, mel_extractor, randomise, reference, sound

from mlx_rmvpe import RMVPE, RMVPEConfig, decode
from mlx_rmvpe.blocks import salience_blocks
from mlx_rvc_verify import compare_rmvpe
from mlx_rvc_verify.torch_rmvpe import salience as salience_by
from mlx_rvc_verify.verdict import PASS


@pytest.fixture(scope="module")
def theirs():
    model = reference.E2E(4, 1, (2, 2))
    randomise(model, seed=7, sharpness=0.5)
    return estimator(model.half().float().eval(), mel_extractor(128))


@pytest.fixture(scope="module")
def ours(theirs, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "rmvpe.pt"
    state = theirs.model.state_dict()
    assert len(state) == 741
    torch.save({k: v.half() if v.is_floating_point() else v for k, v in state.items()}, path)
    model = RMVPE.from_pretrained(path)
    assert model.config == RMVPEConfig()
    return model


def cents(found, expected):
    np.testing.assert_array_equal(found > 0, expected > 0)
    voiced = expected > 0
    assert voiced.mean() > 0.5
    return np.abs(1200 * np.log2(found[voiced] / expected[voiced])).max()


@pytest.mark.parametrize("samples", [5200, 16000 + 77, 3 * 16000 - 1])
def test_salience_and_f0_from_audio(theirs, ours, samples):
    audio = sound(samples, seed=samples)
    frames = samples // 160 + 1
    assert frames % 32
    salience, f0 = compare_rmvpe(ours, theirs, audio, warm=False)
    assert (salience.verdict, f0.verdict) == (PASS, PASS)
    assert salience.shape == (frames, 360)
    assert salience.level > 0.1
    assert salience.max_error <= 1e-5
    assert f0.max_error <= 0.1
    assert cents(ours.infer_from_audio(audio), theirs.infer_from_audio(audio)) <= 0.1


def test_a_batch(theirs, ours):
    audio = np.stack([sound(8100, seed=1), sound(8100, seed=2)])
    assert np.abs(ours.salience(audio) - salience_by(theirs, audio)).max() <= 1e-5


def test_long_audio_in_blocks_is_one_pass_of_torch(theirs, ours):
    """Three blocks with halos on either side, one or both."""
    audio = sound(30 * 16000 + 16, seed=3)
    expected = salience_by(theirs, audio)[0]
    blocks = [
        block[0] for _, block in salience_blocks(ours.network, audio[None], block_frames=1024)
    ]
    assert [len(block) for block in blocks[::-1]] == [1024, 1024, 953]
    found = np.concatenate(blocks[::-1])
    assert np.abs(found - expected).max() <= 1e-5
    assert cents(decode(found), decode(expected)) <= 0.5
