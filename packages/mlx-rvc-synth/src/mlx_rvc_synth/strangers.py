"""Files that hold no voice at all, told by their first bytes or their name before they are read.

Each line says what the file is and what to do with it; what is wrong inside a weights file is for
refusal.py. Signatures are those of the formats' own descriptions.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import mlx_weights

_AUDIO = "an audio file: give it as the input of mlx-rvc convert, and the voice as --model"
_INDEX = (
    "a faiss index: give it as --index, and the voice's .pth, which usually lies beside it, as the "
    "voice"
)
_ONNX = (
    "an ONNX model, of which neither layers nor weights can be told: give the .pth that it was "
    "exported from"
)
_BEATRICE = (
    "part of a Beatrice voice, another architecture than RVC: use it with Beatrice or VCClient"
)
_PAGE = (
    "a web page saved under this name, not the file behind it: fetch the file by its download link"
)

_SIGNATURES = (
    (0, b"version https://git-lfs", "a Git LFS pointer, not the file: run git lfs pull, or fetch "
     "the file by its download link"),
    (0, b"Ix", _INDEX),
    (0, b"Iw", _INDEX),
    (0, b"IvPQ", _INDEX),
    (0, b"IHN", _INDEX),
    (0, b"\x93NUMPY", "a .npy array (perhaps total_fea.npy, the features of an index): give it as "
     "--index, and the voice's .pth as the voice"),
    (0, b"RIFF", _AUDIO),
    (0, b"fLaC", _AUDIO),
    (0, b"OggS", _AUDIO),
    (0, b"ID3", _AUDIO),
    (0, b"\xff\xfb", _AUDIO),
    (0, b"\xff\xf3", _AUDIO),
    (4, b"ftyp", _AUDIO),
    (0, b"\x1f\x8b", "a gzip file: unpack it, and give the voice inside"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive: unpack it, and give the .pth inside"),
    (0, b"Rar!", "a RAR archive: unpack it, and give the .pth inside"),
)  # fmt: skip
_VOICES = (".pth", ".pt", ".safetensors", ".npz")
_HEAD = 512
_BEATRICE_FILES = (
    "beatrice_paraphernalia",
    "phone_extractor",
    "pitch_estimator",
    "waveform_generator",
    "speaker_embeddings",
    "embedding_setter",
)


def refuse_strangers(path: Path) -> None:
    """ValueError of one line where the file is recognised as something that is no weights file."""
    if not path.is_file():
        return  # its reader says what is there instead
    with path.open("rb") as file:
        head = file.read(_HEAD)
    what = _what(path, head)
    if what:
        raise ValueError(f"{path} is {what}")


def _what(path: Path, head: bytes) -> str | None:
    for at, signature, what in _SIGNATURES:
        if head[at:].startswith(signature):
            return what
    name, ending = path.name.lower(), path.suffix.lower()
    if name.startswith(_BEATRICE_FILES) and ending in (".bin", ".toml"):
        return _BEATRICE
    if ending == ".onnx" or _is_onnx(head):
        return _ONNX
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(b"<"):
        return _PAGE
    if head[:2] in (b"03", b"04", b"05", b"06") and head[2:4] == b"\x03\x04":
        # GPT-SoVITS writes its number over the first two bytes of the zip.
        return "a GPT-SoVITS model, which speaks text: use it with GPT-SoVITS"
    return _pack(path) if head.startswith(b"PK\x03\x04") else None


def _is_onnx(head: bytes) -> bool:
    """Whether these are the first fields of ONNX's protobuf: version, then producer or graph."""
    if head[8:9] == b"{":  # safetensors
        return False
    return head[:1] == b"\x08" and head[1:2] < b"\x20" and head[2:3] in (b"\x12", b"\x1a", b":")


def _pack(path: Path) -> str | None:
    """What a zip of voices is; None for torch's files and `.npz`, which are zips too."""
    names = [name for name in mlx_weights.zip_names(path) if not name.startswith("__MACOSX")]
    if any(PurePosixPath(name).name == "data.pkl" for name in names):
        return None
    voices = [name for name in names if name.lower().endswith(_VOICES)]
    if not voices:
        return None
    return (
        f"a zip pack with {voices[0]!r:.60} and {len(names) - 1} other entries: run mlx-rvc voices "
        "add on it, and use the voice by its name"
    )
