"""Writing files: torch's zip in its variants, safetensors in every dtype, `.npz`."""

import json
import struct
import zipfile

import numpy as np

import mlx_pth


def torch_file(path, content):
    """What torch.save would write."""
    mlx_pth.save(path, content)
    return path


def repacked(path, *, root="archive", packing=zipfile.ZIP_STORED, change=lambda pickle: pickle):
    """A torch file again, with another root, packing or pickle."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", packing) as archive:
        for name, data in entries.items():
            packed = change(data) if name.endswith("data.pkl") else data
            archive.writestr(name.replace("archive", root, 1), packed)
    return path


def bfloat16(values):
    """Their bits as uint16; exact for the networks of the collection."""
    return (np.ascontiguousarray(values, np.float32).view(np.uint32) >> 16).astype(np.uint16)


def torch_file_in_bfloat16(path, content):
    """A torch file whose `weight` is bfloat16: halves of the same bits, their storage renamed."""
    weight = {name: bfloat16(value).view(np.float16) for name, value in content["weight"].items()}
    torch_file(path, {**content, "weight": weight})

    def renamed(pickle):
        assert b"torch\nHalfStorage\n" in pickle
        return pickle.replace(b"torch\nHalfStorage\n", b"torch\nBFloat16Storage\n")

    return repacked(path, change=renamed)


def safetensors(path, tensors, metadata=None, bf16=False):
    """A safetensors file, written from the format's description."""
    header, blobs, at = {}, [], 0
    if metadata:
        header["__metadata__"] = metadata
    for name, value in tensors.items():
        code = {"float16": "F16", "float32": "F32", "float64": "F64"}[str(value.dtype)]
        data = (bfloat16(value) if bf16 else np.ascontiguousarray(value)).tobytes()
        span = [at, at + len(data)]
        header[name] = {
            "dtype": "BF16" if bf16 else code,
            "shape": value.shape,
            "data_offsets": span,
        }
        blobs.append(data)
        at += len(data)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))
    return path


def npz(path, tensors):
    np.savez(path, **tensors)
    return path
