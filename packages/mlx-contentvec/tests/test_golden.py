"""Every step against transformers, at toy size, by both of the ways there are to compute."""

import mlx.core as mx
import numpy as np
import pytest

import mlx_fastops as fastops

TOLERANCE = 1e-5  # values are of order 1


@pytest.fixture(params=["blas", "mlx"])
def backend(request):
    with fastops.use_backend(request.param):
        yield request.param


@pytest.fixture(params=["post_norm", "pre_norm"])
def golden(request):
    return request.getfixturevalue(request.param)


def close(ours, theirs, tolerance=TOLERANCE):
    np.testing.assert_allclose(np.array(ours), theirs, rtol=0, atol=tolerance)


def test_convolutions_and_projection(golden, backend):
    model, steps = golden.model(), golden.steps
    features = model.feature_extractor(golden.audio)
    close(features, steps["conv_features"])
    close(model.feature_projection(features), steps["projection"])


def test_positional_convolution(golden, backend):
    x = fastops.native(golden.steps["projection"])
    close(golden.model().encoder.pos_conv_embed(x), golden.steps["pos_conv"])


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_layer_alone(golden, backend, layer):
    steps, encoder = golden.steps, golden.model().encoder
    if layer > 1:
        x = steps[f"block_{layer - 1}"]
    else:
        x = steps["projection"] + steps["pos_conv"]
        if not golden.config.do_stable_layer_norm:
            norm = encoder.layer_norm
            x = np.array(mx.fast.layer_norm(mx.array(x), norm.weight, norm.bias, norm.eps))
    close(encoder.layers[layer - 1](fastops.native(x)), steps[f"block_{layer}"])


def test_whole_model(golden, backend):
    model, steps = golden.model(), golden.steps
    close(model(golden.audio)["x"], steps["last"])
    close(model.extract(golden.audio), steps["last"])
    for layer in (1, 2):
        close(model.extract(golden.audio, layer=layer), steps[f"hidden_{layer}"])
        close(model.extract(golden.audio, layer=layer, project=True), steps[f"projected_{layer}"])


def test_last_layer_is_the_last_hidden_state(golden):
    close(golden.model().extract(golden.audio, layer=3), golden.steps["last"])


def test_projection_is_not_a_cut_of_the_last_layer(post_norm):
    """v1 voices read a middle layer through final_proj; a peer takes the first channels of the last."""
    width = post_norm.config.classifier_proj_size
    projected = np.array(post_norm.model().extract(post_norm.audio, layer=2, project=True))
    assert projected.shape == (2, 18, width)
    assert np.abs(projected - post_norm.steps["last"][..., :width]).max() > 1
    close(projected, post_norm.steps["projected_2"])


def test_weight_norm_axis(post_norm):
    """One norm per tap. Over another axis the outputs differ by far more than the tolerance."""
    from mlx_contentvec import sanitize

    name = "encoder.pos_conv_embed.conv."
    g = post_norm.weights[name + "parametrizations.weight.original0"]  # (1, 1, taps)
    v = post_norm.weights[name + "parametrizations.weight.original1"]  # (out, in, taps)
    expected = np.stack(
        [g[0, 0, t] * v[:, :, t] / np.linalg.norm(v[:, :, t]) for t in range(v.shape[2])], axis=1
    )
    np.testing.assert_allclose(sanitize(post_norm.weights)[name + "weight"], expected, rtol=1e-6)
    model = post_norm.model()
    per_output = v / np.linalg.norm(v, axis=(1, 2), keepdims=True) * g
    model.encoder.pos_conv_embed.conv.weight = mx.array(per_output.transpose(0, 2, 1))
    assert np.abs(np.array(model(post_norm.audio)["x"]) - post_norm.steps["last"]).max() > 1e-2


def test_first_norm_is_over_time_alone(post_norm):
    """A norm over the batch, or over all channels, would mix the loud item with the quiet one."""
    model = post_norm.model()
    alone = [np.array(model(item)["x"])[0] for item in post_norm.audio]
    together = np.array(model(post_norm.audio)["x"])
    close(together, np.stack(alone), 2e-6)
