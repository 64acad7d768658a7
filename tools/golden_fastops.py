"""Write packages/mlx-fastops/tests/golden/operations.npz with torch: every operation at toy size.

Run where torch is installed: python tools/golden_fastops.py. Arrays are stored in the layouts of
mlx-fastops (channels last); the options of each case stand in the entry `cases` as JSON.
"""

import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

TARGET = Path(__file__).parent.parent / "packages/mlx-fastops/tests/golden/operations.npz"

# name, operation, input, weight in torch's layout, options
CONVOLUTIONS = [
    ("dilated", "conv1d", (1, 8, 40), (6, 8, 7), {"padding": 9, "dilation": 3}),
    ("strided", "conv1d", (2, 3, 41), (4, 3, 10), {"stride": 5}),
    ("positional", "conv1d", (1, 16, 50), (16, 4, 128), {"padding": 64, "groups": 4}),
    ("depthwise", "conv1d", (1, 6, 20), (12, 1, 5), {"padding": 2, "groups": 6}),
    ("up_12", "conv_transpose1d", (1, 8, 9), (8, 4, 24), {"stride": 12, "padding": 6}),
    (
        "up_odd",
        "conv_transpose1d",
        (2, 4, 7),
        (4, 3, 5),
        {"stride": 3, "padding": 2, "output_padding": 2},
    ),
    ("up_groups", "conv_transpose1d", (1, 4, 7), (4, 3, 4), {"stride": 2, "groups": 2}),
    ("image", "conv2d", (1, 4, 9, 8), (6, 4, 3, 3), {"padding": 1}),
    ("image_stride", "conv2d", (2, 4, 9, 8), (6, 2, 3, 2), {"stride": [2, 1], "groups": 2}),
    (
        "image_up",
        "conv_transpose2d",
        (1, 6, 5, 4),
        (6, 4, 3, 3),
        {"stride": 2, "padding": 1, "output_padding": 1},
    ),
    (
        "image_up_wide",
        "conv_transpose2d",
        (1, 3, 5, 4),
        (3, 2, 3, 3),
        {"stride": [1, 2], "padding": 1, "output_padding": [0, 1]},
    ),
]


def channels_last(x: torch.Tensor) -> np.ndarray:
    return np.ascontiguousarray(x.movedim(1, -1).numpy())


def weight_last(weight: torch.Tensor, operation: str, groups: int) -> np.ndarray:
    """Return (O, taps..., C/groups) from torch's layout of the operation."""
    if "transpose" in operation:
        per_group = weight.reshape(groups, -1, *weight.shape[1:])  # (g, C/g, O/g, taps...)
        weight = per_group.transpose(1, 2).flatten(0, 1)
    return channels_last(weight)


def main() -> None:
    torch.manual_seed(0)
    arrays: dict[str, np.ndarray] = {}
    cases = {}
    for name, operation, input_shape, weight_shape, options in CONVOLUTIONS:
        groups = options.get("groups", 1)
        out = weight_shape[1] * groups if "transpose" in operation else weight_shape[0]
        x, w, b = torch.randn(input_shape), torch.randn(weight_shape), torch.randn(out)
        y = getattr(F, operation)(x, w, b, **options)
        arrays |= {f"{name}.x": channels_last(x), f"{name}.y": channels_last(y)}
        arrays |= {f"{name}.weight": weight_last(w, operation, groups), f"{name}.bias": b.numpy()}
        cases[name] = {"operation": operation, "options": options}

    gru = torch.nn.GRU(6, 5, batch_first=True, bidirectional=True)
    x = torch.randn(2, 11, 6)
    with torch.no_grad():
        y, _ = gru(x)
    arrays |= {"gru.x": x.numpy(), "gru.y": y.numpy()}
    arrays |= {f"gru.{name}": p.detach().numpy() for name, p in gru.named_parameters()}

    x = torch.linspace(-9, 9, 600).reshape(3, -1)[:, :200].contiguous()
    w, b = torch.randn(200), torch.randn(200)
    arrays |= {"pointwise.x": x.numpy(), "pointwise.weight": w.numpy(), "pointwise.bias": b.numpy()}
    for name, y in {
        "relu": F.relu(x),
        "leaky_relu": F.leaky_relu(x, 0.1),
        "gelu": F.gelu(x.double()).float(),
        "sigmoid": torch.sigmoid(x),
        "tanh": torch.tanh(x),
        "softmax": torch.softmax(x, -1),
        "layer_norm": F.layer_norm(x, (200,), w, b, 1e-5),
        "linear": F.linear(x, w.reshape(1, -1), b[:1]),
        "matmul": x @ x.T,
    }.items():
        arrays[f"pointwise.{name}"] = y.numpy()
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(TARGET, cases=np.array(json.dumps(cases)), **arrays)


if __name__ == "__main__":
    main()
