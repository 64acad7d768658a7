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
    from mlx_contentvec import known, loading
    from mlx_rvc.encoder import DEFAULT, encoder_name

    if source is None and embedder == mlx_rvc_demo.NAME:
        source = str(mlx_rvc_demo.bundle().encoder)
    by_name = source is None or not Path(source).expanduser().exists()
    name = encoder_name(embedder) if source is None else source
    if by_name and not (name == DEFAULT and os.environ.get(loading.ENV)):
        found = known.find(name)
        if found is not None:
            return _cached(found.file)
        if source is None:
            return None, f"the voice needs the encoder {embedder!r}: give it with --contentvec"
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
