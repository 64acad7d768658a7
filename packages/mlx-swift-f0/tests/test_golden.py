"""What the original program says, number by number (tools/golden_swift_f0.py)."""

import numpy as np
import pytest

from mlx_swift_f0 import SwiftF0

BANDS = {"whole": (46.875, 2093.75), "voice": (50.0, 1100.0), "narrow": (150.0, 250.0)}


@pytest.mark.parametrize("band", BANDS)
def test_f0_and_confidence_are_the_originals(model, golden, backend, band, cents):
    low, high = BANDS[band]
    f0, confidence = model.native(golden["audio"], f0_min=low, f0_max=high)
    assert f0.dtype == confidence.dtype == np.float32
    assert f0.shape == golden[f"{band}/confidence"].shape
    assert cents(f0, golden[f"{band}/f0"]) < 0.01
    np.testing.assert_allclose(confidence, golden[f"{band}/confidence"], atol=1e-5)


def test_the_golden_sound_is_voiced_in_part_and_silent_in_part(golden):
    for band in BANDS:
        confidence = golden[f"{band}/confidence"]
        assert (confidence > 0.5).any() and (confidence == 0).any()
    whole, narrow = golden["whole/confidence"], golden["narrow/confidence"]
    assert ((whole > 0.5) & (narrow == 0)).any()  # out of the narrow band, so not voiced there


@pytest.mark.parametrize("samples", [1, 100, 255, 256, 257, 511, 512, 3000])
def test_short_sounds_are_the_originals(model, golden, samples, cents):
    f0, confidence = model.native(golden["audio"][8000 : 8000 + samples])
    assert cents(f0, golden[f"short/{samples}/f0"]) < 0.01
    np.testing.assert_allclose(confidence, golden[f"short/{samples}/confidence"], atol=1e-5)


def test_blocks_are_the_original_in_one_pass(model, golden, monkeypatch, cents):
    monkeypatch.setattr("mlx_swift_f0.blocks.BLOCK_FRAMES", 16)
    f0, confidence = model.native(golden["audio"])
    assert cents(f0, golden["whole/f0"]) < 0.01
    np.testing.assert_allclose(confidence, golden["whole/confidence"], atol=1e-5)


def test_the_shipped_weights_are_loaded_without_a_word():
    assert SwiftF0.from_pretrained().config.class_max == 2093.75
