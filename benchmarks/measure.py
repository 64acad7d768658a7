"""Times of two sides that take turns, so that a slow moment of the machine hits both."""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from clip import Clip
from machine import Watch

Run = Callable[..., np.ndarray]

WARM_UP = 5.0  # seconds of audio at most that a warm-up gets
LONG = 60.0  # from here on the warm-up is that short
REPEATS = ((60, 5), (300, 3), (float("inf"), 2))  # below that many seconds, so many runs
SIDES = ("ours", "other")
CHECK = 1.7  # seconds on which the results of whole conversions are compared


def repeats_for(seconds: float, asked: int | None) -> int:
    """Runs of each side: what was asked for, or fewer the longer the audio is."""
    return asked or next(count for below, count in REPEATS if seconds < below)


def in_pieces(run: Run, seconds: float | None) -> Run:
    """The same function on consecutive pieces of the clip, its results joined in time."""
    if seconds is None:
        return run

    def pieces(clip: Clip) -> np.ndarray:
        return np.concatenate([run(piece) for piece in clip.pieces(seconds)], axis=1)

    return pieces


@contextmanager
def native_ops() -> Iterator[None]:
    """MLX's own operations wherever mlx_fastops has a choice."""
    from mlx_fastops import use_backend

    with use_backend("mlx"):
        yield


def native(run: Run) -> Run:
    """The same function with MLX's own operations."""

    def native_run(clip: Clip) -> np.ndarray:
        with native_ops():
            return run(clip)

    return native_run


def compare(
    ours: Run, other: Run, clip: Clip, warm_up: Clip, repeats: int, *, warm: tuple[str, ...] = SIDES
) -> dict:
    """Times both sides, ours first, each after a warm-up; seconds of every run and what they gave.

    warm: the sides that get a warm-up. MLX's native ops need none.
    """
    times: dict[str, list[float]] = {"ours": [], "other": []}
    results: dict[str, np.ndarray] = {}
    sides = {"ours": ours, "other": other}
    for name, run in sides.items():
        if name in warm:
            run(warm_up)
    with Watch() as watch:
        for _ in range(repeats):
            for name, run in sides.items():
                gc.collect()
                start = time.perf_counter()
                results[name] = run(clip)
                times[name].append(time.perf_counter() - start)
    return {
        "times": times,
        "repeats": repeats,
        "warm_up_seconds": warm_up.seconds,
        "load": watch.load,
        "difference": difference(results["ours"], results["other"]),
    }


def conversions_differ(ours: Run, other: Run, clip: Clip) -> float:
    """The difference of whole conversions without the envelope, on a clip short enough.

    rvc-next's output is 5 to 25 ms short, from which its loudness curve gets out of step with ours
    at most lengths; and it loses that much at every cut of a long recording.
    """
    return difference(ours(clip, rms_mix_rate=1.0), other(clip, rms_mix_rate=1.0))


def difference(ours: np.ndarray, other: np.ndarray) -> float:
    """RMS of the difference over RMS of the other side's result, as far as both go."""
    ours, other = (np.asarray(x, np.float64).squeeze() for x in (ours, other))
    length = min(len(ours), len(other))
    ours, other = ours[:length], other[:length]
    return float(np.sqrt(((ours - other) ** 2).mean() / (other**2).mean()))
