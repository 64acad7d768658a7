"""The pitch methods that are compared: ours, and beside them the original implementations.

Each is made by a function without arguments and then called with audio, float32 (n,) at 16 kHz; it
gives F0, (n // 160 + 1,) in Hz, 0 = unvoiced, frame i at i * 10 ms, looked for within `RANGE_HZ`,
with the threshold and the filters that RVC gives it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from importlib.metadata import entry_points

import numpy as np

from . import originals
from .originals import RANGE_HZ, RATE

ORIGINAL = " (original)"
DITHERED = " (original, dithered)"
AS_RVC_PLACES_IT = " (original, as RVC places it)"

Method = Callable[[np.ndarray], np.ndarray]
Maker = Callable[[], Method]

OURS = {
    "harvest": "mlx_f0.world:Harvest",
    "dio": "mlx_f0.world:Dio",
    "pm": "mlx_f0.praat:Praat",
    "fcpe": "mlx_fcpe:FCPE",
    "crepe-tiny": "mlx_crepe:CREPETiny",
    "crepe": "mlx_crepe:CREPE",
    "swift-f0": "mlx_swift_f0:SwiftF0",
    "rmvpe": "mlx_rmvpe:RMVPE",
}
HYBRIDS = (
    "hybrid[fcpe+swift-f0+pm]",
    "hybrid[fcpe+swift-f0+crepe-tiny]",
    "hybrid[harvest+dio+pm]",
)
ORIGINALS: dict[str, Maker] = {
    "harvest": originals.harvest,
    "dio": originals.dio,
    "pm": originals.praat,
    "fcpe": originals.torchfcpe,
    "crepe-tiny": originals.crepe("tiny"),
    "crepe": originals.crepe("full"),
    "swift-f0": originals.swift_f0,
}
BESIDE: dict[str, Maker] = {
    "crepe-tiny" + DITHERED: originals.crepe("tiny", dither=True),
    "pm" + AS_RVC_PLACES_IT: originals.praat_as_rvc_places_it,
}
"""For the record: what the originals do that ours do not, on purpose."""

FETCHED = ("rmvpe",)
"""Their weights are fetched: where they cannot be, the method is named and left out."""

HEAVY = ("crepe", "crepe" + ORIGINAL, "crepe-tiny" + DITHERED)
"""Slower than real time on one core, or beside the point: these hear a sub-sample only."""


def available() -> dict[str, Maker]:
    """How to make each method but the hybrids, by name, ours and original side by side.

    A plug-in that is installed (entry points `mlx_f0.methods`) stands among ours.
    """
    places = dict(OURS)
    for point in entry_points(group="mlx_f0.methods"):
        places.setdefault(point.name, point.value)
    makers: dict[str, Maker] = {}
    for name, place in places.items():
        makers[name] = _ours(place)
        if name in ORIGINALS:
            makers[name + ORIGINAL] = ORIGINALS[name]
        makers |= {beside: BESIDE[beside] for beside in BESIDE if beside.startswith(name + " (")}
    return makers


def parts(hybrid: str) -> list[str]:
    """The names within `hybrid[a+b]`."""
    return hybrid.removeprefix("hybrid[").removesuffix("]").split("+")


def combined(curves: Iterable[np.ndarray]) -> np.ndarray:
    """What a hybrid makes of its parts' curves of one recording; nothing is tracked again."""
    from mlx_f0.hybrid import combine

    return combine(np.stack(list(curves)))


def hybrid(name: str) -> Maker:
    """How to make a hybrid of ours that tracks by itself, for its time."""
    places = [OURS[part] for part in parts(name)]

    def make() -> Method:
        from mlx_f0.hybrid import Hybrid

        model = Hybrid([_loaded(place) for place in places])
        low, high = RANGE_HZ
        return lambda audio: model.infer_from_audio(audio, RATE, f0_min=low, f0_max=high)

    return make


def _loaded(place: str):
    module, _, name = place.partition(":")
    return getattr(import_module(module), name).from_pretrained()


def _ours(place: str) -> Maker:
    def make() -> Method:
        model = _loaded(place)
        low, high = RANGE_HZ
        return lambda audio: model.infer_from_audio(audio, RATE, f0_min=low, f0_max=high)

    return make
