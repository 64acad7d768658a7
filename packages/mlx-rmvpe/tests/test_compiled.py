"""As on a GPU: the U-Net compiled, lengths in buckets, and the numbers unchanged."""

import mlx.core as mx
import numpy as np
import pytest

import mlx_fastops as fastops
from mlx_rmvpe.blocks import salience_blocks


@pytest.fixture(autouse=True)
def _mlx():
    with fastops.use_backend("mlx"):
        yield


@pytest.fixture
def without_compiler(monkeypatch):
    """Padding and masks as when compiled, but nothing is: on a CPU each kernel takes a second."""
    monkeypatch.setattr(mx, "compile", lambda function, inputs: function)


@pytest.fixture
def network(toy_path):
    from mlx_rmvpe import RMVPE

    return RMVPE.from_pretrained(toy_path).network


def _mel(network, cells, batch=1):
    config = network.config
    shape = (batch, cells * config.frame_multiple, config.n_mels)
    return mx.array(np.random.default_rng(cells).normal(-3, 2, shape).astype(np.float32))


def test_padded_lengths_change_nothing(network, without_compiler):
    lengths = set()
    for cells in (1, 2, 3, 5, 9, 33, 65):
        mel = _mel(network, cells, batch=2)
        expected = np.array(network.features(mel))
        with fastops.use_compilation(True):
            found = np.array(network.features(mel))
        lengths.add(fastops.bucket(mel.shape[1]) - mel.shape[1])
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())
    assert len(lengths) > 1  # some of them were padded


def test_the_mask_is_what_keeps_padding_out(network):
    mel, multiple = _mel(network, 2), network.config.frame_multiple
    expected = np.array(network.features(mel))
    longer = mx.pad(mel, [(0, 0), (0, multiple), (0, 0)])
    unmasked = np.array(network.features(longer)[:, : mel.shape[1]])
    assert np.abs(unmasked - expected).max() > 1e-3


def test_a_new_length_is_not_traced_again(network, compiler):
    """Graphs are built, and not evaluated."""
    multiple = network.config.frame_multiple
    with fastops.use_compilation(True):
        for frames in range(multiple, 33, multiple):
            network.features(_mel(network, frames // multiple))
        assert network._on_device.whole.traces == 1
        for _ in range(2):
            network.features(_mel(network, 4), slice(1, 3))
    assert network._on_device.part.traces == 1
    assert network._on_device.whole.traces == 1


def test_blocks_of_a_long_recording(network, without_compiler):
    audio = (0.1 * np.random.default_rng(0).standard_normal((1, 48000))).astype(np.float32)
    expected = dict(salience_blocks(network, audio, block_frames=64))
    with fastops.use_compilation(True):
        found = dict(salience_blocks(network, audio, block_frames=64))
    assert found.keys() == expected.keys()
    assert len(found) > 3
    for start, salience in found.items():
        np.testing.assert_allclose(salience, expected[start], atol=1e-5)
