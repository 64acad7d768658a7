"""The folder that the package mlx-rvc-demo carries: voice, encoder, indexes, recordings, card."""

import json
import shutil
from pathlib import Path

import numpy as np
import soundfile
import torch

from run import HERE
from speakers import TARGETS
from synthesizer import Synthesizer

AUDIO = HERE.parents[1] / "tests" / "audio"
RECORDINGS = {"speech": "librivox_austen_0870.flac", "singing": "vocadito_14.flac"}
ENCODER = "mlx-rvc-demo"  # the name under which a converter finds the encoder of this voice
DESCRIPTION = "A small voice to show the way: melody and timbre carry over, some words are blurred."
SEXES = {"rms": "male", "slt": "female"}


def key(recording: str, source: float, target: float) -> int:
    """Semitones from one median F0 to another; singing keeps its notes: whole octaves.

    A voice sings higher than it speaks, by a quarter of an octave: as in benchmarks/listening.
    """
    octaves = float(np.log2(target / source))
    return 12 * round(octaves + 0.26) if recording == "singing" else round(12 * octaves)


def write(
    folder: Path, model: Synthesizer, steps: int, medians: dict[str, float], settings: dict
) -> None:
    """`medians`: F0 in Hz of each recording and each target."""
    voice = model.small_model(f"{steps} steps, speakers {' and '.join(TARGETS)}") | {
        "embedder_model": ENCODER
    }
    torch.save(voice, folder / "voice.pth")
    recordings = []
    for name, file in RECORDINGS.items():
        shutil.copyfile(AUDIO / file, folder / file)
        pitches = [key(name, medians[name], medians[target]) for target in TARGETS]
        recordings.append({"name": name, "file": file, "pitch": pitches})
    described = {
        "name": ENCODER,
        "description": DESCRIPTION,
        "voice": "voice.pth",
        "encoder": "encoder",
        "f0_method": settings["f0_method"],
        "index_rate": settings["index_rate"],
        "recordings": recordings,
        "speakers": [
            {
                "id": number,
                "name": f"{name} ({SEXES[name]})",
                "index": f"{name}.index",
                "median_f0_hz": round(medians[name], 1),
            }
            for number, name in enumerate(TARGETS)
        ],
    }
    (folder / "bundle.json").write_text(json.dumps(described, indent=2) + "\n")
    shutil.copyfile(HERE / "CARD.md", folder / "CARD.md")


def recording(name: str) -> tuple[np.ndarray, int]:
    return soundfile.read(AUDIO / RECORDINGS[name], dtype="float32")


def megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
