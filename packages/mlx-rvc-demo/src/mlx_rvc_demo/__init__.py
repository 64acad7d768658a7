"""A compact demonstration bundle: a voice, the content encoder it needs and a recording.

Data only, in the formats that any RVC voice comes in; whoever converts finds the paths here.
`bundle/bundle.json` is the whole contract: a better bundle replaces the folder, not the code.
"""

import json
from dataclasses import dataclass
from pathlib import Path

__all__ = ["NAME", "Bundle", "Speaker", "bundle"]

NAME = "mlx-rvc-demo"
"""How the bundled voice names its content encoder in its own metadata (`embedder_model`)."""

_FOLDER = Path(__file__).parent / "bundle"


@dataclass(frozen=True)
class Speaker:
    """One of the bundled voice's speakers.

    `pitch` is the shift in semitones that brings the bundled recording to this speaker's range.
    """

    id: int
    name: str
    pitch: float


@dataclass(frozen=True)
class Bundle:
    """Paths and defaults of the demonstration."""

    name: str
    description: str
    voice: Path
    encoder: Path
    recording: Path
    f0_method: str
    speakers: tuple[Speaker, ...]


def bundle() -> Bundle:
    """Describe the bundled demonstration (see `Bundle`); reads one small JSON file."""
    data = json.loads((_FOLDER / "bundle.json").read_text(encoding="utf-8"))
    return Bundle(
        name=data["name"],
        description=data["description"],
        voice=_FOLDER / data["voice"],
        encoder=_FOLDER / data["encoder"],
        recording=_FOLDER / data["recording"],
        f0_method=data["f0_method"],
        speakers=tuple(Speaker(**speaker) for speaker in data["speakers"]),
    )
