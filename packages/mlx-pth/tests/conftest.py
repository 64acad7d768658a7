"""A writer of torch files by hand, opcode by opcode, so that odd and hostile ones can be made."""

import pickle
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

MAGIC = 0x1950A86A20F9469CFC6C


@dataclass
class Name:
    module: str
    name: str


@dataclass
class Call:
    target: Any
    args: Any


@dataclass
class New:
    target: Any
    args: Any


@dataclass
class Build:
    target: Any
    state: Any


@dataclass
class Persistent:
    identity: Any


@dataclass
class Raw:
    """Opcodes as they are; they must leave one value on the stack."""

    code: bytes


def body(value: Any) -> bytes:
    """Opcodes that leave `value` on the stack (protocol 2)."""
    match value:
        case Raw():
            return value.code
        case Name():
            return f"c{value.module}\n{value.name}\n".encode()
        case Call():
            return body(value.target) + body(value.args) + b"R"
        case New():
            return body(value.target) + body(value.args) + b"\x81"
        case Build():
            return body(value.target) + body(value.state) + b"b"
        case Persistent():
            return body(value.identity) + b"Q"
        case tuple():
            return b"(" + b"".join(map(body, value)) + b"t"
        case list():
            return b"](" + b"".join(map(body, value)) + b"e"
        case dict():
            pairs = (body(key) + body(item) for key, item in value.items())
            return b"}(" + b"".join(pairs) + b"u"
        case _:
            return pickle.dumps(value, 2)[2:-1]


def dump(value: Any) -> bytes:
    return b"\x80\x02" + body(value) + b"."


def storage(key: Any, kind: str, numel: Any, view: Any = ()) -> Persistent:
    return Persistent(("storage", Name("torch", kind + "Storage"), key, "cpu", numel, *view))


def tensor(where: Any, offset: Any, size: Any, stride: Any, *more: Any) -> Call:
    rest = more or (False, Call(Name("collections", "OrderedDict"), ()))
    name = Name("torch._utils", "_rebuild_tensor_v2")
    return Call(name, (where, offset, size, stride, *rest))


def write_zip(
    path: Path,
    value: Any,
    storages: dict[str, bytes] | None = None,
    *,
    root: str = "archive/",
    compression: int = zipfile.ZIP_STORED,
    byteorder: bytes | None = b"little",
    extra: dict[str, bytes] | None = None,
) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr(f"{root}data.pkl", value if isinstance(value, bytes) else dump(value))
        if byteorder is not None:
            archive.writestr(f"{root}byteorder", byteorder)
        for key, data in (storages or {}).items():
            archive.writestr(f"{root}data/{key}", data)
        archive.writestr(f"{root}version", b"3\n")
        for name, data in (extra or {}).items():
            archive.writestr(name, data)
    return path


def write_legacy(
    path: Path, value: Any, storages: dict[str, tuple[int, bytes]], *, little: bool = True
) -> Path:
    system = {"protocol_version": 1001, "little_endian": little, "type_sizes": {}}
    parts = [dump(MAGIC), dump(1001), dump(system), dump(value), dump(list(storages))]
    for numel, data in storages.values():
        parts += [struct.pack("<q" if little else ">q", numel), data]
    path.write_bytes(b"".join(parts))
    return path


@pytest.fixture
def make(tmp_path: Path) -> SimpleNamespace:
    """The writer's parts, and `zip(value, storages, ...)` and `legacy(...)`, which give a path."""
    path = tmp_path / "made.pth"
    return SimpleNamespace(
        Name=Name, Call=Call, New=New, Build=Build, Persistent=Persistent, Raw=Raw,
        dump=dump, body=body, storage=storage, tensor=tensor, path=path,
        floats=lambda *values: np.array(values, "<f4").tobytes(),
        zip=lambda *args, **options: write_zip(path, *args, **options),
        legacy=lambda *args, **options: write_legacy(path, *args, **options),
    )  # fmt: skip
