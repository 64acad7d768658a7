"""`export --push`: its options, what is asked before anything is read, and the sending itself."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import numpy as np

    from mlx_weights import Target

    from .voicefile import VoiceFile

_PANEL = "Sharing on the hub"
RIGHTS_FLAG = "--yes-i-have-the-rights"

PushOption = Annotated[
    str | None,
    typer.Option(
        "--push",
        metavar="OWNER/NAME",
        help="Send the voice to this repository, as a folder with a model card; private unless "
        "--public.",
        rich_help_panel=_PANEL,
    ),
]
PublicOption = Annotated[
    bool, typer.Option("--public", help="Let everybody see it.", rich_help_panel=_PANEL)
]
OverwriteOption = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        help="Replace config.json, model.safetensors and README.md of a repository that has files.",
        rich_help_panel=_PANEL,
    ),
]
LicenseOption = Annotated[
    str | None,
    typer.Option(
        "--license",
        metavar="ID",
        help="The voice's licence as the hub names it (cc-by-4.0, openrail) [default: unknown].",
        rich_help_panel=_PANEL,
    ),
]
TokenOption = Annotated[
    str | None,
    typer.Option(
        "--token",
        help="A token that may write; HF_TOKEN or hf auth login keep it from other users.",
        rich_help_panel=_PANEL,
    ),
]
RightsOption = Annotated[
    bool,
    typer.Option(
        RIGHTS_FLAG,
        help="You have the right to share this voice; without this a question asks.",
        rich_help_panel=_PANEL,
    ),
]


@dataclass(frozen=True)
class PushRequest:
    """What a user asked for with `--push`; `send` does it."""

    repo: str
    license: str
    target: Target

    def send(
        self,
        voice: VoiceFile,
        *,
        dtype: str,
        index_vectors: np.ndarray | None,
        quiet: bool,
    ) -> dict[str, Any]:
        """Write the voice to a folder of its own, push it, and say what was pushed.

        The folder is gone afterwards, however it ends. Raises ValueError.
        """
        from mlx_weights import push_folder

        from .sharing import write_shared

        with tempfile.TemporaryDirectory(prefix="mlx-rvc-push-") as name:
            folder = Path(name) / "voice"
            sums = write_shared(
                voice,
                folder,
                repo=self.repo,
                license=self.license,
                dtype=dtype,
                index_vectors=index_vectors,
                assured=True,
            )
            size = (folder / "model.safetensors").stat().st_size
            bars = not quiet and sys.stderr.isatty()
            pushed = push_folder(folder, self.target, message="Voice for MLX", bars=bars)
        return {
            "repository": pushed.repo,
            "url": pushed.url,
            "private": not pushed.public,
            "commit": pushed.commit,
            "changed": pushed.changed,
            "license": self.license,
            "sha256": sums,
            "bytes": size,
        }


def push_request(
    repo: str | None,
    *,
    public: bool,
    overwrite: bool,
    license: str | None,
    token: str | None,
    assured: bool,
) -> PushRequest | None:
    """Check the options, ask the user about the rights and the hub about the repository.

    None without `--push`. Raises ValueError, or typer.BadParameter for options that need it.
    """
    given = {
        "--public": public,
        "--overwrite": overwrite,
        "--license": license is not None,
        "--token": token is not None,
        RIGHTS_FLAG: assured,
    }
    if repo is None:
        if alone := [name for name, value in given.items() if value]:
            raise typer.BadParameter(f"{alone[0]} goes with --push OWNER/NAME; give both")
        return None
    from mlx_weights import check_target
    from mlx_weights.publishing import check_name

    from .sharing import UNKNOWN_LICENSE, check_license, confirm_rights

    check_name(repo)
    license = UNKNOWN_LICENSE if license is None else license
    check_license(license)
    confirm_rights(assured, RIGHTS_FLAG)
    target = check_target(repo, public=public, overwrite=overwrite, token=token)
    return PushRequest(repo, license, target)


def sentence(pushed: dict[str, Any]) -> str:
    """What people read of what `PushRequest.send` gives."""
    from .describing import megabytes

    what = megabytes(pushed["bytes"]) if pushed["changed"] else "nothing had changed"
    seen = "private" if pushed["private"] else "public"
    return f"{pushed['url']}: {what}, {seen}, licence {pushed['license']}"
