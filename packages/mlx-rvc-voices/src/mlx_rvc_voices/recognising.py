"""What a file is: a voice, a checkpoint, an index; and how wide the features are that it takes.

Only as far as needed to choose among files. Whether every tensor is in its place is asked of
whoever can build the voice (`Library(check_voice=...)`).
"""

import struct
import tokenize
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlx_rvc_voices.archive import opened_zip
from mlx_rvc_voices.errors import VoiceError

MODEL_ENDINGS = (".pth", ".pt", ".safetensors", ".npz")
FLAT_ENDINGS = (".safetensors", ".npz")
"""Of files of tensors alone, whose configuration may stand in a JSON file beside them."""
_PHONE = "enc_p.emb_phone.weight"  # (hidden, features) in every layout of a voice
_PARTS = {
    "weight": ("small model", 0),
    "generator_state_dict": ("small model", 0),  # huggingface-hub-rvc
    "model": ("training checkpoint", 1),
}
_SHOWN_KEYS = 3
# NumPy parses a header with Python's own parser, whose every error may come out.
_NO_ARRAY = (
    *(ValueError, TypeError, LookupError, AttributeError, ArithmeticError, OSError, EOFError),
    *(SyntaxError, tokenize.TokenError, RecursionError, MemoryError),
)


@dataclass(frozen=True)
class Model:
    """A voice file; `rank`: 0 is what is shared, 1 a checkpoint of its training."""

    path: Path
    kind: str
    rank: int
    width: int | None


def is_zip_of_files(path: Path) -> bool:
    """Say whether the file is a zip archive of files; torch files and `.npz` are zips too."""
    with path.open("rb") as file:
        if file.read(4) not in (b"PK\x03\x04", b"PK\x05\x06"):
            return False
    try:
        with opened_zip(path) as archive:
            names = archive.namelist()
            arrays = bool(names) and all(name.endswith(".npy") for name in names)
            return not arrays and not any(
                name == "data.pkl" or name.endswith("/data.pkl") for name in names
            )
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, struct.error):
        # A damaged torch file too: its reader says what is wrong with it.
        return path.suffix.lower() not in MODEL_ENDINGS


def recognise(path: Path) -> Model:
    """Say what a file with one of MODEL_ENDINGS holds; tensors of most are mapped, not read.

    Raises VoiceError (or WeightsError, whose text names the file) when it is no voice.
    """
    from mlx_weights import is_npz, read_checkpoint

    content = read_checkpoint(path)
    if not isinstance(content, dict):
        raise VoiceError(f"{path.name} holds a {type(content).__name__}, not a voice")
    tensors, kind, rank = content, "state dict", 1
    if path.suffix.lower() == ".safetensors":
        kind, rank = "safetensors", 0
    elif is_npz(path):
        kind, rank = "npz", 0
    else:
        for part, what in _PARTS.items():
            if isinstance(content.get(part), dict):
                tensors, (kind, rank) = content[part], what
                break
    phone = _tensor(tensors, _PHONE)
    if phone is None:
        keys = ", ".join(str(key) for key in list(tensors)[:_SHOWN_KEYS])
        raise VoiceError(
            f"{path.name} is a weights file, but no RVC voice (it begins with {keys:.80}): it has "
            f"no {_PHONE}; add the voice's .pth"
        )
    width = int(phone.shape[1]) if len(phone.shape) == 2 else None
    return Model(path, kind, rank, width)


def _tensor(tensors: dict[Any, Any], name: str) -> Any:
    """The tensor of that name, also inside PyTorch's wrappers (`module.`, `_orig_mod.`)."""
    for key, value in tensors.items():
        if isinstance(key, str) and f".{key}".endswith(f".{name}") and hasattr(value, "shape"):
            return value
    return None


def index_width(path: Path) -> int:
    """Give the width of the vectors of an index file, from its header.

    A faiss index: four letters, the width as i32, the number of vectors as i64. Raises VoiceError
    for another file and for an empty index, which `trained_*` files hold.
    """
    with path.open("rb") as file:
        head = file.read(16)
    if head.startswith(b"\x93NUMPY"):
        import numpy as np

        try:
            with np.errstate(all="raise"):  # NumPy multiplies the shape without looking
                return int(np.load(path, mmap_mode="r", allow_pickle=False).shape[1])
        except _NO_ARRAY as error:
            said = " ".join(str(error).split())
            raise VoiceError(f"{path.name} is a damaged .npy of features ({said:.60})") from None
    if len(head) < 16 or head[:1] != b"I" or not head[:4].isalnum():
        what = "an empty file" if not head else "no faiss index"
        raise VoiceError(f"{path.name} is {what}; the voice's added_*.index is expected")
    width, vectors = struct.unpack("<iq", head[4:])
    if not 0 < width <= 1 << 16:
        raise VoiceError(f"{path.name} is a damaged index (width {width}); fetch it again")
    if vectors == 0:
        raise VoiceError(
            f"{path.name} holds no vectors, as the trained_* step of making an index; use the "
            f"added_* file"
        )
    return int(width)
