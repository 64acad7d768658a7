"""Settings that wait in a file: which there are, whether they are right, and which one counts.

Precedence: command line > --config > --preset > the voice's own preset > defaults. A file is TOML
with the options of `mlx-rvc convert` as keys:

    pitch = 12
    index_rate = 0.5
    f0_method = "fcpe"
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlx_rvc.options import ConversionOptions

OF_ONE_RECORDING = ("f0_file", "save_f0")
"""Fields of `ConversionOptions` that a preset cannot hold."""

OPTION_NAMES = {"output_rate": "sample_rate"}
"""Fields of `ConversionOptions` that convert's option calls otherwise."""

PRESETS_VARIABLE = "MLX_RVC_PRESETS"

_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "float": ((int, float), "a number"),
    "int": ((int,), "a whole number"),
    "str": ((str,), "text"),
    "bool": ((bool,), "true or false"),
}


@dataclasses.dataclass(frozen=True)
class Setting:
    """A value and where it is from."""

    value: Any
    origin: str


def keys() -> dict[str, tuple[str, ...]]:
    """Give each key that a preset may hold, and its kinds: float, int, str or bool."""
    return {
        OPTION_NAMES.get(field.name, field.name): tuple(
            kind for kind in str(field.type).replace(" ", "").split("|") if kind in _KINDS
        )
        for field in dataclasses.fields(ConversionOptions)
        if field.name not in OF_ONE_RECORDING
    }


def field_of(key: str) -> str:
    """Give the field of `ConversionOptions` that a key sets."""
    return next((name for name, option in OPTION_NAMES.items() if option == key), key)


def merged(*layers: tuple[str, Mapping[str, Any]]) -> dict[str, Setting]:
    """Give each key's first value among (origin, settings), the layer that counts most first."""
    found: dict[str, Setting] = {}
    for origin, settings in layers:
        for key, value in settings.items():
            found.setdefault(key, Setting(value, origin))
    return found


def checked(settings: Mapping[str, Any], origin: str) -> dict[str, Any]:
    """Give the settings if every key is known and every value is of its kind and in its range.

    Raises ValueError, one line that names `origin` and the key.
    """
    known = keys()
    for key, value in settings.items():
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1)
            hint = f"is it {close[0]}?" if close else f"there are {', '.join(known)}"
            raise ValueError(f"{origin}: the key {key!r} is unknown; {hint}")
        if not any(_is_of(value, kind) for kind in known[key]):
            expected = " or ".join(_KINDS[kind][1] for kind in known[key])
            raise ValueError(f"{origin}: {key} is {value!r:.60}; {expected} is expected")
    try:
        _options(settings)
    except ValueError as error:
        raise ValueError(f"{origin}{_culprit(settings, str(error))}: {error}") from error
    return dict(settings)


def _is_of(value: object, kind: str) -> bool:
    # In Python true is a number too; in a settings file it is a mistake.
    return isinstance(value, _KINDS[kind][0]) and (kind == "bool" or not isinstance(value, bool))


def _culprit(settings: Mapping[str, Any], said: str) -> str:
    """Name the key that is wrong by itself; none where several contradict each other."""
    for key, value in settings.items():
        try:
            _options({key: value})
        except ValueError as error:
            if str(error) == said:
                return f", {key}"
    return ""


def _options(settings: Mapping[str, Any]) -> ConversionOptions:
    named: dict[str, Any] = {field_of(key): value for key, value in settings.items()}
    return ConversionOptions(**named)


def read_settings(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a TOML file of settings. Raises ValueError, one line that names the file and the key."""
    path = Path(path)
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ValueError(
            f"{path} cannot be read ({error.strerror}); a TOML file of settings is expected"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{path} is not TOML ({error!s:.100}); lines such as pitch = 12 are expected"
        ) from error
    return checked(found, str(path))


def presets_folder() -> Path:
    """Give the folder of named settings: MLX_RVC_PRESETS, else `presets` in the user's data."""
    from mlx_rvc_voices.place import data_folder

    if chosen := os.environ.get(PRESETS_VARIABLE):
        return Path(chosen).expanduser()
    return data_folder() / "presets"


def preset_file(name: str) -> Path:
    """Give the file of named settings, NAME.toml in `presets_folder()`.

    Raises ValueError that lists the names there are.
    """
    folder = presets_folder()
    names = sorted(path.stem for path in folder.glob("*.toml"))
    if name not in names:
        there = ", ".join(names) or "none"
        raise ValueError(
            f"there is no preset {name!r}: {folder / 'NAME.toml'} is expected, found {there}; give "
            f"a file by its path with --config"
        )
    return folder / f"{name}.toml"
