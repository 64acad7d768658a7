import mlx.core as mx
import numpy as np
import pytest

import mlx_fastops as fastops
from mlx_fcpe import FCPEConfig
from mlx_fcpe.statistics import GroupStatistics


def close(found, expected):
    found = np.asarray(fastops.to_mlx(found))
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 2e-5 * max(np.abs(expected).max(), 1)


def test_every_stage_is_the_references(toy, golden, backend):
    stage = {k.removeprefix("stage/"): v for k, v in golden["network"].items() if "stage/" in k}
    network = toy.network
    x = network.enter(mx.array(golden["network"]["mel"]))
    close(x, stage["input_stack.0"])
    statistics = network.statistics(1)
    statistics.add(x)
    close(network.salience(x, statistics), stage["salience"])
    x = network.input_stack[1](x, statistics)
    close(x, stage["input_stack.1"])
    x = network.input_stack[3](x, leaky_slope=0.01)
    close(x, stage["input_stack.3"])
    close(network.net.encoder_layers[0].conformer(x), stage["net.encoder_layers.0.conformer"])
    for i, layer in enumerate(network.net.encoder_layers):
        x = layer(x)
        close(x, stage[f"net.encoder_layers.{i}"])
    x = network.norm(x)
    close(x, stage["norm"])
    close(network.output_proj(x), stage["output_proj"])


def test_statistics_do_not_depend_on_the_blocks():
    """Values far from zero, whose variance float32 sums would lose."""
    rng = np.random.default_rng(0)
    x = (rng.standard_normal((2, 500, 8)) + 300).astype(np.float32)
    groups = x.astype(np.float64).reshape(2, 500, 4, 2)
    mean, deviation = groups.mean((1, 3)), np.sqrt(groups.var((1, 3)) + 1e-5)
    weight, bias = rng.random(8), rng.random(8)
    for step in (1, 7, 500):
        statistics = GroupStatistics(2, 4)
        for start in range(0, 500, step):
            statistics.add(x[:, start : start + step])
        scale, shift = statistics.scale_and_shift(weight, bias)
        expected = weight / np.repeat(deviation, 2, axis=1)
        np.testing.assert_allclose(scale[:, 0], expected, rtol=1e-6)
        expected = bias - np.repeat(mean, 2, axis=1) * expected
        np.testing.assert_allclose(shift[:, 0], expected, rtol=1e-6)


def test_the_halo_is_as_wide_as_the_network_sees(toy):
    config = toy.config
    frames = 4 * config.halo_frames
    mel = np.random.default_rng(0).standard_normal((1, frames, 16)).astype(np.float32)
    changed = mel.copy()
    changed[:, frames // 2] += 100
    with fastops.use_backend("blas"):
        x, other = (toy.network.enter(mx.array(some)) for some in (mel, changed))
        statistics = toy.network.statistics(1)
        statistics.add(x)
        difference = toy.network.salience(other, statistics) - toy.network.salience(x, statistics)
    reached = np.flatnonzero(np.abs(difference).max(axis=(0, 2)) > 0)
    distance = np.abs(reached - frames // 2).max()
    assert config.halo_frames // 2 < distance <= config.halo_frames


def test_the_published_network_sees_92_frames():
    assert FCPEConfig().halo_frames == 92 and FCPEConfig().pad == 432


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"n_layers": 0}, "n_layers is 0, expected an integer >= 1"),
        ({"sr": "fast"}, "sr is 'fast', expected a number"),
        ({"fmax": 9000.0}, "do not fit into 0 to 8000.0 Hz"),
        ({"n_fft": 100}, "n_fft is 100, expected hop_size"),
        ({"n_fft": 1023}, "n_fft is 1023, expected hop_size"),
        ({"hidden_dims": 510}, "hidden_dims is 510, expected a multiple of 4"),
        ({"heads": 8}, "unknown heads; known are"),
    ],
)
def test_impossible_sizes_are_refused(sizes, message):
    with pytest.raises(ValueError, match=message):
        FCPEConfig.from_dict(sizes)


def test_a_configuration_goes_to_a_file_and_back():
    config = FCPEConfig(num_mels=16, hidden_dims=16)
    assert FCPEConfig.from_dict(config.to_dict()) == config
