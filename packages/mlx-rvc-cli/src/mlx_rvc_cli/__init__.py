"""The command mlx-rvc: a host for commands, audio files, progress, tables and errors."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlx_rvc_cli.audio import AudioFileError as AudioFileError
    from mlx_rvc_cli.audio import AudioReader as AudioReader
    from mlx_rvc_cli.audio import Written as Written
    from mlx_rvc_cli.audio import check_output as check_output
    from mlx_rvc_cli.audio import output_rate as output_rate
    from mlx_rvc_cli.audio import read_audio as read_audio
    from mlx_rvc_cli.audio import resample as resample
    from mlx_rvc_cli.audio import resample_blocks as resample_blocks
    from mlx_rvc_cli.audio import to_mono as to_mono
    from mlx_rvc_cli.audio import write_audio as write_audio
    from mlx_rvc_cli.audio import write_blocks as write_blocks
    from mlx_rvc_cli.console import emit as emit
    from mlx_rvc_cli.console import progress as progress
    from mlx_rvc_cli.console import silenced as silenced
    from mlx_rvc_cli.console import table as table
    from mlx_rvc_cli.errors import CommandError as CommandError
    from mlx_rvc_cli.files import atomic_path as atomic_path
    from mlx_rvc_cli.host import main as main
    from mlx_rvc_cli.picture import F0 as F0
    from mlx_rvc_cli.picture import Spectrogram as Spectrogram
    from mlx_rvc_cli.picture import Waveform as Waveform
    from mlx_rvc_cli.picture import draw as draw

_HOME = {
    "AudioFileError": "audio",
    "AudioReader": "audio",
    "CommandError": "errors",
    "F0": "picture",
    "Spectrogram": "picture",
    "Waveform": "picture",
    "Written": "audio",
    "atomic_path": "files",
    "check_output": "audio",
    "draw": "picture",
    "emit": "console",
    "main": "host",
    "output_rate": "audio",
    "progress": "console",
    "read_audio": "audio",
    "resample": "audio",
    "resample_blocks": "audio",
    "silenced": "console",
    "table": "console",
    "to_mono": "audio",
    "write_audio": "audio",
    "write_blocks": "audio",
}

__all__ = [
    "F0",
    "AudioFileError",
    "AudioReader",
    "CommandError",
    "Spectrogram",
    "Waveform",
    "Written",
    "atomic_path",
    "check_output",
    "draw",
    "emit",
    "main",
    "output_rate",
    "progress",
    "read_audio",
    "resample",
    "resample_blocks",
    "silenced",
    "table",
    "to_mono",
    "write_audio",
    "write_blocks",
]


def __getattr__(name: str) -> Any:
    # Lazy, so that `mlx-rvc --help` pays for nothing that it does not use.
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
