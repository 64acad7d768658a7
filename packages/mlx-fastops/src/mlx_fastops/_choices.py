"""The measured choices: kept in memory per device, and in the user's cache between processes.

A choice only saves time. So nothing here raises for a cache that is damaged, foreign, read-only or
written by another process at the same moment: it is then as if nothing had been measured.
"""

import contextlib
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

import mlx.core as mx

CACHE_VARIABLE = "MLX_FASTOPS_CACHE"
FORMAT = 1

_lock = threading.Lock()
_by_device: dict[tuple[str, str], dict[str, str]] = {}
_generation = 0


def cache_file() -> Path:
    """Give the file of choices; it need not exist.

    In MLX_FASTOPS_CACHE, else $XDG_CACHE_HOME/mlx-fastops, else ~/.cache/mlx-fastops (macOS:
    ~/Library/Caches/mlx-fastops).
    """
    return _cache_folder() / "forms.json"


def _cache_folder() -> Path:
    if chosen := os.environ.get(CACHE_VARIABLE):
        return Path(chosen).expanduser()
    if xdg := os.environ.get("XDG_CACHE_HOME"):
        return Path(xdg).expanduser() / "mlx-fastops"
    base = Path("~/Library/Caches" if sys.platform == "darwin" else "~/.cache")
    with contextlib.suppress(RuntimeError):  # no home folder
        base = base.expanduser()
    return base / "mlx-fastops"


def device_key() -> str:
    """Name what a measurement holds for: the default device, MLX's version and this package's."""
    return _described(str(mx.default_device()))


_descriptions: dict[str, str] = {}


def _described(device: str) -> str:
    if device not in _descriptions:
        from importlib import metadata

        info: dict[str, Any] = {}
        with contextlib.suppress(Exception):  # only a name is wanted, whatever a backend may lack
            info = dict(mx.device_info(mx.default_device()))
        name = f"{info.get('device_name', '')} {info.get('architecture', '')}".strip()
        versions = f"mlx {metadata.version('mlx')}, mlx-fastops {metadata.version('mlx-fastops')}"
        _descriptions[device] = f"{device}, {name}, {versions}"
    return _descriptions[device]


def place() -> tuple[str, str]:
    """Name the cache and the device that choices are looked up for now."""
    folder = os.environ.get(CACHE_VARIABLE) or os.environ.get("XDG_CACHE_HOME") or ""
    return folder, device_key()


def known() -> dict[str, str]:
    """Return what is known for the default device: signature to "native" or "lowered".

    Read from the cache once per process, device and cache file; never changed in place.
    """
    here = place()
    found = _by_device.get(here)
    if found is None:
        with _lock:
            found = _by_device.setdefault(here, _read().get(here[1], {}))
    return found


def remember(choices: dict[str, str]) -> None:
    """Add choices for the default device, in memory and, where it can be written, in the cache."""
    global _generation  # noqa: PLW0603
    before = known()
    here = place()
    with _lock:
        _by_device[here] = {**before, **choices}
        _generation += 1
        devices = _read()  # again: another process may have written meanwhile
        devices[here[1]] = {**devices.get(here[1], {}), **choices}
        with contextlib.suppress(OSError):
            _write(devices)


def generation() -> int:
    """Count the changes of the choices in this process: what was compiled before is outdated."""
    return _generation


def forget() -> None:
    """Drop what is in memory, so that the cache is read again."""
    global _generation  # noqa: PLW0603
    with _lock:
        _by_device.clear()
        _generation += 1


def _read() -> dict[str, dict[str, str]]:
    try:
        data = json.loads(cache_file().read_text("utf-8"))
        if data["format"] != FORMAT:
            return {}
        return {
            str(device): {key: form for key, form in forms.items() if form in ("native", "lowered")}
            for device, forms in data["devices"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _write(devices: dict[str, dict[str, str]]) -> None:
    import tempfile

    path = cache_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"format": FORMAT, "devices": devices}, indent=1, sort_keys=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
