"""Other things saved under the name of a torch file: each is named."""

import struct
import zipfile

import numpy as np
import pytest

import mlx_pth
from mlx_pth import DamagedFileError, MissingFileError, NotATorchFileError, RefusedError

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:6d62\nsize 181184272\n"
SAFETENSORS = struct.pack("<Q", 2) + b"{}"
CASES = {
    "empty": (b"", "empty"),
    "html": (b"\n <!DOCTYPE html><html>", "web page"),
    "bom": (b"\xef\xbb\xbf<html>", "web page"),
    "lfs": (LFS, "git lfs pull"),
    "json": (b'{"error": "Not found"}', "JSON"),
    "safetensors": (SAFETENSORS, "safetensors"),
    "onnx": (b"\x08\x07\x12\x07pytorch\x1a\x051.13", "ONNX"),
    "pickle": (b"\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00}.", "plain pickle"),
    "tar": (b"storages/".ljust(257, b"\0") + b"ustar\x0000", "tar"),
    "hdf5": (b"\x89HDF\r\n\x1a\n", "HDF5"),
    "index": (b"IxFI\x00\x03", "faiss index"),
    "wav": (b"RIFF\x00\x00\x00\x00WAVE", "audio"),
    "gzip": (b"\x1f\x8b\x08", "unpack"),
    "npy": (b"\x93NUMPY", "numpy.load"),
    "noise": (b"\x01\x02\x03\x04\x05\x06\x07\x08\x09", "01 02 03"),
}


@pytest.mark.parametrize("case", CASES)
def test_other_files(case, tmp_path):
    content, word = CASES[case]
    path = tmp_path / "voice.pth"
    path.write_bytes(content)
    with pytest.raises(NotATorchFileError, match=word) as caught:
        mlx_pth.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_and_folder(tmp_path):
    with pytest.raises(MissingFileError, match="does not exist"):
        mlx_pth.load(tmp_path / "none.pth")
    with pytest.raises(FileNotFoundError, match="folder"):
        mlx_pth.load(tmp_path)
    assert issubclass(MissingFileError, mlx_pth.PthError)


def pack(path, **files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def test_a_zip_pack_names_the_file_inside(tmp_path):
    path = pack(tmp_path / "v.pth", **{"__MACOSX/x": b"", "Voice/v.pth": b"", "Voice/v.index": b""})
    with pytest.raises(NotATorchFileError, match=r"Voice/v\.pth.*Unpack"):
        mlx_pth.load(path)


def test_npz(tmp_path):
    np.savez(tmp_path / "a.npz", w=np.zeros(3))
    with pytest.raises(NotATorchFileError, match="npz"):
        mlx_pth.load(tmp_path / "a.npz")


def test_another_zip(tmp_path):
    with pytest.raises(NotATorchFileError, match=r"readme\.txt"):
        mlx_pth.load(pack(tmp_path / "v.pth", **{"readme.txt": b"x"}))


def test_two_pickles(tmp_path):
    path = pack(tmp_path / "v.pth", **{"a/data.pkl": b"N.", "b/data.pkl": b"N."})
    with pytest.raises(NotATorchFileError, match="2 data"):
        mlx_pth.load(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_repeated_names(make):
    path = make.zip({}, extra={"archive/version": b"4"})
    with pytest.raises(NotATorchFileError, match="repeated"):
        mlx_pth.load(path)


@pytest.mark.parametrize("name", ["code/m.py", "constants.pkl"])
def test_torchscript(make, name):
    with pytest.raises(NotATorchFileError, match="TorchScript"):
        mlx_pth.load(make.zip({}, extra={f"archive/{name}": b"N."}))


def test_encrypted_entry(make):
    path = make.zip({})
    data = bytearray(path.read_bytes())
    directory = data.index(b"PK\x01\x02")
    data[directory + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(RefusedError, match="encrypted"):
        mlx_pth.load(path)


def test_truncated_zip(make):
    path = make.zip({"w": 1}, {"0": bytes(1000)})
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(DamagedFileError, match="cut off"):
        mlx_pth.load(path)


def test_an_entry_that_points_outside(make):
    one = make.tensor(make.storage("0", "Float", 4), 0, (4,), (1,))
    path = make.zip({"w": one}, {"0": bytes(16)})
    data = bytearray(path.read_bytes())
    at = data.rindex(b"archive/data/0") - 46  # its entry in the directory
    struct.pack_into("<II", data, at + 20, 2**31, 2**31)
    path.write_bytes(data)
    with pytest.raises(DamagedFileError):
        mlx_pth.load(path)


def test_public_names_are_sorted():
    names = [name for name in mlx_pth.__all__ if name != "MAX_BYTES"]
    assert names == sorted(names)
    assert all(hasattr(mlx_pth, name) for name in mlx_pth.__all__)
