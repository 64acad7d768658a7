"""Matrices in 16 bits: how exact they are, and what is left alone."""

import numpy as np
import pytest

from mlx_fcpe import sanitize
from mlx_fcpe.rows import packed, unpacked


def test_a_row_is_exact_to_half_a_step():
    weight = np.random.default_rng(0).standard_normal((6, 5, 4)).astype(np.float32)
    weight[1] *= 1000
    weight[2] = 0
    stored = packed("layer.weight", weight)
    assert stored["layer.weight"].dtype == np.int16 and set(stored) == {
        "layer.weight",
        "layer.weight.scale",
    }
    found = unpacked(stored)
    assert set(found) == {"layer.weight"} and found["layer.weight"].dtype == np.float32
    largest = np.abs(weight).max(axis=(1, 2), keepdims=True)
    assert (np.abs(found["layer.weight"] - weight) <= largest * (0.51 / 32767)).all()


def test_what_is_not_packed_is_passed_on():
    tensors = {"norm.scale": np.ones(3, np.float32), "norm": np.ones((3, 2), np.float32)}
    found = unpacked(tensors)
    assert found.keys() == tensors.keys()
    assert all(found[name] is tensors[name] for name in tensors)


@pytest.mark.parametrize("scale", [None, np.ones(4, np.float32)])
def test_steps_without_their_size_are_no_weights(scale):
    stored = {"output_proj.weight": np.ones((3, 2), np.int16)}
    if scale is not None:
        stored["output_proj.weight.scale"] = scale
    with pytest.raises(ValueError, match=r"model: output_proj.weight holds 16-bit steps \(3, 2\)"):
        sanitize(stored, source="model")
