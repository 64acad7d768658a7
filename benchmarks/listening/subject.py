"""The voice under test: its files, its speakers, and one conversion by the product."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .recordings import Recording, resampled


@dataclass(frozen=True)
class Files:
    """What a voice consists of.

    contentvec: None is the encoder that the voice asks for. speakers: names by number. indices: the
    `.index` file by number of the speaker, where there is one. index_rate: None is the product's.
    """

    name: str
    voice: Path
    contentvec: Path | None
    f0_method: str
    speakers: dict[int, str]
    indices: dict[int, Path]
    index_rate: float | None = None

    @classmethod
    def of_bundle(cls, folder: Path) -> "Files":
        """A folder in the layout of mlx-rvc-demo's bundle (bundle.json)."""
        try:
            data = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))
        except OSError as error:
            raise ValueError(f"{folder}: no bundle.json ({error.strerror})") from None
        return cls(
            name=data["name"],
            voice=folder / data["voice"],
            contentvec=folder / data["encoder"],
            f0_method=data["f0_method"],
            speakers={speaker["id"]: speaker["name"] for speaker in data["speakers"]},
            indices={
                speaker["id"]: folder / speaker["index"]
                for speaker in data["speakers"]
                if "index" in speaker
            },
            index_rate=data.get("index_rate"),
        )

    @classmethod
    def of_model(cls, model: str) -> "Files":
        """The demo voice, or the file or folder of any voice, with one speaker."""
        if model == "demo":
            import mlx_rvc_demo

            return cls.of_bundle(Path(mlx_rvc_demo.bundle().voice).parent)
        path = Path(model)
        if not path.exists():
            raise ValueError(f"{model} does not exist; give a voice (.pth, folder) or demo")
        return cls(path.stem, path, None, "rmvpe", {0: "speaker 0"}, {})


class Subject:
    """The voice, loaded into the product.

    controls: index_rate, protect and rms_mix_rate where they differ from the product's own.
    """

    def __init__(self, files: Files, controls: dict[str, float]):
        self.files = files
        self.controls = controls
        if files.index_rate is not None:
            self.controls = {"index_rate": files.index_rate, **controls}
        self._pipelines = {}

    def pipeline(self, speaker: int):
        """The product with the speaker's index, loaded when it is first needed."""
        from mlx_rvc import RVCPipeline

        files = self.files
        index = files.indices.get(speaker)
        if index not in self._pipelines:
            self._pipelines[index] = RVCPipeline.from_pretrained(
                files.voice, index=index, contentvec=files.contentvec
            )
        return self._pipelines[index]

    def convert(
        self, recording: Recording, *, speaker: int, pitch: float, **controls
    ) -> np.ndarray:
        """One conversion, float32 (samples,) at 16 kHz.

        pitch: in semitones. controls: `seed`, or `noise` for exact comparisons, and what goes
        before the subject's own controls.
        """
        audio, rate = self.pipeline(speaker).convert_array(
            recording.audio,
            recording.rate,
            f0_method=self.files.f0_method,
            speaker=speaker,
            pitch=pitch,
            **{**self.controls, **controls},
        )
        return resampled(audio, rate)
