"""As on a GPU: whole stages compiled, lengths in buckets, tiles, and the numbers unchanged."""

import mlx.core as mx
import numpy as np
import pytest

import mlx_fastops
from mlx_rvc_synth import Noise, generator
from mlx_rvc_synth.pitch import coarse_pitch

LENGTHS = [1, 2, 31, 32, 33, 36]  # two buckets: 1 to 32 frames, 33 to 36


@pytest.fixture(autouse=True)
def _mlx():
    with mlx_fastops.use_backend("mlx"):
        yield


@pytest.fixture
def without_compiler(monkeypatch):
    """Padding, masks and tiles as when compiled, but nothing is: on a CPU each kernel takes a second."""
    monkeypatch.setattr(mx, "compile", lambda function, inputs: function)


def _inputs(config, frames, batch=1):
    rng = np.random.default_rng(frames)
    features = rng.standard_normal((batch, frames, config.feature_channels)).astype(np.float32)
    f0 = None
    if config.f0:
        f0 = rng.uniform(80, 300, (batch, frames)).astype(np.float32)
        f0[:, frames // 2] = 0
    latent = rng.standard_normal((batch, frames, config.inter_channels)).astype(np.float32)
    source = rng.standard_normal((batch, frames * config.hop, 1)).astype(np.float32)
    return features, f0, Noise(latent, source if config.f0 else None)


def _close(found, expected):
    scale = max(1.0, float(np.abs(expected).max()))
    np.testing.assert_allclose(found, expected, atol=1e-5 * scale)


def test_padded_lengths_change_nothing(case, without_compiler):
    for frames in LENGTHS:
        features, f0, noise = _inputs(case.config, frames, batch=2)
        expected = np.array(case.voice.infer(features, f0, noise=noise))
        with mlx_fastops.use_compilation(True):
            found = np.array(case.voice.infer(features, f0, noise=noise))
        assert found.shape == (2, frames * case.config.hop)
        assert np.abs(expected).max() > 1e-3
        _close(found, expected)


def test_a_new_length_is_not_traced_again(v1_f0, compiler):
    """Graphs are built, and not evaluated."""
    voice = v1_f0.voice
    with mlx_fastops.use_compilation(True):
        for frames in LENGTHS:
            features, f0, noise = _inputs(voice.config, frames)
            voice.infer(features, f0, noise=noise)
    assert voice._on_device.traces == 2
    assert voice.dec._on_device.compiled[True].traces == 2
    assert voice.dec._on_device.compiled[False].traces == 0
    assert voice.dec.m_source._on_device.traces == 2


@pytest.mark.parametrize("name", ["v1_f0", "v2_nof0"])
def test_tiles_give_what_one_pass_gives(name, request, without_compiler, monkeypatch):
    case = request.getfixturevalue(name)
    features, f0, noise = _inputs(case.config, 70)
    compiled = case.voice.dec._on_device.compiled
    run, seen = compiled[case.config.f0], []
    compiled[case.config.f0] = lambda z, *rest: (seen.append(z.shape[1]), run(z, *rest))[1]
    with mlx_fastops.use_compilation(True):
        whole = np.array(case.voice.infer(features, f0, noise=noise))
        assert seen == [70]
        monkeypatch.setattr(generator, "DEVICE_TILE", 1)
        tiled = np.array(case.voice.infer(features, f0, noise=noise))
    assert len(seen) > 3
    assert max(seen[1:]) < 70
    _close(tiled, whole)


def test_a_long_tile_fills_a_bucket(v1_f0):
    device = v1_f0.voice.dec._on_device
    numbers = max(
        device.generator.per_level[0] // step * width
        for step, width in zip(device.generator.per_level, device.generator.widths, strict=True)
    )
    for room in (60, 100, 500):
        spans = device._spans(3 * room, room * numbers)
        assert [spans[0][0], spans[-1][1]] == [0, 3 * room]
        for start, stop in spans:
            hop = device.generator.per_level[0]
            low, high = device.generator.reach(start * hop, stop * hop, 3 * room)
            assert mlx_fastops.bucket(high - low) <= room
    assert device._spans(40, 60 * numbers) == [(0, 40)]


def test_the_mask_is_what_keeps_padding_out(v1_f0):
    """Without it padded frames would be heard, so these tests could fail."""
    voice, config = v1_f0.voice, v1_f0.config
    features, f0, noise = _inputs(config, 12)
    g = voice.emb_g.weight[0].reshape(1, 1, -1)
    arrays = [mx.array(features), mx.array(noise.latent), mx.array(coarse_pitch(f0))]
    longer = [mx.pad(a, [(0, 0), (0, 6)] + [(0, 0)] * (a.ndim - 2)) for a in arrays]
    expected = np.array(voice._latent(None, *arrays, g))
    _close(np.array(voice._latent(mx.arange(18) < 12, *longer, g)[:, :12]), expected)
    unmasked = np.array(voice._latent(None, *longer, g)[:, :12])
    assert np.abs(unmasked - expected).max() > 1e-3
    z = mx.pad(mx.array(expected), [(0, 0), (0, 6), (0, 0)])
    tile = voice.dec._on_device._tile
    audio = np.array(tile(mx.ones((12,), mx.bool_), mx.array(expected), g))
    _close(np.array(tile(mx.arange(18) < 12, z, g)[:, : audio.shape[1]]), audio)
    unmasked = np.array(tile(mx.ones((18,), mx.bool_), z, g)[:, : audio.shape[1]])
    assert np.abs(unmasked - audio).max() > 1e-5


@pytest.mark.parametrize("backend", ["mlx", "blas"])
@pytest.mark.parametrize("name", ["v1_f0", "v2_nof0"])
def test_warmup(name, backend, request, monkeypatch):
    voice = request.getfixturevalue(name).voice
    seen = []
    infer = type(voice).infer
    monkeypatch.setattr(type(voice), "infer", lambda *a, **k: (seen.append(1), infer(*a, **k))[1])
    with mlx_fastops.use_backend(backend):
        assert voice.warmup() is None
    assert seen == [1]


def test_warmup_measures_and_what_it_chose_changes_nothing(v1_f0, monkeypatch, tmp_path):
    """Every form that was measured to be the faster one on this machine, whichever they are."""
    monkeypatch.setenv("MLX_FASTOPS_CACHE", str(tmp_path / "cache"))
    features, f0, noise = _inputs(v1_f0.config, 12)
    expected = np.array(v1_f0.voice.infer(features, f0, noise=noise))
    monkeypatch.setenv("MLX_FASTOPS_TUNING", "auto")
    v1_f0.voice.warmup()
    text = (tmp_path / "cache" / "forms.json").read_text()
    assert "conv1d" in text and "conv_transpose1d" in text
    _close(np.array(v1_f0.voice.infer(features, f0, noise=noise)), expected)


def test_a_chunk_of_the_pipeline_is_one_tile():
    """41 s and two of context, at the sizes of a full voice at 48 kHz."""
    rates, widths = (12, 10, 2, 2), (512, 256, 128, 64, 32)
    numbers = max(np.prod(rates[:i]) * widths[i] for i in range(5))
    assert mlx_fastops.bucket(4300) * numbers <= generator.DEVICE_TILE
