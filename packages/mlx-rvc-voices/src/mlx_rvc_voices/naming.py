"""Names of voices and of files: what is allowed, what is made of a stranger's, what is near."""

import difflib
import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

from mlx_rvc_voices.errors import VoiceError

RESERVED = ("demo",)
"""What `--model` takes for something else than a voice of the library."""

FILE_ENDINGS = (".pth", ".pt", ".safetensors", ".npz", ".zip", ".index", ".onnx", ".bin", ".ckpt")
_LONGEST = 64
_NAME = re.compile(r"\w([\w .+()-]*[\w+)])?")
_GENERIC = re.compile(r"(model|voice|weights?|[GD]_\d+)", re.IGNORECASE)


def check_name(name: str) -> str:
    """Give a voice's name in its normal form (NFC).

    Raises VoiceError for a name that could be a path, a file, a hub repository or an option.
    """
    name = unicodedata.normalize("NFC", name)
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise VoiceError(
            f"{name!r:.90} is no name for a voice: 1 to {_LONGEST} letters, digits, spaces and "
            f"._+-() are allowed, a letter or digit first"
        )
    if name.lower() in RESERVED or name.lower().endswith(FILE_ENDINGS):
        raise VoiceError(
            f"{name!r} is no name for a voice: --model would take it for something else; choose "
            f"another with --name"
        )
    return name


def name_from(*stems: str) -> str:
    """Give a name made from the first of `stems` (of a file, an archive, a repository) that says
    something; "model" and "G_2333" do not.
    """
    cleaned = [_cleaned(stem) for stem in stems]
    for name in [*(name for name in cleaned if not _GENERIC.fullmatch(name)), *cleaned]:
        try:
            return check_name(name)
        except VoiceError:
            continue
    raise VoiceError(
        f"no name can be made from {', '.join(map(repr, stems)):.120}; choose one with --name"
    )


def _cleaned(stem: str) -> str:
    text = unicodedata.normalize("NFC", stem)
    text = " ".join(re.sub(r"[^\w .+()-]+", " ", text).split())
    return text.lstrip(" .+()-")[:_LONGEST].rstrip(" .(-")


def plain_file_name(name: str) -> str:
    """Give the last part of a stranger's path as a name that is harmless on any system."""
    last = PurePosixPath(name.replace("\\", "/")).name
    stem, dot, ending = unicodedata.normalize("NFC", last).rpartition(".")
    stem = re.sub(r"[^\w .+()-]+", "_", stem if dot else ending).strip(" .")[:100]
    ending = re.sub(r"\W+", "_", ending)[:20] if dot else ""
    return f"{stem or 'file'}.{ending}" if ending else stem or "file"


def is_plain_file_name(name: str) -> bool:
    """Say whether a file of that name lies in the folder itself, for names in a voice.json."""
    return name not in ("", ".", "..") and not re.search(r"[/\\:\x00-\x1f]", name)


def same_name(one: str, other: str) -> bool:
    """Say whether two names would be one folder on a system that ignores case."""
    return one.casefold() == other.casefold()


def near(name: str, names: Iterable[str], count: int = 5) -> list[str]:
    """Give the names that look like `name`, the nearest first."""
    by_folded = {known.casefold(): known for known in names}
    folded = name.casefold()
    close = difflib.get_close_matches(folded, by_folded, n=count, cutoff=0.5)
    inside = [known for known in sorted(by_folded) if folded in known or known in folded]
    return [by_folded[known] for known in dict.fromkeys([*close, *inside])][:count]
