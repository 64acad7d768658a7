"""From a checkpoint's tensors to this package's: pure functions on dicts of NumPy arrays.

Names stay as RVC wrote them. What changes:

- `enc_q.*`, the posterior encoder of training, is dropped;
- weight norm is folded: w = g·v / ‖v‖, the norm over all axes but the first (for transposed
  convolutions the first axis is the *input* channels), in float32;
- convolutions turn from (out, in, kernel) to (out, kernel, in), transposed ones from
  (in, out, kernel) to (out, kernel, in).
"""

from __future__ import annotations

from typing import Literal

import numpy as np

# "torch": convolutions (out, in, kernel), transposed ones (in, out, kernel).
# "lexandstuff": (out, kernel, in), transposed ones (in, kernel, out), weight norm kept.
# "mlx": (out, kernel, in) for both, weight norm folded: what this package writes.
Layout = Literal["torch", "lexandstuff", "mlx"]
Tensors = dict[str, np.ndarray]

# Spellings of weight norm: RVC's own, and torch's parametrisation (2.1 and later).
_PAIRS = (
    (".weight_g", ".weight_v"),
    (".parametrizations.weight.original0", ".parametrizations.weight.original1"),
)


def sanitize(tensors: Tensors, layout: Layout) -> Tensors:
    """Tensors under the names of `Synthesizer`, float32, weight norm folded, MLX layout.

    `layout` is that of the given tensors. Half of a weight-norm pair is a ValueError that names
    the other half.
    """
    kept = {name: value for name, value in tensors.items() if not name.startswith("enc_q.")}
    for name, value in kept.items():
        if value.dtype.kind == "c":
            raise ValueError(f"{name} is complex, which no weight of a voice is")
    return {name: _arrange(name, value, layout) for name, value in fold_weight_norm(kept).items()}


def detect_layout(tensors: Tensors) -> Layout:
    """Layout of a safetensors file: which axis of a 1-wide convolution is 1, and weight norm."""
    proj = tensors.get("enc_p.proj.weight")
    if proj is None or proj.ndim != 3:
        raise ValueError("enc_p.proj.weight is missing: these are not the tensors of an RVC voice")
    if proj.shape[2] == 1:
        return "torch"
    return "lexandstuff" if any(split_name(name)[1] for name in tensors) else "mlx"


def fold_weight_norm(tensors: Tensors) -> Tensors:
    """Replace every pair of magnitude g and direction v by the weight itself, in float32."""
    folded: Tensors = {}
    for name, value in tensors.items():
        base, role = split_name(name)
        if role == "":
            folded[name] = np.asarray(value, np.float32)
            continue
        partner = _partner(base, name)
        if partner not in tensors:
            raise ValueError(f"{name} has no {partner}: half of a weight norm is missing")
        if role == "v":
            weight = f"{base}.weight"
            if weight in tensors or weight in folded:
                raise ValueError(f"{base} has its weight twice, plain or in two weight norms")
            folded[weight] = _fold(name, np.asarray(tensors[partner]), np.asarray(value))
    return folded


def _fold(name: str, g: np.ndarray, v: np.ndarray) -> np.ndarray:
    if v.ndim == 0 or v.size == 0:
        raise ValueError(f"{name} has shape {v.shape}: a direction has axes")
    v = v.astype(np.float32)
    expected = (v.shape[0],) + (1,) * (v.ndim - 1)
    if g.shape != expected:
        raise ValueError(f"the magnitude of {name} has shape {g.shape}, expected {expected}")
    norm = np.sqrt(np.sum(v * v, axis=tuple(range(1, v.ndim)), keepdims=True, dtype=np.float32))
    # A row of zeros has no direction; torch makes NaN of it, and silence is meant.
    return v * (g.astype(np.float32) / np.where(norm == 0, 1, norm))


def _arrange(name: str, value: np.ndarray, layout: Layout) -> np.ndarray:
    if layout == "mlx" or value.ndim != 3 or "emb_rel_" in name:
        return value
    if name.startswith(("dec.ups.", "dec.upsamples.")):
        axes = (1, 2, 0) if layout == "torch" else (2, 1, 0)
    elif layout == "torch":
        axes = (0, 2, 1)
    else:
        return value
    return np.ascontiguousarray(value.transpose(axes))


def split_name(name: str) -> tuple[str, str]:
    """Layer and role of a half of a weight norm ("g", "v"); the name itself and "" for others."""
    for g, v in _PAIRS:
        if name.endswith(g):
            return name.removesuffix(g), "g"
        if name.endswith(v):
            return name.removesuffix(v), "v"
    return name, ""


def _partner(base: str, name: str) -> str:
    for g, v in _PAIRS:
        if name == base + g:
            return base + v
        if name == base + v:
            return base + g
    raise AssertionError(name)
