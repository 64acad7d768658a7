"""A truth for recordings that have none: what independent trackers agree on.

A method is judged by the others, never by itself nor by one of its kind. A frame counts where all
but at most one of them say the same: unvoiced, or voiced within 50 cents of their median. Where
they dispute there is no truth, and the frame is left out.
"""

from __future__ import annotations

import numpy as np

from .methods import ORIGINAL
from .scores import TOLERANCE_CENTS, scores

PANEL = ("harvest", "pm", "fcpe", "crepe-tiny", "swift-f0")
"""One of each kind; the original implementations, where they were measured."""
FEWEST = 3


def kind(method: str) -> str:
    """What a method is a variant of: its own name, without size, hybrid or implementation."""
    name = method.split(" (", maxsplit=1)[0]
    return {"dio": "harvest", "crepe": "crepe-tiny"}.get(name, name)


def agreed(curves: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of curves (methods, frames) in Hz: F0 (frames,), 0 = unvoiced, and which frames count."""
    curves = np.asarray(curves, np.float64)
    most = len(curves) - 1
    voiced = curves > 0
    cents = np.where(voiced, 1200 * np.log2(np.where(voiced, curves, 1.0)), np.nan)
    middle = np.zeros(curves.shape[1])
    heard = voiced.any(axis=0)
    middle[heard] = np.nanmedian(cents[:, heard], axis=0)
    near = voiced & (np.abs(np.where(voiced, cents, np.inf) - middle) <= TOLERANCE_CENTS)
    is_voiced = near.sum(axis=0) >= most
    is_unvoiced = (~voiced).sum(axis=0) >= most
    return np.where(is_voiced, 2 ** (middle / 1200), 0.0), is_voiced | is_unvoiced


def judged(method: str, curves: dict[str, list[np.ndarray]]) -> dict[str, float] | None:
    """Scores of a method by the others, and the share of frames that counted, in percent.

    curves: by method, one curve a recording. None for a hybrid, whose parts would judge
    themselves, or where fewer than three others were measured or they agree on no voiced frame.
    """
    if method.startswith("hybrid["):
        return None
    others = [
        curves.get(name + ORIGINAL, curves.get(name)) for name in PANEL if name != kind(method)
    ]
    others = [found for found in others if found is not None]
    if len(others) < FEWEST:
        return None
    truths, found, counted = [], [], []
    for number, curve in enumerate(curves[method]):
        truth, counts = agreed(np.stack([other[number] for other in others]))
        truths.append(truth[counts])
        found.append(curve[counts])
        counted.append(counts)
    truth = np.concatenate(truths)
    if not truth.any():
        return None
    share = 100 * float(np.concatenate(counted).mean())
    return {**scores(truth, np.concatenate(found)), "counted": share}
