"""Audio files in and out: float32 samples (n, channels), any rate, format by extension."""

from mlx_rvc_cli.errors import AudioFileError
from mlx_rvc_cli.reading import READABLE, AudioReader, read_audio
from mlx_rvc_cli.resampling import resample, resample_blocks, to_mono
from mlx_rvc_cli.writing import check_output, write_audio, write_blocks

__all__ = [
    "READABLE",
    "AudioFileError",
    "AudioReader",
    "check_output",
    "read_audio",
    "resample",
    "resample_blocks",
    "to_mono",
    "write_audio",
    "write_blocks",
]
