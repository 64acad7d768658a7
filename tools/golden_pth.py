"""Write the golden files of mlx-pth: small files by torch.save, and what torch reads from them.

Run where torch is installed (tests/parity/requirements.txt): python tools/golden_pth.py
The expected values are stored by NumPy from torch's own tensors, bfloat16 widened by torch.
"""

from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch

GOLDEN = Path(__file__).parents[1] / "packages/mlx-pth/tests/golden"


def tensors() -> dict[str, torch.Tensor]:
    """Every dtype, and every way of lying in a storage."""
    torch.manual_seed(0)
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    made = {
        "float16": torch.randn(3, 5).half(),
        "float32": torch.randn(7),
        "float64": torch.randn(2, 2, dtype=torch.float64),
        "bfloat16": torch.randn(6, 4).bfloat16(),
        "int8": torch.tensor([-128, 0, 127], dtype=torch.int8),
        "int16": torch.tensor([-32768, 1, 32767], dtype=torch.int16),
        "int32": torch.tensor([-(2**31), 2**31 - 1], dtype=torch.int32),
        "int64": torch.tensor([-(2**63), 2**63 - 1]),
        "uint8": torch.tensor([0, 200, 255], dtype=torch.uint8),
        "bool": torch.tensor([True, False, True]),
        "complex64": torch.randn(3, dtype=torch.complex64),
        "complex128": torch.randn(2, dtype=torch.complex128),
        "scalar": torch.tensor(2.5),
        "count": torch.tensor(17),
        "empty": torch.zeros(0, 3),
        "special": torch.tensor([float("nan"), float("inf"), -0.0, 1e-45]),
        "bfloat16_special": torch.tensor([float("nan"), float("-inf"), 1e-40]).bfloat16(),
        "whole": base,
        "transposed": base.t(),
        "row": base[2],
        "column": base[:, 1],
        "steps": base[::2, 1::3],
        "expanded": torch.tensor([[3.0], [4.0]]).expand(2, 5),
        "channels_last": torch.randn(1, 3, 2, 2).contiguous(memory_format=torch.channels_last),
        "conjugate": torch.randn(3, dtype=torch.complex64).conj(),
        "parameter": torch.nn.Parameter(torch.randn(2, 3)),
    }
    # The imaginary part of a conjugate is a view marked as negated.
    return made | {"negated": torch.randn(2, dtype=torch.complex64).conj().imag}


def main() -> None:
    """Write them all."""
    GOLDEN.mkdir(parents=True, exist_ok=True)
    made = tensors()
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    content = OrderedDict(
        tensors=made,
        state=model.state_dict(),  # carries a _metadata attribute, which readers drop
        plain={"int": 2**70, "float": 0.1, "text": "F0 ≥ 50 Hz", "none": None, "yes": True},
        config=[1025, 32, [[1, 3, 5]] * 3, "1", (1, (2,)), b"\x00\xff"],
        size=torch.Size([2, 3]),
        device=torch.device("cuda", 1),
        dtype=torch.float16,
        numpy={
            "scalar": np.float64(2.5),
            "integer": np.int64(-3),
            "array": np.arange(6, dtype=np.int32).reshape(2, 3),
            "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
            "big": np.arange(3, dtype=">i2"),
        },
        optimizer={"state": {0: {"step": torch.tensor(3.0)}}, "param_groups": [{"lr": 1e-4}]},
    )
    torch.save(content, GOLDEN / "zip.pth")
    torch.save(content, GOLDEN / "legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(content, GOLDEN / "protocol4.pth", pickle_protocol=4)
    expected = {name: plain(tensor) for name, tensor in (made | dict(model.state_dict())).items()}
    np.savez_compressed(GOLDEN / "expected.npz", **expected)
    torch.save(torch.arange(5).untyped_storage(), GOLDEN / "untyped.pth")
    torch.jit.script(torch.nn.Linear(1, 1)).save(GOLDEN / "torchscript.pt")
    for path in sorted(GOLDEN.iterdir()):
        print(path.name, path.stat().st_size)


def plain(tensor: torch.Tensor) -> np.ndarray:
    """Give NumPy's copy of a tensor."""
    tensor = tensor.detach().resolve_conj().resolve_neg()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()


if __name__ == "__main__":
    main()
