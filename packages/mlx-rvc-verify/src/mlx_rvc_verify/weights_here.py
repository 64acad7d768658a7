"""Which weights are on this machine: nothing is fetched for a comparison."""

from __future__ import annotations

import os
from pathlib import Path

FETCH = "weights not here: mlx-rvc weights fetch"


def encoder(embedder: str | None, source: str | None) -> tuple[Path | None, str]:
    """The file of a voice's content encoder, or None and why not.

    embedder: the voice's own word for it. source: the user's choice, which goes first.
    """
    import mlx_rvc_demo
    import mlx_weights
    from mlx_contentvec import loading
    from mlx_rvc.encoder import DEFAULT

    if source is None and embedder == mlx_rvc_demo.NAME:
        source = str(mlx_rvc_demo.bundle().encoder)
    if source is None and embedder not in (None, "", DEFAULT):
        return None, f"the voice needs the encoder {embedder!r}: give it with --contentvec"
    if source is None and not os.environ.get(loading.ENV):
        return _cached(loading.DEFAULT)
    path = mlx_weights.locate(
        source,
        default=loading.DEFAULT,
        env=loading.ENV,
        option=loading.OPTION,
        filenames=loading.FILENAMES,
    )
    return path, ""


def rmvpe(source: str | None) -> tuple[Path | None, str]:
    """The file of RMVPE, in the layout that PyTorch's side reads, or None and why not."""
    import mlx_weights
    from mlx_rmvpe import rmvpe

    if source is None and not os.environ.get(rmvpe.ENVIRONMENT_VARIABLE):
        return _cached(rmvpe.DEFAULT_WEIGHTS)
    path = mlx_weights.locate(
        source,
        default=rmvpe.DEFAULT_WEIGHTS,
        env=rmvpe.ENVIRONMENT_VARIABLE,
        option="--rmvpe",
        filenames=("rmvpe.pt", *rmvpe.FILE_NAMES),
    )
    if path.suffix == ".safetensors":
        return None, f"PyTorch's RMVPE reads rmvpe.pt only, not {path.name}: give it with --rmvpe"
    return path, ""


def _cached(file: object) -> tuple[Path | None, str]:
    from mlx_weights.hub import HubFile, cached

    assert isinstance(file, HubFile)
    path = cached(file)
    return (None, FETCH) if path is None else (path, "")
