"""Settings that commands take from files: --config, --preset, and the preset of the voice.

They become the defaults of the options (click's default_map), so that what stands on the command
line goes first, each option converts its own value, and `used` can tell where each is from.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

COMMAND_LINE = "command line"
_KEY = "mlx_rvc.stored"
_RANKS = ("config", "preset", "voice")


@dataclass(frozen=True)
class Stored:
    """What a command was told, and by whom.

    name: of the voice in the library, None for others. index: the index that is used. settings: see
    `used`.
    """

    name: str | None
    index: str | Path | None
    settings: dict[str, dict[str, Any]]

    def to_dict(self) -> dict[str, Any]:
        """Give what is added to a summary as JSON shows it."""
        return {"voice": self.name, "index": self.index, "settings": self.settings}

    def sentence(self) -> str:
        """Give what is added to a summary for people: only what does not stand in the command."""
        parts = [
            f"{key} {setting['value']} ({setting['from']})"
            for key, setting in self.settings.items()
            if setting["from"] != COMMAND_LINE
        ]
        if self.name is not None and self.index is not None:
            parts.insert(0, f"index {Path(self.index).name}")
        return f"; with {', '.join(parts)}" if parts else ""


def take_config(context: typer.Context, path: Path | None) -> Path | None:
    """Callback of --config."""
    if path is not None and not context.resilient_parsing:
        from mlx_rvc.settings import read_settings

        _store(context, "config", str(path), read_settings(path))
    return path


def take_preset(context: typer.Context, name: str | None) -> str | None:
    """Callback of --preset."""
    if name is not None and not context.resilient_parsing:
        from mlx_rvc.settings import preset_file, read_settings

        _store(context, "preset", f"preset {name}", read_settings(preset_file(name)))
    return name


def take_voice(context: typer.Context, model: str) -> str:
    """Callback of --model: a name of the library brings the preset of that voice."""
    if not context.resilient_parsing:
        from mlx_rvc.voice import find_voice

        voice = find_voice(model)
        if voice.preset:
            from mlx_rvc.settings import checked

            origin = f"preset of the voice {voice.name}"
            _store(context, "voice", origin, checked(voice.preset, f"the {origin}"))
    return model


def used(context: typer.Context) -> dict[str, dict[str, Any]]:
    """Every setting that is not the flag's default: its value and where it is from."""
    from mlx_rvc.settings import field_of, keys, merged

    stored = merged(*_layers(context))
    found = {}
    for key in keys():
        source = context.get_parameter_source(field_of(key))
        origin = "" if source is None else source.name
        value = context.params.get(field_of(key))
        if origin == "DEFAULT_MAP":
            found[key] = {"value": stored[key].value, "from": stored[key].origin}
        elif origin not in ("", "DEFAULT"):
            found[key] = {"value": value, "from": COMMAND_LINE}
    return found


def _store(context: typer.Context, rank: str, origin: str, settings: dict[str, Any]) -> None:
    from mlx_rvc.settings import field_of, merged

    context.meta.setdefault(_KEY, {})[rank] = (origin, settings)
    context.default_map = {
        field_of(key): setting.value for key, setting in merged(*_layers(context)).items()
    }


def _layers(context: typer.Context) -> list[tuple[str, dict[str, Any]]]:
    stored = context.meta.get(_KEY, {})
    return [stored[rank] for rank in _RANKS if rank in stored]
