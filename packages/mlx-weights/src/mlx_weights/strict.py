"""Loading tensors into a module, all of them and nothing else."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from mlx_weights.errors import WeightsError, shown

if TYPE_CHECKING:
    import mlx.core as mx
    from mlx import nn

_SHOWN = 5


def load_strict(
    module: "nn.Module",
    tensors: "Mapping[str, np.ndarray | mx.array]",
    *,
    source: Any,
    consume: bool = False,
) -> None:
    """Set every parameter of `module` (running statistics too) from `tensors`, as float32.

    Names and shapes must be exactly those of the module. Floats of any width become float32;
    integer parameters keep the module's dtype. `source` names the file in errors. `consume` empties
    `tensors`, a dict, on the way, so that no tensor is in memory twice.

    Raises one WeightsError that names the missing, surplus and misshapen tensors; the module is
    then unchanged.
    """
    import mlx.core as mx
    from mlx.utils import tree_flatten

    wanted: dict[str, mx.array] = dict(tree_flatten(module.parameters()))
    problems = [
        _list("missing", (name for name in wanted if name not in tensors)),
        _list("not expected", (name for name in tensors if name not in wanted)),
        _list(
            "of another shape",
            (
                f"{name} {tuple(tensors[name].shape)} instead of {tuple(value.shape)}"
                for name, value in wanted.items()
                if name in tensors and tuple(tensors[name].shape) != tuple(value.shape)
            ),
        ),
    ]
    if any(problems):
        raise WeightsError(
            f"{source} does not fit the model: {'; '.join(filter(None, problems))}. Check that it "
            "is the right kind of file and that its configuration belongs to it"
        )
    take = tensors.pop if consume and isinstance(tensors, dict) else tensors.__getitem__
    loaded = []
    for name, value in wanted.items():
        loaded.append((name, _like(take(name), value)))
        mx.eval(loaded[-1][1])  # a pending change of type would hold the tensor it starts from
    module.load_weights(loaded)


def _list(what: str, names: Iterable[str]) -> str:
    found = list(names)
    if not found:
        return ""
    more = f", and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    names_shown = ", ".join(shown(name, 160) for name in found[:_SHOWN])
    return f"{len(found)} tensors {what} ({names_shown}{more})"


def _like(value: "np.ndarray | mx.array", wanted: "mx.array") -> "mx.array":
    import mlx.core as mx

    target = mx.float32 if mx.issubdtype(wanted.dtype, mx.floating) else wanted.dtype
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        value = value.astype(np.float32, copy=False)  # float64 would not exist on a GPU
    return mx.array(value).astype(target)
