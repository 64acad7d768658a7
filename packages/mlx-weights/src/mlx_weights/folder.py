"""A model as a folder: `config.json` and `model.safetensors`, written so that it is whole."""

import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlx_weights.errors import WeightsError
from mlx_weights.reading import read_tensors

if TYPE_CHECKING:
    import mlx.core as mx

_MAX_CONFIG_BYTES = 8 * 2**20
CONFIG, WEIGHTS = "config.json", "model.safetensors"


def save_model(
    folder: str | os.PathLike[str],
    tensors: "Mapping[str, np.ndarray | mx.array]",
    config: Mapping[str, Any],
    *,
    metadata: Mapping[str, Any] | None = None,
) -> None:
    """Write `tensors` and `config` as a model folder, making it if need be.

    Both files are complete before either gets its name. dtypes are kept; an mx.array of bfloat16
    becomes float32. `metadata` goes into the safetensors header; values that are not text as JSON.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        making = Path(tempfile.mkdtemp(dir=folder, prefix=".writing-"))
    except OSError as error:
        raise _not_written(folder, error) from error
    try:
        write_model(making, tensors, config, metadata)
        (making / WEIGHTS).replace(folder / WEIGHTS)
        (making / CONFIG).replace(folder / CONFIG)
    except OSError as error:
        raise _not_written(folder, error) from error
    finally:
        shutil.rmtree(making, ignore_errors=True)


def save_tensors(
    path: str | os.PathLike[str],
    tensors: "Mapping[str, np.ndarray | mx.array]",
    *,
    metadata: Mapping[str, Any] | None = None,
) -> None:
    """Write `tensors` as one safetensors file, which appears under its name when it is whole.

    dtypes and `metadata` as in `save_model`. The folder must exist.
    """
    path = Path(os.path.realpath(path))
    if path.is_dir() or not path.parent.is_dir():
        found = f"{path} is a folder" if path.is_dir() else f"there is no folder {path.parent}"
        raise WeightsError(f"the tensors cannot be written: {found}; give the name of a file")
    temporary = path.with_name(f".{path.stem[:80]}-{secrets.token_hex(6)}{path.suffix}")
    try:
        temporary.touch(exist_ok=False)
        mode = (path if path.exists() else temporary).stat().st_mode & 0o7777
        _write_tensors(temporary, tensors, metadata)
        temporary.chmod(mode)  # safetensors makes its file private
        temporary.replace(path)
    except OSError as error:
        raise _not_written(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def load_model_folder(
    folder: str | os.PathLike[str],
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read a model folder back: (tensors, config)."""
    folder = Path(folder)
    for name in (CONFIG, WEIGHTS):
        if not (folder / name).is_file():
            raise WeightsError(f"{folder} has no {name}; a model folder has {CONFIG} and {WEIGHTS}")
    return read_tensors(folder / WEIGHTS), read_config(folder / CONFIG)


def read_config(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a JSON object, such as a model's config.json."""
    found = read_json(path)
    if not isinstance(found, dict):
        raise WeightsError(f"{path} holds a {type(found).__name__}; a JSON object is expected")
    return found


def read_json(path: str | os.PathLike[str]) -> Any:
    """Read a JSON file of any kind of value, of at most 8 MiB."""
    try:
        with Path(path).open("rb") as file:
            raw = file.read(_MAX_CONFIG_BYTES + 1)
        if len(raw) > _MAX_CONFIG_BYTES:
            raise ValueError(f"it has more than {_MAX_CONFIG_BYTES:,} bytes")
        return json.loads(raw.decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise WeightsError(
            f"{path} cannot be read as JSON ({error!s:.120}); fetch or write it again"
        ) from error


def write_model(
    folder: Path,
    tensors: "Mapping[str, np.ndarray | mx.array]",
    config: Mapping[str, Any],
    metadata: Mapping[str, Any] | None,
) -> None:
    """Write the two files of a model straight into an existing folder."""
    _write_tensors(folder / WEIGHTS, tensors, metadata)
    text = json.dumps(dict(config), indent=2, ensure_ascii=False)
    (folder / CONFIG).write_text(text + "\n", "utf-8")
    shutil.copymode(folder / CONFIG, folder / WEIGHTS)  # safetensors makes its file private


def _write_tensors(
    path: Path,
    tensors: "Mapping[str, np.ndarray | mx.array]",
    metadata: Mapping[str, Any] | None,
) -> None:
    from safetensors.numpy import save_file

    texts = {
        str(key): value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for key, value in {"format": "mlx", **(metadata or {})}.items()
    }
    save_file({name: _as_numpy(value) for name, value in tensors.items()}, path, metadata=texts)


def _as_numpy(value: "np.ndarray | mx.array") -> np.ndarray:
    if not isinstance(value, np.ndarray):
        import mlx.core as mx

        value = np.array(value.astype(mx.float32) if value.dtype == mx.bfloat16 else value)
    # In C order and the machine's byte order: safetensors stores the memory as it lies.
    array = np.asarray(value, value.dtype.newbyteorder("="), order="C")
    return array if array.ndim == 0 else np.ascontiguousarray(array)


def _not_written(place: Path, error: OSError) -> WeightsError:
    return WeightsError(
        f"the model cannot be written to {place}: {error.strerror or error}; free some space or "
        "choose another folder"
    )
