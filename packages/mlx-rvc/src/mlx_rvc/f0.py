"""F0 of the padded recording as the settings ask for it.

    method -> gaps filled -> shifted -> F0 file in its place

Source of the order: RVC-WebUI, `infer/modules/vc/pipeline.py` (`get_f0`), which fills no gaps.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlx_rvc import chunks
from mlx_rvc.options import ConversionOptions
from mlx_rvc.track import Samples

if TYPE_CHECKING:
    from mlx_f0 import F0Method
    from mlx_rmvpe import RMVPE


@dataclass(frozen=True)
class Curve:
    """F0 over the padded recording, 100 frames a second.

    hz: float32 (frames,), 0 = unvoiced unless gaps are filled.
    voiced: bool (frames,), the verdict of the method, or of the F0 file, on each frame.
    outside: frames of the recording itself whose pitch RVC voices cannot tell from others.
    """

    hz: np.ndarray
    voiced: np.ndarray
    outside: int


class Methods:
    """The F0 methods of a pipeline, each loaded when it is first asked for.

    rmvpe: weights of RMVPE, RMVPE itself, or None for the usual ones.
    """

    def __init__(self, rmvpe: str | os.PathLike[str] | RMVPE | None) -> None:
        self._loaded: dict[str, F0Method] = {}
        self._rmvpe_source = None
        if rmvpe is None or isinstance(rmvpe, str | os.PathLike):
            self._rmvpe_source = rmvpe
        else:
            self._loaded["rmvpe"] = rmvpe

    def get(self, wanted: str | F0Method) -> F0Method:
        """A method by its name, also `hybrid[a+b]`; an object is itself.

        Raises ValueError when a name is unknown or weights cannot be had; it names the methods
        that work offline.
        """
        if not isinstance(wanted, str):
            return wanted
        from mlx_f0 import Hybrid, load, parts

        names = parts(wanted)
        for name in names:
            if name not in self._loaded:
                self._loaded[name] = load(name, self._rmvpe_source if name == "rmvpe" else None)
        if len(names) == 1:
            return self._loaded[names[0]]
        return Hybrid([self._loaded[name] for name in names])


def estimate(
    method: F0Method, padded: Samples, options: ConversionOptions, progress: Callable[[float], None]
) -> Curve:
    """The curve of a padded recording; the method's and the file's errors are ValueErrors.

    progress: called with the share that is done. With `options.save_f0` the curve of the
    recording itself, as the voice gets it, is written there.
    """
    from mlx_f0 import F0Settings, fill_unvoiced, outside_voice_range, override, read_table

    settings = F0Settings(
        f0_min=options.f0_min, f0_max=options.f0_max, filter_radius=options.filter_radius
    )
    hz = settings.from_reader(
        method,
        lambda start, stop: padded[start:stop],
        len(padded),
        lambda done, total: progress(done / total),
    )[: len(padded) // chunks.HOP]
    voiced = hz > 0
    if options.unvoiced == "interp":
        hz = fill_unvoiced(hz)
    hz = shift(hz, options.pitch)
    inside = slice(chunks.PAD // chunks.HOP, (len(padded) - chunks.PAD) // chunks.HOP + 1)
    if options.f0_file is not None:
        times, wanted = read_table(options.f0_file)
        hz[inside] = override(hz[inside], times, wanted)
        voiced[inside] = override(voiced[inside], times, wanted) > 0
    if options.save_f0 is not None:
        _save(options.save_f0, hz[inside])
    return Curve(hz, voiced, outside_voice_range(hz[inside]))


def shift(f0_hz: np.ndarray, semitones: float) -> np.ndarray:
    """Transpose F0 (frames,) in Hz; unvoiced frames stay 0."""
    return (f0_hz * 2.0 ** (semitones / 12)).astype(np.float32)


def check_files(options: ConversionOptions) -> None:
    """Refuse an F0 file that cannot be read, or a place where none can be written, before any work.

    Raises ValueError or OSError.
    """
    if options.f0_file is not None:
        from mlx_f0 import read_table

        read_table(options.f0_file)
    if options.save_f0 is not None:
        from mlx_rvc_cli.files import check_folder

        check_folder(options.save_f0)


def _save(path: str | os.PathLike[str], f0_hz: np.ndarray) -> None:
    from mlx_f0 import write_table
    from mlx_rvc_cli.files import atomic_path

    with atomic_path(path) as temporary:
        write_table(temporary, f0_hz)
