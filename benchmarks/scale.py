"""Whether a long recording costs as much a second as a short one, stage by stage."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import clip
import ours
import soundfile
from models import Models
from stages import CONTROLS

LENGTHS = (30.0, 300.0)


def measure(models: Models, rate: str, lengths: tuple[float, ...], repeats: int) -> Iterator[dict]:
    """Seconds of each stage of conversions from file to file, the lengths in turn, ours only."""
    pipeline = ours.pipeline(models, rate)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for seconds in lengths:
            audio = clip.cut(seconds, models.features()).audio
            soundfile.write(folder / f"{seconds:g}.wav", audio, clip.RATE, subtype="FLOAT")

        def convert(seconds: float) -> dict:
            result = pipeline.convert(
                input_path=folder / f"{seconds:g}.wav",
                output_path=folder / "converted.wav",
                seed=0,
                **CONTROLS,
            )
            stages = {"all": result.seconds, **result.stages}
            return {"rate": rate, "seconds": seconds, "stages": stages}

        convert(min(lengths))  # warm-up
        for _ in range(repeats):
            for seconds in lengths:
                yield convert(seconds)
