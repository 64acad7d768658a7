"""`converted`: convert a weights file once and keep the result in the user's cache."""

import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mlx_weights.digest import CACHE_VARIABLE, cache_dir, known_sha256
from mlx_weights.errors import WeightsError
from mlx_weights.folder import CONFIG, WEIGHTS, read_config, write_model
from mlx_weights.reading import read_metadata

_MAKING = ".making-"
_STALE_SECONDS = 3600.0
_BESIDE = ("config.json", "preprocessor_config.json")


def converted(
    path: str | os.PathLike[str],
    *,
    name: str,
    version: int | str,
    convert: Callable[[Path], tuple[Mapping[str, Any], Mapping[str, Any]]],
    beside: Sequence[str] = _BESIDE,
) -> Path:
    """Give the model folder that `convert(path)` -> (tensors, config) makes, made only once.

    Kept under `cache_dir()/name`, keyed by `version` and by the contents of the file and of those
    files `beside` it that exist. The folder appears in one step: a half-written one is never taken
    for whole, and two processes may convert at the same time. One found damaged is made again.
    The header of its model.safetensors records the source's name and SHA-256.

    Raises WeightsError if the file is missing or the cache cannot be written; what `convert`
    raises passes through.
    """
    path = Path(path)
    if not re.fullmatch(r"[\w.-]+", name) or not re.fullmatch(r"[\w.-]+", str(version)):
        raise ValueError(f"name {name!r} and version {version!r} must be plain file names")
    if not path.is_file():
        raise WeightsError(f"{path} does not exist; a weights file is expected")
    source = known_sha256(path)
    key = hashlib.sha256(source.encode())
    for other in beside:
        if (path.parent / other).is_file():
            key.update(f"{other}:{known_sha256(path.parent / other)}".encode())
    parent = cache_dir() / name
    folder = parent / f"v{version}-{key.hexdigest()[:24]}"
    if is_whole(folder):
        return folder
    tensors, config = convert(path)
    metadata = {"source": path.name, "source_sha256": source, "converter": f"{name} {version}"}
    try:
        parent.mkdir(parents=True, exist_ok=True)
        _clean(parent)
        making = Path(tempfile.mkdtemp(dir=parent, prefix=_MAKING))
        try:
            write_model(making, tensors, config, metadata)
            _publish(making, folder)
        finally:
            shutil.rmtree(making, ignore_errors=True)
    except OSError as error:
        raise WeightsError(
            f"the converted {path.name} cannot be kept in {parent}: {error.strerror or error}; "
            f"free some space, or set {CACHE_VARIABLE} to another folder"
        ) from error
    return folder


def is_whole(folder: Path) -> bool:
    """Say whether a model folder can be used: both files there, the header and size consistent."""
    try:
        read_metadata(folder / WEIGHTS)
        read_config(folder / CONFIG)
    except (WeightsError, OSError):
        return False
    return True


def _publish(making: Path, folder: Path) -> None:
    """Give the finished folder its name; keep another process's if that was faster."""
    making.chmod(0o755)  # mkdtemp makes it private
    for _ in range(3):
        try:
            making.rename(folder)
            return
        except OSError:
            if is_whole(folder):
                return
            # Something damaged is in the way: move it aside, which is atomic too, then delete it.
            aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=_MAKING))
            try:
                folder.rename(aside / "damaged")
            except FileNotFoundError:
                pass  # another process was faster
            finally:
                shutil.rmtree(aside, ignore_errors=True)
    making.rename(folder)


def _clean(parent: Path) -> None:
    """Delete what interrupted conversions left, if it is too old to be under way."""
    now = time.time()
    for left in parent.glob(f"{_MAKING}*"):
        try:
            newest = max(item.stat().st_mtime for item in (left, *left.iterdir()))
        except OSError:
            continue  # it is just being finished
        if now - newest > _STALE_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
