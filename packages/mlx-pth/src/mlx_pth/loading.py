"""`load`: the one function of the package."""

import mmap
from collections.abc import Collection
from os import PathLike
from pathlib import Path
from typing import Any

from mlx_pth.archive import Archive
from mlx_pth.arrays import finish
from mlx_pth.errors import MissingFileError, PthError
from mlx_pth.legacy import Legacy
from mlx_pth.machine import run
from mlx_pth.names import Table
from mlx_pth.sniff import EXPECTED, sniff
from mlx_pth.standins import MAX_BYTES, Budget

__all__ = ["MAX_BYTES", "load"]

_HEAD = 1024


def load(
    path: str | PathLike[str], *, foreign: Collection[str] = (), max_bytes: int | None = None
) -> Any:
    """Read what `torch.save` wrote, as NumPy arrays and plain values, running nothing in it.

    Returns what was saved: dicts (OrderedDicts too), lists and tuples of arrays, numbers, text.
    An array is a **read-only** view of its storage; tensors that shared memory still do. Where the
    storage is stored uncompressed, as torch writes it, it is a view of the memory-mapped file, so
    loading costs neither time nor memory, and the file must stay as it is while arrays live.
    bfloat16 becomes float32 (exact); torch.Size a tuple, a torch.device or dtype its name
    ("cuda:0", "torch.float16"), NumPy scalars Python numbers.

    `foreign` lists classes, as "module.Class", whose objects are replaced by inert `Placeholder`s;
    any other name that plain weights do not need is refused. `max_bytes` caps the sum of all
    tensors' sizes (each counted in full, expanded and shared ones too) and of all copies; else it
    is 8 times the size of the file, at least 128 MiB and at most MAX_BYTES.

    Raises PthError (a ValueError); its subclasses say which kind of trouble it is.
    Source: torch/serialization.py and torch/_utils.py of PyTorch 2.x describe the formats.
    """
    if isinstance(foreign, str):
        raise TypeError("foreign is a collection of names, not one string")
    path = Path(path)
    try:
        return _load(path, frozenset(foreign), max_bytes)
    except MissingFileError:
        raise
    except PthError as error:
        raise type(error)(f"{path}: {error}") from None
    except RecursionError:
        raise PthError(f"{path}: nested too deeply to be a weights file; refused") from None


def _load(path: Path, foreign: frozenset[str], max_bytes: int | None) -> Any:
    if not path.is_file():
        found = "is a folder" if path.is_dir() else "does not exist"
        raise MissingFileError(f"{path} {found}; {EXPECTED}: check the path")
    with path.open("rb") as file:
        head = file.read(_HEAD)
        size = file.seek(0, 2)
        kind = sniff(head, size)
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        budget = Budget.of_file(size) if max_bytes is None else Budget(max_bytes)
        table = Table(budget, foreign)
        if kind == "legacy":
            source = Legacy(mapped, table)
            return finish(source.tree, source, table.budget)
        source = Archive(file, mapped, table.budget)
        return finish(run(source.pickle(), table), source, table.budget)
