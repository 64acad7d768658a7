import mlx.core as mx
import numpy as np
import pytest

import mlx_fastops as fastops
from mlx_rmvpe.network import pad_frames


def close(found, expected, tolerance=2e-5):
    """Equal up to rounding, relative to the largest value of the stage."""
    found = np.asarray(fastops.to_mlx(found))
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= tolerance * max(np.abs(expected).max(), 1.0)


@pytest.fixture
def stages(golden):
    prefix = "stage/"
    return {
        name.removeprefix(prefix): value
        for name, value in golden["network"].items()
        if name.startswith(prefix)
    }


@pytest.fixture
def padded_mel(golden):
    mel = golden["network"]["mel"]
    return pad_frames(mx.array(mel), 24)


def test_padding_is_zeros(golden, padded_mel):
    assert golden["network"]["mel"].shape == (1, 22, 16)
    np.testing.assert_array_equal(padded_mel[:, 22:], np.zeros((1, 2, 16)))


def test_every_stage_is_the_references(toy, stages, padded_mel, backend):
    unet = toy.network.unet
    x = unet.encoder.bn(fastops.native(padded_mel)[..., None])
    close(x, stages["unet.encoder.bn"])
    close(unet.encoder.layers[0].conv[0](x), stages["unet.encoder.layers.0.conv.0"])
    bottom, skips = unet.encoder(fastops.native(padded_mel)[..., None])
    for level, skip in enumerate(skips):
        close(skip, stages[f"unet.encoder.layers.{level}"])
    close(bottom, stages["unet.encoder"])
    x = bottom
    for layer, block in enumerate(unet.intermediate.layers):
        x = block(x)
        close(x, stages[f"unet.intermediate.layers.{layer}"])
    for level, block in enumerate(unet.decoder.layers):
        x = block(x, skips.pop())
        close(x, stages[f"unet.decoder.layers.{level}"])
    close(toy.network.cnn(x), stages["cnn"])


def test_states_and_salience_are_the_references(toy, stages, padded_mel, golden, backend):
    network = toy.network
    features = network.features(padded_mel)
    # The reference flattens (channels, bands); the cnn's output here is (bands, channels).
    close(features, stages["cnn"].transpose(0, 1, 3, 2).reshape(1, 24, -1))
    forward = network.states(features, "forward")
    backward = network.states(features, "backward")
    close(
        np.concatenate([np.asarray(fastops.to_mlx(s)) for s in (forward, backward)], -1),
        stages["fc.0"],
    )
    close(network.salience(forward, backward)[:, :22], stages["salience"])
    close(network(mx.array(golden["network"]["mel"])), stages["salience"])


def test_arrays_stay_native(toy, padded_mel, backend):
    kind = np.ndarray if backend == "blas" else mx.array
    assert isinstance(toy.network.features(padded_mel), kind)
    assert isinstance(toy.network(padded_mel), mx.array)


def test_output_padding_is_computed_not_zeros(toy, stages, backend):
    """Both peers append zeros: the last frame and band of each decoder level are then wrong."""
    block = toy.network.unet.decoder.layers[0]
    expected = stages["unet.decoder.layers.0.conv1"]
    assert expected[:, -1].max() > 1 and expected[:, :, -1].max() > 1
    x = fastops.native(mx.array(stages["unet.intermediate.layers.1"]))
    found = np.asarray(fastops.to_mlx(block.conv1[0](x)))
    close(np.maximum(found, 0), expected)

    defect = np.maximum(found, 0)
    defect[:, -1] = defect[:, :, -1] = 0
    skip = fastops.native(mx.array(stages["unet.encoder.layers.1"]))
    for fixed, limit in ((np.maximum(found, 0), 2e-5), (defect, None)):
        y = fastops.native(mx.array(np.concatenate([fixed, np.asarray(fastops.to_mlx(skip))], -1)))
        for conv in block.conv2:
            y = conv(y)
        if limit is None:
            with pytest.raises(AssertionError):
                close(y, stages["unet.decoder.layers.0"], 1e-2)
        else:
            close(y, stages["unet.decoder.layers.0"], limit)


def test_every_stage_takes_frames_that_are_multiples_of_its_cell_only_inside(toy, golden):
    """Any count outside: the network pads and cuts."""
    mel = golden["network"]["mel"]
    for frames in (1, 2, 3, 4, 5, 21):
        assert toy.network(mx.array(mel[:, :frames])).shape == (1, frames, 72)
