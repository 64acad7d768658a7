"""What mlx_pth.save wrote, read by torch.load with weights_only."""

import random
from collections import OrderedDict

import numpy as np
import pytest
import torch

import mlx_pth
from mlx_pth.pickling import STORAGES


def random_tree(dice, depth=0):
    kind = dice.randrange(6 if depth < 4 else 3)
    if kind == 0:
        return dice.choice([None, True, False, -1, 2**31, -(2**70), 1.5, "声", ""])
    if kind < 3:
        shape = [dice.randint(0, 6) for _ in range(dice.randint(0, 4))]
        values = np.random.default_rng(dice.randrange(99)).standard_normal(shape)
        array = np.asarray(50 * values).astype(dice.choice(list(STORAGES)))
        return array.T if dice.random() < 0.5 else array
    items = [random_tree(dice, depth + 1) for _ in range(dice.randint(0, 5))]
    if kind == 3:
        return dice.choice([list, tuple])(items)
    return dice.choice([dict, OrderedDict])((f"k{i}", item) for i, item in enumerate(items))


def assert_same(found, wanted):
    if isinstance(wanted, np.ndarray):
        assert isinstance(found, torch.Tensor)
        assert found.is_contiguous() and not found.requires_grad
        found = found.numpy()
        assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
        assert found.tobytes() == wanted.tobytes()
    elif isinstance(wanted, dict):
        assert type(found) is type(wanted)
        assert list(found) == list(wanted)
        for key in wanted:
            assert_same(found[key], wanted[key])
    elif isinstance(wanted, list | tuple):
        assert type(found) is type(wanted) and len(found) == len(wanted)
        for left, right in zip(found, wanted, strict=True):
            assert_same(left, right)
    else:
        assert found == wanted and type(found) is type(wanted)


@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.parametrize("seed", range(30))
def test_torch_reads_it(seed, mapped, tmp_path):
    dice = random.Random(seed)
    content = [random_tree(dice) for _ in range(4)]
    mlx_pth.save(tmp_path / "c.pth", content)
    assert_same(torch.load(tmp_path / "c.pth", weights_only=True, mmap=mapped), content)


def test_shared_arrays_share_a_storage(tmp_path):
    array = np.arange(6.0)
    mlx_pth.save(tmp_path / "c.pth", {"a": array, "b": array})
    found = torch.load(tmp_path / "c.pth", weights_only=True)
    found["a"][0] = 7
    assert found["b"][0] == 7
