"""Random checkpoints written by torch.save, read back by torch.load and by mlx_pth."""

import io
import itertools
import random
from collections import OrderedDict

import numpy as np
import pytest
import torch

import mlx_pth

DTYPES = [
    torch.float16, torch.float32, torch.float64, torch.bfloat16, torch.int8, torch.int16,
    torch.int32, torch.int64, torch.uint8, torch.bool, torch.complex64, torch.complex128,
]  # fmt: skip


def random_tensor(dice: random.Random, pool: list[torch.Tensor]) -> torch.Tensor:
    if pool and dice.random() < 0.4:
        base = dice.choice(pool)  # another view of a storage already used
    else:
        shape = [dice.randint(0, 6) for _ in range(dice.randint(0, 4))]
        base = (torch.randn(shape) * 50).to(dice.choice(DTYPES))
        pool.append(base)
    for _ in range(dice.randint(0, 3)):
        if base.dim() == 0:
            base = base.expand(dice.randint(1, 3))
            continue
        axis = dice.randrange(base.dim())
        match dice.randrange(4):
            case 0:
                base = base.transpose(axis, 0)
            case 1 if base.shape[axis]:
                base = base.select(axis, dice.randrange(base.shape[axis]))
            case 2:
                base = base[(slice(None),) * axis + (slice(dice.randint(0, 2), None, 2),)]
            case 3:
                base = base.unsqueeze(axis)
    return torch.nn.Parameter(base) if base.is_floating_point() and dice.random() < 0.2 else base


def random_tree(dice: random.Random, pool: list[torch.Tensor], depth: int = 0):
    kind = dice.randrange(7 if depth < 4 else 3)
    if kind == 0:
        return dice.choice([None, True, -1, 2**40, 1.5, "声", b"\x80", (1, "a"), torch.Size([2])])
    if kind < 4:
        return random_tensor(dice, pool)
    items = [random_tree(dice, pool, depth + 1) for _ in range(dice.randint(0, 5))]
    if kind == 4:
        return dice.choice([list, tuple])(items)
    return dice.choice([dict, OrderedDict])((f"k{i}", item) for i, item in enumerate(items))


def assert_same(found, wanted):
    if isinstance(wanted, torch.Tensor):
        wanted = wanted.detach()
        wanted = (wanted.float() if wanted.dtype == torch.bfloat16 else wanted).numpy()
        assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
        assert found.tobytes() == wanted.tobytes()
    elif isinstance(wanted, dict):
        assert type(found) is dict
        assert list(found) == list(wanted)
        for key in wanted:
            assert_same(found[key], wanted[key])
    elif isinstance(wanted, list | tuple):
        assert isinstance(found, list if isinstance(wanted, list) else tuple)
        assert len(found) == len(wanted)
        for left, right in zip(found, wanted, strict=True):
            assert_same(left, right)
    else:
        assert found == wanted
        assert type(found) is type(wanted)


@pytest.mark.parametrize("seed", range(60))
def test_random_checkpoints(seed, tmp_path):
    dice = random.Random(seed)
    torch.manual_seed(seed)
    content = [random_tree(dice, pool) for pool in itertools.repeat([], 4)]
    for options in (
        {},
        {"pickle_protocol": dice.choice([2, 3, 4, 5])},
        {"_use_new_zipfile_serialization": False},
    ):
        file = io.BytesIO()
        torch.save(content, file, **options)
        path = tmp_path / "c.pth"
        path.write_bytes(file.getvalue())
        wanted = torch.load(path, weights_only=False)
        assert_same(mlx_pth.load(path), wanted)


def test_training_checkpoint(tmp_path):
    model = torch.nn.Sequential(torch.nn.Conv1d(4, 8, 3), torch.nn.GRU(8, 8))
    torch.nn.utils.parametrizations.weight_norm(model[0])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    model[0](torch.randn(1, 4, 9)).sum().backward()
    optimizer.step()
    content = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "iteration": 7,
        "learning_rate": np.float64(1e-4),
    }
    torch.save(content, tmp_path / "G_7.pth")
    found = mlx_pth.load(tmp_path / "G_7.pth")
    assert found["learning_rate"] == 1e-4
    assert_same(found["model"], content["model"])
    assert_same(found["optimizer"], content["optimizer"])
