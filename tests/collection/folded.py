"""The steps that converters to MLX take: fold weight norm, turn the axes of convolutions."""

import numpy as np


def folded(tensors):
    """w = g·v / ‖v‖ per row of the first axis; everything else unchanged."""
    result = {}
    for name, value in tensors.items():
        if name.endswith(".weight_g"):
            continue
        if name.endswith(".weight_v"):
            base = name.removesuffix("_v")
            g, v = (np.asarray(tensors[f"{base}_{role}"], np.float64) for role in "gv")
            norm = np.linalg.norm(v.reshape(len(v), -1), axis=1).reshape(-1, 1, 1)
            result[base] = (g * v / norm).astype(np.float32)
        else:
            result[name] = value
    return result


def turned(tensors, ups=(1, 2, 0)):
    """Convolutions (out, in, kernel) to (out, kernel, in); upsampling by `ups`."""
    result = {}
    for name, value in tensors.items():
        kernel = value.ndim == 3 and "emb_rel" not in name and not name.endswith("_g")
        axes = ups if name.startswith("dec.ups.") else (0, 2, 1)
        result[name] = np.ascontiguousarray(value.transpose(axes) if kernel else value)
    return result
