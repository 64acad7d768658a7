"""Weights of mlx-swift-f0 from the ONNX model inside the wheel swift-f0 0.3.0 (MIT).

python tools/build_swift_f0.py MODEL.onnx      (needs onnx and safetensors)
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from safetensors.numpy import save_file

TARGET = Path(__file__).parents[1] / "packages/mlx-swift-f0/src/mlx_swift_f0/weights"
BLOCKS = (357, 366, 375, 384, 393, 402)  # first convolution of each residual block
BANKS = ((123, 124), (241, 242), (342, 343))  # places and values of each filterbank


def tensors(path: str) -> dict[str, np.ndarray]:
    """Tensors in this package's names; convolutions (out, time, band, in)."""
    known = {t.name: numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer}
    convs = {"stem": (353, 354), "head": (413, 414), "pitch": (425, 426), "salience": (417, 418)}
    for i, first in enumerate(BLOCKS):
        convs[f"blocks.{i}.conv1"] = (first, first + 1)
        convs[f"blocks.{i}.conv2"] = (first + 4, first + 5)
    out = {}
    for name, (weight, bias) in convs.items():
        out[f"{name}.weight"] = np.ascontiguousarray(known[f"v{weight}"].transpose(0, 3, 2, 1))
        out[f"{name}.bias"] = known[f"v{bias}"]
    for name, (weight, bias) in {"voicing1": (430, 431), "voicing2": (434, 435)}.items():
        out[f"{name}.weight"] = np.ascontiguousarray(known[f"v{weight}"].transpose(0, 2, 1))
        out[f"{name}.bias"] = known[f"v{bias}"]
    for i, (places, values) in enumerate(BANKS):
        out[f"banks.{i}.places"] = known[f"v{places}"]
        out[f"banks.{i}.values"] = known[f"v{values}"]
    return out


if __name__ == "__main__":
    save_file(tensors(sys.argv[1]), TARGET / "model.safetensors", metadata={"format": "mlx"})
