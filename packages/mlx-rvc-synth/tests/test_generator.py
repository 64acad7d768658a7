"""Tiles of time, the padding of upsampling, the two kinds of residual blocks."""

import numpy as np
import pytest

import mlx_fastops
from mlx_rvc_synth.config import noise_conv_shape, upsample_padding
from mlx_rvc_synth.generator import CPU_TILE


def run(case, tile, frames=150):
    rng = np.random.default_rng(0)
    config = case.config
    z = rng.standard_normal((2, frames, config.inter_channels)).astype(np.float32)
    g = rng.standard_normal((1, 1, config.gin_channels)).astype(np.float32)
    source = None
    if config.f0:
        source = rng.standard_normal((2, frames * config.hop, 1)).astype(np.float32)
    with mlx_fastops.use_backend("blas"):
        return case.voice.dec(z, g, source, tile=tile)


@pytest.mark.parametrize("tile", [2, 1 << 9, 1 << 11, 1 << 13])
def test_tiles_give_what_one_pass_gives(case, tile):
    frames = 7 if tile == 2 else 150
    whole = run(case, CPU_TILE << 6, frames)
    tiled = run(case, tile, frames)
    assert tiled.shape == whole.shape
    assert np.abs(tiled - whole).max() < 1e-6


def test_a_margin_too_small_is_seen(v1_f0):
    """The test above would notice a margin one sample short of what the layers look at."""
    whole = run(v1_f0, CPU_TILE << 6)
    v1_f0.voice.dec.radius -= 1
    assert np.abs(run(v1_f0, 1 << 9) - whole).max() > 1e-6


def test_memory_is_bounded_by_the_tile(v1_f0, monkeypatch):
    sizes = []
    original = type(v1_f0.voice.dec).stage

    def spy(self, *args):
        y = original(self, *args)
        sizes.append(y.size)
        return y

    monkeypatch.setattr(type(v1_f0.voice.dec), "stage", spy)
    run(v1_f0, 1 << 11, 150)
    short = max(sizes)
    sizes.clear()
    run(v1_f0, 1 << 11, 600)
    assert max(sizes) <= 1.3 * short  # tiles are cut evenly, not to one length


@pytest.mark.parametrize(("rate", "kernel"), [(10, 16), (12, 24), (2, 4), (5, 11), (7, 14), (3, 6)])
def test_upsampling_multiplies_the_length(rate, kernel):
    padding, output_padding = upsample_padding(rate, kernel)
    assert (9 - 1) * rate - 2 * padding + kernel + output_padding == 9 * rate
    if rate % 2 == 0:  # RVC's formula
        assert (padding, output_padding) == ((kernel - rate) // 2, 0)
    elif kernel == 2 * rate:  # Applio's
        assert (padding, output_padding) == (rate // 2 + rate % 2, rate % 2)


@pytest.mark.parametrize(("rate", "kernel"), [(10, 9), (4, 7), (0, 4)])
def test_impossible_upsampling(rate, kernel):
    with pytest.raises(ValueError, match="kernel"):
        upsample_padding(rate, kernel)


@pytest.mark.parametrize(
    ("stride", "kernel", "padding"),
    [(40, 80, 20), (4, 8, 2), (63, 125, 31), (9, 17, 4), (3, 5, 1), (1, 1, 0)],
)
def test_source_convolutions(stride, kernel, padding):
    assert noise_conv_shape(stride) == (kernel, padding)
