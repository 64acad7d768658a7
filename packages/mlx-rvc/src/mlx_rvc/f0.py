"""F0 of the padded recording as the settings ask for it.

    method -> shifted -> tuned -> gaps filled -> F0 file in its place

Source of the order: RVC-WebUI, `infer/modules/vc/pipeline.py` (`get_f0`), which neither tunes nor
fills gaps.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlx_rvc import chunks
from mlx_rvc.auto_pitch import shift_to
from mlx_rvc.autotune import tune
from mlx_rvc.options import ConversionOptions
from mlx_rvc.track import Excerpt, Samples

if TYPE_CHECKING:
    from mlx_f0 import F0Method
    from mlx_rmvpe import RMVPE


@dataclass(frozen=True)
class Curve:
    """F0 over the padded recording, 100 frames a second.

    hz: float32 (frames,), 0 = unvoiced unless gaps are filled.
    voiced: bool (frames,), the verdict of the method, or of the F0 file, on each frame.
    inside: the frames of the recording itself.
    auto_shift: semitones that auto pitch chose; None where it was not asked for.
    """

    hz: np.ndarray
    voiced: np.ndarray
    inside: slice
    auto_shift: float | None = None

    @property
    def recording(self) -> np.ndarray:
        """F0 of the recording itself (frames,)."""
        return self.hz[self.inside]

    @property
    def outside(self) -> int:
        """Frames of the recording itself whose pitch RVC voices cannot tell from others."""
        from mlx_f0 import outside_voice_range

        return outside_voice_range(self.recording)


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
    method: F0Method,
    padded: Samples,
    options: ConversionOptions,
    progress: Callable[[float], None],
    *,
    target_hz: float | None = None,
    stretches: Sequence[tuple[int, int]] | None = None,
) -> Curve:
    """The curve of a padded recording; the method's and the file's errors are ValueErrors.

    progress: called with the share that is done. target_hz: the median that auto pitch is after.
    stretches: (start, stop) of the recording, in samples, outside of which F0 is 0 unheard.
    """
    from mlx_f0 import fill_unvoiced, override, read_table

    if stretches is None:
        stretches = [(0, len(padded) - 2 * chunks.PAD)]
    hz = _measured(method, padded, options, stretches, progress)
    voiced = hz > 0
    inside = slice(chunks.PAD // chunks.HOP, (len(padded) - chunks.PAD) // chunks.HOP + 1)
    auto_shift = None
    if target_hz is not None:
        auto_shift = shift_to(hz[inside], target_hz, options.auto_pitch_step)
    hz = shift(hz, options.pitch + (auto_shift or 0))
    if options.autotune:
        hz = tune(hz, options.autotune, options.autotune_scale)
    if options.unvoiced == "interp":
        hz = fill_unvoiced(hz)
    if options.f0_file is not None:
        times, wanted = read_table(options.f0_file)
        hz[inside] = override(hz[inside], times, wanted)
        voiced[inside] = override(voiced[inside], times, wanted) > 0
    return Curve(hz, voiced, inside, auto_shift)


def _measured(
    method: F0Method,
    padded: Samples,
    options: ConversionOptions,
    stretches: Sequence[tuple[int, int]],
    progress: Callable[[float], None],
) -> np.ndarray:
    """What the method hears in each stretch with its context, (frames,) over all of `padded`."""
    from mlx_f0 import F0Settings

    settings = F0Settings(
        f0_min=options.f0_min, f0_max=options.f0_max, filter_radius=options.filter_radius
    )
    hz = np.zeros(len(padded) // chunks.HOP, np.float32)
    everything = sum(stop - start for start, stop in stretches)
    before = 0
    for start, stop in stretches:
        excerpt = Excerpt(padded, start, stop + 2 * chunks.PAD)
        share = (stop - start) / everything
        curve = settings.from_reader(
            method,
            lambda first, last, excerpt=excerpt: excerpt[first:last],
            len(excerpt),
            lambda done, total, share=share, before=before: progress(
                before / everything + share * done / total
            ),
        )[: len(excerpt) // chunks.HOP]
        first = start // chunks.HOP
        hz[first : first + len(curve)] = curve
        before += stop - start
    return hz


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


@contextmanager
def saved(options: ConversionOptions, curves: Sequence[Curve]) -> Iterator[None]:
    """Write the F0 that the voice got, if asked for, at the end of a `with` block that succeeds."""
    if options.save_f0 is None:
        yield
        return
    from mlx_f0 import write_table
    from mlx_rvc_cli.files import atomic_path

    with atomic_path(options.save_f0) as temporary:
        write_table(temporary, np.concatenate([curve.recording for curve in curves]))
        yield
