"""The RVC voice model in MLX: content features, F0 and a speaker to audio."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .config import SynthConfig as SynthConfig
    from .noise import Noise as Noise
    from .pitch import coarse_pitch as coarse_pitch
    from .sanitizing import sanitize as sanitize
    from .synthesizer import Synthesizer as Synthesizer
    from .voicefile import VoiceFile as VoiceFile
    from .voicefile import read_voice as read_voice

_HOME = {
    "Noise": "noise",
    "SynthConfig": "config",
    "Synthesizer": "synthesizer",
    "VoiceFile": "voicefile",
    "coarse_pitch": "pitch",
    "read_voice": "voicefile",
    "sanitize": "sanitizing",
}

__all__ = [
    "Noise",
    "SynthConfig",
    "Synthesizer",
    "VoiceFile",
    "coarse_pitch",
    "read_voice",
    "sanitize",
]


def __getattr__(name: str) -> Any:
    # Lazy: the command imports this package for --help, where mlx would cost half a second.
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
