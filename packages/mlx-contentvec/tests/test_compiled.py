"""As on a GPU: whole stages compiled, lengths in buckets, and the numbers unchanged."""

import mlx.core as mx
import numpy as np
import pytest

import mlx_fastops as fastops
from mlx_contentvec import encoder


def _audio(model, frames, extra=0):
    config = model.config
    samples = (frames - 1) * config.stride + config.receptive_field + extra
    return np.random.default_rng(frames).uniform(-0.5, 0.5, samples).astype(np.float32)


@pytest.fixture(params=["post_norm", "pre_norm"])
def any_model(request):
    return request.getfixturevalue(request.param).model()


LENGTHS = [1, 2, 5, 31, 32, 33, 34, 36]  # two buckets: 1 to 32 frames, 33 to 36


@pytest.fixture
def without_compiler(monkeypatch):
    """Padding and masks as when compiled, but nothing is: on a CPU each kernel takes a second."""
    monkeypatch.setattr(mx, "compile", lambda function, inputs: function)


@pytest.mark.parametrize("project", [False, True])
def test_padded_lengths_change_nothing(any_model, project, without_compiler):
    model = any_model
    project = project and model.config.classifier_proj_size is not None
    with fastops.use_backend("mlx"):
        for extra, frames in enumerate(LENGTHS):
            audio = _audio(model, frames, extra)
            expected = np.array(model.extract(audio, 1, project))
            with fastops.use_compilation(True):
                found = np.array(model.extract(audio, 1, project))
            assert found.shape == expected.shape
            assert found.shape[:2] == (1, frames)
            np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_new_length_is_not_traced_again(model, compiler):
    """Graphs are built, and not evaluated."""
    with fastops.use_backend("mlx"), fastops.use_compilation(True):
        for frames in LENGTHS:
            model.extract(_audio(model, frames))
        assert model._on_device.traces == 2
        assert model.feature_extractor._on_device.traces == 2
        for _ in range(2):
            model.extract(_audio(model, 5), 1)
        assert model._on_device.traces == 3  # another layer is another function


def test_new_weights_are_heeded(model, without_compiler):
    audio = _audio(model, 8)
    with fastops.use_backend("mlx"), fastops.use_compilation(True):
        first = np.array(model.extract(audio))
        weights = model.encoder.layers[-1].final_layer_norm
        weights.bias = weights.bias + 1
        np.testing.assert_allclose(np.array(model.extract(audio)), first + 1, atol=1e-5)


def test_the_mask_is_what_keeps_padding_out(model):
    """Without it padded frames would be attended to, so this test could fail."""
    x = mx.random.normal((1, 12, model.config.hidden_size))
    padded = mx.concatenate([x, mx.ones((1, 6, x.shape[2]))], axis=1)
    mask = mx.arange(18) < 12
    last = len(model.encoder.layers)
    with fastops.use_backend("mlx"):
        expected = np.array(model.encoder(x, last))
        masked = np.array(model.encoder(padded, last, mask)[:, :12])
        unmasked = np.array(model.encoder(padded, last)[:, :12])
    np.testing.assert_allclose(masked, expected, atol=1e-5)
    assert np.abs(unmasked - expected).max() > 1e-2


@pytest.mark.parametrize("backend", ["mlx", "blas"])
def test_warmup(model, backend, monkeypatch):
    seen = []
    attention = encoder.Attention.__call__
    monkeypatch.setattr(
        encoder.Attention, "__call__", lambda *a, **k: (seen.append(1), attention(*a, **k))[1]
    )
    with fastops.use_backend(backend):
        assert model.warmup() is None
    assert len(seen) == len(model.encoder.layers)
