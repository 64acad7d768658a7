"""A voice as a folder for the hub: config.json, model.safetensors and the model card.

Nothing in it names a place on this machine: paths that other programs left in a voice's metadata
are cut to their last part.
"""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from mlx_weights import model_card, sha256, without_paths

from .describing import megabytes
from .voicefile import VoiceFile
from .weights import write_voice

FILES = ("config.json", "model.safetensors")
UNKNOWN_LICENSE = "unknown"
_LICENSE = re.compile(r"[a-z0-9][a-z0-9.+-]*")
_QUESTION = "Do you have the right to share this voice, also from whoever is heard in it?"


def write_shared(
    voice: VoiceFile,
    folder: Path,
    *,
    repo: str,
    license: str = UNKNOWN_LICENSE,
    dtype: str = "float32",
    index_vectors: np.ndarray | None = None,
    assured: bool = False,
    source: tuple[tuple[str, str], ...] = (),
    sections: tuple[tuple[str, str], ...] = (),
) -> dict[str, str]:
    """Write what `Synthesizer.from_pretrained(repo)` will load from the hub, with its README.md.

    `license`: an identifier as the hub knows them. `assured`: whether the user said that they have
    the right to share the voice; then the card says so. `source`: more (name, value) for the card's
    table, `sections` more (heading, markdown). Returns file name -> SHA-256 of what was written.
    """
    check_license(license)
    shared = replace(voice, metadata=without_paths(voice.metadata))
    write_voice(shared, folder, dtype=dtype, index_vectors=index_vectors)
    sums = {name: sha256(folder / name) for name in FILES}
    config, names = voice.config, shared.metadata.get("speaker_names") or {}
    facts = [
        ("RVC version", config.version),
        ("F0", "with F0" if config.f0 else "without F0"),
        ("sample rate", f"{config.sample_rate} Hz"),
        ("speakers", _speakers(config.speakers, names)),
        ("content encoder", shared.metadata.get("embedder") or "not named in the file"),
        ("features", f"{config.feature_channels} wide"),
        ("parameters", f"{voice.parameters:,} in {dtype}"),
        ("index", "none" if index_vectors is None else f"{len(index_vectors):,} vectors, inside"),
        ("size", megabytes((folder / FILES[1]).stat().st_size)),
        ("licence", "not stated" if license == UNKNOWN_LICENSE else license),
        ("made from", f"{voice.kind}, SHA-256 {sha256(voice.path)}"),
        *source,
        *((f"SHA-256 of {name}", value) for name, value in sums.items()),
    ]
    card = model_card(
        repo.partition("/")[2],
        license=license,
        tags=["mlx", "rvc", "voice-conversion", "audio-to-audio"],
        facts=facts,
        sections=[
            ("Use", _use(repo, index_vectors is not None)),
            *sections,
            ("Rights", (_ASSURED if assured else "") + _RIGHTS),
        ],
    )
    (folder / "README.md").write_text(card, "utf-8")
    return sums


def check_license(license: str) -> None:
    """Raise ValueError unless `license` is written as the hub's identifiers are."""
    if not _LICENSE.fullmatch(license):
        raise ValueError(
            f"{license!r:.80} is no identifier of a licence; expected one as the hub lists them: "
            "mit, cc-by-4.0, cc-by-nc-4.0, openrail, other, unknown"
        )


def confirm_rights(assured: bool, flag: str) -> None:
    """Ask on the terminal, unless `assured`, whether the voice may be shared.

    Raises ValueError where the answer is no, and where nobody can be asked.
    """
    if assured:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ValueError(
            f"a voice is shared only by who has the right to, and nobody can be asked here: give "
            f"{flag} if you have it"
        )
    print(f"{_QUESTION} [y/N] ", end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    if not answer:
        raise EOFError
    if answer.strip().lower() not in ("y", "yes"):
        raise ValueError("the voice was not pushed: it needs the right to share it")


_ASSURED = "Whoever pushed this voice said that they have the right to share it. "
_RIGHTS = (
    "What may be done with it "
    "is for them to say, and for the person whose voice it is: do not let it say what that person "
    "would not."
)


def _speakers(count: int, names: dict[str, str]) -> str:
    listed = ", ".join(f"{key} {name}" for key, name in names.items())
    return f"{count}: {listed}" if listed else str(count)


def _use(repo: str, with_index: bool) -> str:
    text = f"""A voice for RVC in [MLX](https://github.com/ml-explore/mlx), without torch:

    mlx-rvc convert song.wav converted.wav --model {repo}

```python
from mlx_rvc_synth import Synthesizer

voice = Synthesizer.from_pretrained("{repo}")
```
"""
    if with_index:
        text += "\nThe vectors of its index are inside; `--index-rate 0` does without them.\n"
    return text
