"""Voice conversion (RVC) in MLX: turns the voice in a recording into another voice.

from mlx_rvc import RVCPipeline

pipeline = RVCPipeline.from_pretrained("voice.pth", index="voice.index")
pipeline.convert(input_path="me.wav", output_path="them.wav", pitch=-2)
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlx_rvc.options import ConversionOptions
    from mlx_rvc.pipeline import RVCPipeline, convert_voice
    from mlx_rvc.run import Cancelled, Conversion

__all__ = ["Cancelled", "Conversion", "ConversionOptions", "RVCPipeline", "convert_voice"]

_HOME = {
    "Cancelled": "mlx_rvc.run",
    "ConversionOptions": "mlx_rvc.options",
    "Conversion": "mlx_rvc.run",
    "RVCPipeline": "mlx_rvc.pipeline",
    "convert_voice": "mlx_rvc.pipeline",
}


def __getattr__(name: str) -> object:  # lazy: `mlx-rvc --help` must not load MLX
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
