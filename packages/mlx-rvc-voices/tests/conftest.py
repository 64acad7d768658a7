"""Voice files of a few hundred bytes, written opcode by opcode, and caches of each test's own."""

import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from mlx_rvc_voices import Library


@pytest.fixture(autouse=True)
def own_folders(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("user")
    monkeypatch.setenv("MLX_RVC_VOICES", str(folder / "voices"))
    monkeypatch.setenv("MLX_WEIGHTS_CACHE", str(folder / "weights"))
    monkeypatch.setenv("HF_HUB_CACHE", str(folder / "hub"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    for name in ("HF_HUB_OFFLINE", "HF_ENDPOINT", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def library():
    return Library()


class Tensor:
    def __init__(self, *shape, fill=0.0):
        self.data = np.full(shape, fill, np.float32)


def plain(value):
    return pickle.dumps(value, 2)[2:-1]


def body(value, storages):
    """Opcodes that leave `value` on the stack, as torch.save writes them."""
    if isinstance(value, Tensor):
        data = value.data
        key = str(len(storages))
        storages.append(data.tobytes())
        strides = tuple(step // data.itemsize for step in data.strides)
        storage = b"(" + plain("storage") + b"ctorch\nFloatStorage\n"
        storage += b"".join(map(plain, (key, "cpu", data.size))) + b"tQ"
        rest = b"".join(map(plain, (0, data.shape, strides, False)))
        hooks = b"ccollections\nOrderedDict\n)R"
        return b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + rest + hooks + b"tR"
    if isinstance(value, dict):
        pairs = (body(key, storages) + body(item, storages) for key, item in value.items())
        return b"}(" + b"".join(pairs) + b"u"
    return plain(value)


def write_torch(path: Path, value) -> Path:
    storages = []
    data = b"\x80\x02" + body(value, storages) + b"."
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", data)
        archive.writestr("archive/byteorder", "little")
        for number, storage in enumerate(storages):
            archive.writestr(f"archive/data/{number}", storage)
        archive.writestr("archive/version", "3\n")
    return path


def write_voice(path: Path, *, width=768, fill=0.0) -> Path:
    """A small model of one tensor."""
    weight = {"enc_p.emb_phone.weight": Tensor(2, width, fill=fill)}
    return write_torch(path, {"weight": weight, "config": [1, 2], "version": "v2", "f0": 1})


def write_checkpoint(path: Path, *, fill=0.0) -> Path:
    """A G_*.pth or, by its name, a D_*.pth."""
    name = "discriminators.0.conv.weight" if path.name.startswith("D") else "enc_p.emb_phone.weight"
    return write_torch(path, {"model": {name: Tensor(2, 768, fill=fill)}, "iteration": 7})


def write_index(path: Path, *, width=768, vectors=5) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"IwFl" + struct.pack("<iq", width, vectors) + bytes(40))
    return path


def write_zip(path: Path, folder: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder).as_posix())
    return path


@pytest.fixture
def make():
    """The writers above, by name."""

    class Make:
        voice = staticmethod(write_voice)
        checkpoint = staticmethod(write_checkpoint)
        index = staticmethod(write_index)
        torch = staticmethod(write_torch)
        tensor = Tensor
        zip = staticmethod(write_zip)

    return Make
