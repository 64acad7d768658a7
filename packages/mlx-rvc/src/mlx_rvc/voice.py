"""What `--model` means: a file, a folder, a hub repository, "demo", or a voice of the library."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DEMO = "demo"


@dataclass(frozen=True)
class ChosenVoice:
    """A voice with what belongs to it.

    model: what `Synthesizer.from_pretrained` takes, or "demo". index: the one given, else the
    library's. name: in the library, None elsewhere. preset: the settings stored with the voice.
    """

    model: str | Path
    index: str | Path | None = None
    name: str | None = None
    preset: Mapping[str, Any] = field(default_factory=dict)


def find_voice(model: str | Path, index: str | Path | None = None) -> ChosenVoice:
    """Find a voice: a path that exists goes first, then a name of the library.

    Raises ValueError for a name that is neither; it lists the names that are near. What can only be
    a path or a repository is left to whoever loads it.
    """
    if str(model) == DEMO or isinstance(model, Path) or Path(model).expanduser().exists():
        return ChosenVoice(model, index)
    from mlx_rvc_voices import Library
    from mlx_rvc_voices.naming import FILE_ENDINGS, near

    if "/" in model or "\\" in model or model.lower().endswith(FILE_ENDINGS):
        return ChosenVoice(model, index)
    library = Library()
    names = library.names()
    if model not in names:
        close = near(model, names)
        hint = f"is it {' or '.join(close)}?" if close else "see mlx-rvc voices list"
        raise ValueError(
            f"there is no voice {model!r}: no file or folder of that name, and none in the library "
            f"{library.folder}; {hint}"
        )
    voice = library.get(model)
    if not voice.model_path.is_file():
        raise ValueError(
            f"the voice {model!r} has lost its file {voice.model_path}; remove it and add it again"
        )
    return ChosenVoice(voice.model_path, index or voice.index_path, model, voice.preset)


def index_inside(model: str | Path) -> Path | None:
    """Find the file of a voice, where the vectors of its index are stored in it too.

    model: as in `ChosenVoice`. Raises ValueError where there is no such voice.
    """
    from mlx_rvc_index import holds_vectors
    from mlx_rvc_synth.voicefile import find_in_folder
    from mlx_rvc_synth.weights import locate_voice

    path = locate_voice(model)
    path = find_in_folder(path) if path.is_dir() else path
    return path if holds_vectors(path) else None


def voice_file(model: str) -> str | Path:
    """Give the path of a voice by its name, "demo" included; what is no name comes back.

    For the commands of other packages (entry point group `mlx_rvc.voice_names`).
    """
    if model == DEMO:
        import mlx_rvc_demo

        return mlx_rvc_demo.bundle().voice
    return find_voice(model).model
