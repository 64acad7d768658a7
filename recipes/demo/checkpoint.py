"""Where a voice's training stands, small enough to keep: half precision, without the optimisers.

A run that starts from such a folder goes on with both; one that leaves the encoder as it is needs
neither the encoder's speech nor its training.
"""

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from encoder import Student, export
from progress import load_state, restored
from run import Run

ENCODER, VOICE = "encoder", "voice.safetensors"


def write(folder: Path, run: Run, student: Student) -> int:
    """The encoder, the voice and its critics; returns the steps that the voice has learned."""
    state = load_state(run.path("voice.pt"))
    if state is None:
        raise SystemExit("no voice is trained: run the step voice")
    export(student, folder / ENCODER)
    tensors = {}
    for part in ("kept", "critics"):
        for key, value in state[part].items():
            tensors[f"{part}.{key}"] = value.half().contiguous()
    before = start_steps(run.start) if run.start else 0
    steps = before + state["step"]
    save_file(tensors, folder / VOICE, metadata={"steps": str(steps)})
    return steps


def start_steps(folder: Path) -> int:
    """Steps that the voice of a start had learned."""
    from safetensors import safe_open

    with safe_open(folder / VOICE, "pt") as file:
        return int(file.metadata()["steps"])


def encoder_weights(folder: Path) -> dict[str, torch.Tensor]:
    found = load_file(folder / ENCODER / "model.safetensors")
    return {restored(key): value.float() for key, value in found.items()}


def voice_of(folder: Path) -> dict[str, dict[str, torch.Tensor]]:
    """State dicts of the voice (`kept`) and its critics."""
    parts: dict[str, dict[str, torch.Tensor]] = {"kept": {}, "critics": {}}
    for name, value in load_file(folder / VOICE).items():
        part, key = name.split(".", 1)
        parts[part][key] = value.float()
    return parts
