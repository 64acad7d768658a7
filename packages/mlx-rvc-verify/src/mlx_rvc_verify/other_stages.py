"""Content encoder, RMVPE and index side by side."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlx_rvc_verify import torch_rmvpe
from mlx_rvc_verify.beside import module
from mlx_rvc_verify.timing import timed
from mlx_rvc_verify.verdict import BARS, Result, judge, not_compared

if TYPE_CHECKING:
    from mlx_contentvec import ContentvecModel
    from mlx_rmvpe import RMVPE
    from mlx_rvc_verify.torch_encoder import TorchEncoder

THRESHOLD = 0.03
"""Salience above which a frame is voiced, as in RVC."""

NEIGHBOURS = 8
"""How many RVC mixes in."""


def compare_content(
    ours: ContentvecModel,
    theirs: TorchEncoder,
    audio: np.ndarray,
    *,
    layer: int | None = None,
    project: bool = False,
    warm: bool = True,
) -> Result:
    """Compare features of audio (n,) at 16 kHz: of a layer, None for the last, or projected.

    warm: run each side twice and give the time of the second; so in the other comparisons.
    """
    found, mlx_s = timed(
        lambda: np.asarray(ours.extract(audio, layer=layer, project=project)), warm=warm
    )
    expected, torch_s = timed(lambda: theirs.extract(audio, layer, project), warm=warm)
    return judge("content", found, expected, seconds=(mlx_s, torch_s))


def compare_rmvpe(
    ours: RMVPE,
    theirs: Any,
    audio: np.ndarray,
    *,
    stages: Collection[str] = ("rmvpe", "rmvpe-f0"),
    warm: bool = True,
) -> list[Result]:
    """Compare salience of audio (n,) at 16 kHz, and the F0 that each side decodes from its own.

    theirs: `torch_rmvpe.estimator`.
    """
    from mlx_rmvpe import decode

    found, mlx_s = timed(lambda: np.asarray(ours.salience(audio)), warm=warm)
    expected, torch_s = timed(lambda: torch_rmvpe.salience(theirs, audio)[0], warm=warm)
    rows = [judge("rmvpe", found, expected, seconds=(mlx_s, torch_s))]
    f0, mlx_s = timed(lambda: np.asarray(decode(found, threshold=THRESHOLD)))
    wanted, torch_s = timed(lambda: np.asarray(theirs.decode(expected, thred=THRESHOLD)))
    # A peak at the threshold itself may fall on either side by rounding.
    clear = np.abs(expected.max(axis=-1) - THRESHOLD) > BARS["rmvpe"].error
    rows.append(judge_f0(f0, wanted, clear, seconds=(mlx_s, torch_s)))
    return [row for row in rows if row.stage in stages]


def judge_f0(
    ours: np.ndarray,
    theirs: np.ndarray,
    clear: np.ndarray,
    *,
    seconds: tuple[float, float] | None = None,
) -> Result:
    """Compare F0 (frames,) in Hz, 0 = unvoiced, its error in cents.

    clear: (frames,), where both sides must agree on what is voiced.
    """
    voiced = (ours > 0) & (theirs > 0)
    if not (theirs > 0).any():
        return not_compared("rmvpe-f0", "no frame of this audio is voiced: give a recording")
    other = int(((ours > 0) != (theirs > 0))[clear].sum())
    cents = 1200 * np.log2(ours[voiced] / theirs[voiced])
    return judge(
        "rmvpe-f0",
        ours,
        theirs,
        seconds=seconds,
        error=float(np.abs(cents).max(initial=0.0)),
        faults=[f"{other} frames voiced on one side only"] if other else [],
    )


def compare_index(path: Path, features: np.ndarray) -> Result:
    """Compare the neighbours of features (n, width) in an index file with faiss' own search.

    Compared are the squared distances (n, 8); the neighbours must be the same but where two lie
    equally far.
    """
    from mlx_rvc_index import FeatureIndex

    faiss = module("faiss")
    try:
        theirs = faiss.read_index(str(path))
    except RuntimeError:
        return not_compared("index", f"faiss cannot read {path.name}; give the .index file")
    ours = FeatureIndex.load(path)
    k = min(NEIGHBOURS, ours.ntotal)
    (found, found_ids), mlx_s = timed(lambda: ours.search(features, k))
    (expected, ids), torch_s = timed(lambda: theirs.search(np.ascontiguousarray(features), k))
    present = ids >= 0
    near = BARS["index"].error * np.maximum(expected, 1e-30)
    apart = np.diff(expected, axis=-1) > near[:, 1:]
    edge = np.ones((len(ids), 1), bool)
    # Alone at its distance: apart from the neighbour before and after; the last one may tie with
    # one that is not listed.
    alone = np.hstack([edge, apart]) & np.hstack([apart, ~edge])
    other = int(((found_ids != ids) & alone).sum() + ((found_ids >= 0) != present).sum())
    return judge(
        "index",
        np.where(present, found, 0),
        np.where(present, expected, 0),
        seconds=(mlx_s, torch_s),
        faults=[f"{other} neighbours are not those of faiss"] if other else [],
    )
