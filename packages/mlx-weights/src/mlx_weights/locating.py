"""`locate`: from what a user gave (a file, a folder, a repository, nothing) to a file."""

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mlx_weights.errors import WeightsError
from mlx_weights.hub import HubFile, fetch, fetch_first

_REPOSITORY = re.compile(
    r"(?P<repo>[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(@(?P<revision>[\w./-]+))?"
)
# "voices/mine.pth" looks like owner/name too; with such an ending it can only be a missing file.
_FILE_ENDINGS = (".pt", ".pth", ".bin", ".ckpt", ".safetensors", ".npz", ".onnx", ".index", ".zip")


def locate(
    source: str | os.PathLike[str] | None,
    *,
    default: HubFile,
    env: str | None,
    option: str,
    filenames: Sequence[str],
) -> Path:
    """Give the path of the weights file that `source` means.

    `source` is a file; a folder (the first of `filenames` in it); "owner/name" or
    "owner/name@revision" on the hub, unless such a path exists (the first of `filenames` it has,
    and the default's companions beside it); or None: what the environment variable `env` (if any)
    says, else `default`, checked by its SHA-256. `option` is how a user of a command would give it;
    it only appears in errors.

    Raises WeightsError, naming the file, where it comes from and where to put it.
    """
    given_by = option
    where = option if env is None else f"{option} or {env}"
    if source is None and env is not None and os.environ.get(env):
        source, given_by = os.environ[env], f"the environment variable {env}"
    if source is None:
        name = Path(default.filename).name
        beside = f" (beside it {', '.join(default.companions)})" if default.companions else ""
        advice = f"fetch {name}{beside} by other means and give its path with {where}"
        return fetch(default, advice)
    path = Path(source).expanduser()
    if path.is_file():
        return path
    if path.is_dir():
        return _in_folder(path, filenames, given_by)
    match = _REPOSITORY.fullmatch(source) if isinstance(source, str) else None
    if match is None or path.name.lower().endswith(_FILE_ENDINGS):
        raise WeightsError(
            f"{path} (given by {given_by}) does not exist; a file, a folder with "
            f"{' or '.join(filenames)}, or a hub repository owner/name is expected"
        )
    wanted = replace(default, repo=match["repo"], revision=match["revision"] or "main", sha256=None)
    advice = f"give a file or a folder that exists with {where}"
    return fetch_first(wanted, tuple(filenames), advice)


def _in_folder(folder: Path, filenames: Sequence[str], given_by: str) -> Path:
    for name in filenames:
        if (folder / name).is_file():
            return folder / name
    raise WeightsError(
        f"the folder {folder} (given by {given_by}) has none of {', '.join(filenames)}; put one of "
        "them there, or give the file itself"
    )
