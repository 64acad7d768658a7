"""What a file is, from its first bytes: the zip format, the old format, or something else."""

from mlx_pth.errors import NotATorchFileError
from mlx_pth.legacy import MAGIC_BYTES

EXPECTED = "a PyTorch file (zip, or the format before torch 1.6) is expected"

# First bytes, what it is, what to do.
_SIGNATURES = (
    (
        b"version https://git-lfs",
        "a Git LFS pointer, not the file it points to",
        "run git lfs pull",
    ),
    (b"\x89HDF", "an HDF5 file", "use the PyTorch version of these weights"),
    (b"GGUF", "a GGUF file", "use the PyTorch version of these weights"),
    (b"\x93NUMPY", "a NumPy .npy array", "read it with numpy.load"),
    (b"\x1f\x8b", "a gzip file", "unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "unpack it first"),
    (b"Rar!", "a RAR archive", "unpack it first"),
    (b"\xfd7zXZ", "an xz file", "unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a zstd file", "unpack it first"),
    (b"RIFF", "an audio file", "give the weights file"),
    (b"fLaC", "an audio file", "give the weights file"),
    (b"IxF", "a faiss index", "give it as the index; the weights are another file"),
    (b"IwF", "a faiss index", "give it as the index; the weights are another file"),
    (b"PK\x05\x06", "an empty zip", "fetch the file again"),
)
_AGAIN = "fetch the file itself, following its download link"


def sniff(head: bytes, size: int) -> str:
    """Give "zip" or "legacy" for the first bytes (512 or more) of a file of `size` bytes.

    Raises NotATorchFileError that says what it is instead.
    """
    if size == 0:
        raise NotATorchFileError(f"the file is empty; {EXPECTED}: fetch it again")
    if head.startswith(b"PK\x03\x04"):
        return "zip"
    if MAGIC_BYTES in head[:32]:
        return "legacy"
    what, advice = _other(head, size)
    raise NotATorchFileError(f"this is {what}; {EXPECTED}: {advice}")


def _other(head: bytes, size: int) -> tuple[str, str]:
    for signature, what, advice in _SIGNATURES:
        if head.startswith(signature):
            return what, advice
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    header = int.from_bytes(head[:8], "little")
    tests = (
        (text.startswith(b"<"), "a web page saved under this name", _AGAIN),
        (text.startswith(b"{"), "a JSON text (perhaps a server's error message)", _AGAIN),
        (
            head[8:9] == b"{" and 2 <= header <= max(size, 100),
            "a safetensors file",
            "read it with safetensors",
        ),
        (
            head[257:262] == b"ustar",
            "a tar file (the earliest torch wrote such)",
            "save it again with a current torch",
        ),
        (
            head[:1] == b"\x08" and head[2:3] in (b"\x12", b"\x1a", b":"),
            "an ONNX model",
            "use the PyTorch version of these weights",
        ),
        (
            head[:1] == b"\x80" and head[1:2] <= b"\x05",
            "a plain pickle, not written by torch.save",
            "save it with torch.save",
        ),
    )
    for true, what, advice in tests:
        if true:
            return what, advice
    return f"an unknown kind of file (first bytes {head[:8].hex(' ')})", "check where it is from"
