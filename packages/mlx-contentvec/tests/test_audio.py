import mlx.core as mx
import numpy as np
import pytest

import mlx_fastops as fastops
from mlx_contentvec import ContentvecConfig, ContentvecModel, features


def test_shapes_and_kinds(model, post_norm):
    audio = post_norm.audio[0]
    out = model(audio)["x"]
    assert isinstance(out, mx.array)
    assert out.dtype == mx.float32
    assert out.shape == (1, model.frames(len(audio)), 24)
    expected = np.array(out)
    for same in (audio[None], mx.array(audio), mx.array(audio)[None], audio.astype(np.float64)):
        assert np.array_equal(np.array(model(same)["x"]), expected)
    strided = np.repeat(audio, 2)[::2]
    assert np.array_equal(np.array(model(strided)["x"]), expected)
    rounded = mx.array(audio).astype(mx.bfloat16)
    assert np.array_equal(
        np.array(model(rounded)["x"]), np.array(model(rounded.astype(mx.float32))["x"])
    )


@pytest.mark.parametrize("size", [400, 719, 720, 1040])
def test_shortest_audio(model, size):
    out = np.array(model(np.sin(np.arange(size, dtype=np.float32)))["x"])
    assert out.shape == (1, (size - 80) // 320, 24)
    assert np.isfinite(out).all()


@pytest.mark.parametrize("size", [0, 1, 399])
def test_audio_shorter_than_a_frame_is_refused(model, size):
    with pytest.raises(ValueError, match=f"{size} samples; expected at least 400"):
        model.extract(np.zeros(size, np.float32))


def test_unusable_audio_is_refused(model):
    audio = np.zeros(800, np.float32)
    with pytest.raises(ValueError, match="int16; expected floating point"):
        model.extract(np.zeros(800, np.int16))
    with pytest.raises(ValueError, match=r"shape \(1, 1, 800\)"):
        model.extract(audio[None, None])
    with pytest.raises(ValueError, match=r"shape \(0, 800\)"):
        model.extract(np.zeros((0, 800), np.float32))
    audio[3] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        model.extract(audio)


@pytest.mark.parametrize("layer", [0, 4, -1, 1.0, True])
def test_layers_that_do_not_exist(model, post_norm, layer):
    with pytest.raises(ValueError, match="layers 1 to 3"):
        model.extract(post_norm.audio, layer=layer)


def test_later_layers_are_not_computed(model, post_norm, monkeypatch):
    def refuse(*_):
        raise AssertionError("computed")

    monkeypatch.setattr(model.encoder.layers[2], "attention", refuse)
    model.extract(post_norm.audio, layer=2)
    with pytest.raises(AssertionError, match="computed"):
        model.extract(post_norm.audio, layer=3)


def test_projection_needs_its_weights():
    model = ContentvecModel(
        ContentvecConfig(
            hidden_size=8,
            num_attention_heads=1,
            num_hidden_layers=1,
            intermediate_size=8,
            conv_dim=(4,) * 7,
            num_conv_pos_embeddings=4,
            num_conv_pos_embedding_groups=1,
            classifier_proj_size=None,
        )
    )
    with pytest.raises(ValueError, match="no final_proj"):
        model.extract(np.zeros(400, np.float32), project=True)


def test_silence_is_finite(model):
    assert np.isfinite(np.array(model(np.zeros(4000, np.float32))["x"])).all()


@pytest.mark.parametrize("backend", ["blas", "mlx"])
@pytest.mark.parametrize("name", ["post_norm", "pre_norm"])
def test_blocks_equal_one_pass(request, monkeypatch, backend, name):
    golden = request.getfixturevalue(name)
    model = golden.model()
    with fastops.use_backend(backend):
        whole = np.array(model(golden.audio)["x"])
        monkeypatch.setattr(features, "BLOCK_FRAMES", {"blas": 5, "mlx": 7})  # 18 frames
        monkeypatch.setattr(features, "WINDOW_BLOCK", 100)
        np.testing.assert_allclose(np.array(model(golden.audio)["x"]), whole, rtol=0, atol=3e-6)


def test_window_moments_of_a_signal_with_a_large_offset():
    samples = (1 + 1e-3 * np.random.default_rng(1).standard_normal(5000)).astype(np.float32)
    mean, covariance = features.window_moments(samples, 10, 5)
    windows = np.array([samples[i : i + 10] for i in range(0, 4991, 5)], dtype=np.float64)
    np.testing.assert_allclose(mean, windows.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(covariance, np.cov(windows.T, bias=True), rtol=0, atol=1e-14)


def test_normalisation_only_where_the_model_was_trained_so(post_norm):
    """With a layer norm of epsilon 1e-5 a quiet signal and its normalised form differ."""
    quiet = 1e-3 * post_norm.audio[:1] + 0.1
    plain = np.array(post_norm.model().extract(quiet))
    config = ContentvecConfig.from_hf(post_norm.hf_config, {"do_normalize": True})
    model = ContentvecModel(config)
    model.update(post_norm.model().parameters())
    normalised = (quiet - quiet.mean()) / np.sqrt(quiet.var() + 1e-7)
    np.testing.assert_allclose(
        np.array(model.extract(quiet)),
        np.array(post_norm.model().extract(normalised)),
        rtol=0,
        atol=1e-4,
    )
    assert np.abs(np.array(model.extract(quiet)) - plain).max() > 1e-2
