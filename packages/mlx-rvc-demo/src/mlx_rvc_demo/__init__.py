"""A compact demonstration bundle: a voice, the content encoder it needs, recordings to convert.

Data only, in the formats that any RVC voice comes in; whoever converts finds the paths here.
`bundle/bundle.json` is the whole contract: a better bundle replaces the folder, not the code.
"""

import json
from dataclasses import dataclass
from pathlib import Path

__all__ = ["NAME", "Bundle", "Recording", "Speaker", "bundle"]

NAME = "mlx-rvc-demo"
"""How the bundled voice names its content encoder in its own metadata (`embedder_model`)."""

_FOLDER = Path(__file__).parent / "bundle"


@dataclass(frozen=True)
class Speaker:
    """One of the bundled voice's speakers.

    `index` is its `.index` file, where it has one; `median_f0_hz` the median F0 of its recordings.
    """

    id: int
    name: str
    index: Path | None
    median_f0_hz: float | None = None


@dataclass(frozen=True)
class Recording:
    """A bundled recording.

    `pitch` holds a shift in semitones for each speaker's id: from the recording's range to the
    speaker's, in whole octaves where the recording is sung, so that it stays in its key.
    """

    name: str
    path: Path
    pitch: tuple[float, ...]


@dataclass(frozen=True)
class Bundle:
    """Paths and defaults of the demonstration."""

    name: str
    description: str
    voice: Path
    encoder: Path
    f0_method: str
    index_rate: float
    recordings: tuple[Recording, ...]
    speakers: tuple[Speaker, ...]


def bundle() -> Bundle:
    """Describe the bundled demonstration (see `Bundle`); reads one small JSON file."""
    data = json.loads((_FOLDER / "bundle.json").read_text(encoding="utf-8"))
    return Bundle(
        name=data["name"],
        description=data["description"],
        voice=_FOLDER / data["voice"],
        encoder=_FOLDER / data["encoder"],
        f0_method=data["f0_method"],
        index_rate=data["index_rate"],
        recordings=tuple(
            Recording(entry["name"], _FOLDER / entry["file"], tuple(entry["pitch"]))
            for entry in data["recordings"]
        ),
        speakers=tuple(
            Speaker(
                entry["id"],
                entry["name"],
                _FOLDER / entry["index"] if "index" in entry else None,
                entry.get("median_f0_hz"),
            )
            for entry in data["speakers"]
        ),
    )
