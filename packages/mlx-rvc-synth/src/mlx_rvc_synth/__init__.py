"""The RVC voice model in MLX: content features, F0 and a speaker to audio."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .blending import blend as blend
    from .config import SynthConfig as SynthConfig
    from .extraction import extract as extract
    from .extraction import extract_mean as extract_mean
    from .noise import Noise as Noise
    from .pitch import coarse_pitch as coarse_pitch
    from .sanitizing import sanitize as sanitize
    from .synthesizer import Synthesizer as Synthesizer
    from .voicefile import VoiceFile as VoiceFile
    from .voicefile import read_voice as read_voice
    from .weights import write_voice as write_voice

_HOME = {
    "Noise": "noise",
    "SynthConfig": "config",
    "Synthesizer": "synthesizer",
    "VoiceFile": "voicefile",
    "blend": "blending",
    "coarse_pitch": "pitch",
    "extract": "extraction",
    "extract_mean": "extraction",
    "read_voice": "voicefile",
    "sanitize": "sanitizing",
    "write_voice": "weights",
}

__all__ = [
    "Noise",
    "SynthConfig",
    "Synthesizer",
    "VoiceFile",
    "blend",
    "coarse_pitch",
    "extract",
    "extract_mean",
    "read_voice",
    "sanitize",
    "write_voice",
]


def __getattr__(name: str) -> Any:
    # Lazy: the command imports this package for --help, where mlx would cost half a second.
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
