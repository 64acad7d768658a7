"""Audio files in and out: float32 samples (n, channels), any rate, format by extension."""

from mlx_rvc_cli.errors import AudioFileError
from mlx_rvc_cli.reading import READABLE, AudioReader, read_audio
from mlx_rvc_cli.resampling import resample, resample_blocks, to_mono
from mlx_rvc_cli.writing import Written, check_output, output_rate, write_audio, write_blocks

__all__ = [
    "READABLE",
    "AudioFileError",
    "AudioReader",
    "Written",
    "check_output",
    "output_rate",
    "read_audio",
    "resample",
    "resample_blocks",
    "to_mono",
    "write_audio",
    "write_blocks",
]
