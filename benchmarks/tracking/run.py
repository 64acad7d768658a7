"""Running methods over recordings: curves that outlive a broken run, and the time they take."""

from __future__ import annotations

import gc
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from .methods import ORIGINAL, Maker, Method
from .originals import RATE, STEP

SAVE_S = 30.0
REPEATS, FEWEST_REPEATS, ENOUGH_S = 7, 3, 20.0


class Curves:
    """The curves of one folder's methods, one file for each method.

    digest: of the recordings; a file that was made from others is not used.
    """

    def __init__(self, folder: Path, digest: str) -> None:
        self.folder, self.digest = folder, digest
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, method: str) -> Path:
        """The file of a method."""
        return self.folder / f"{''.join(c if c.isalnum() else '-' for c in method)}.npz"

    def read(self, method: str, lengths: Sequence[int]) -> list[np.ndarray]:
        """The curves that are there already, of recordings with these numbers of frames."""
        if not self.path(method).exists():
            return []
        with np.load(self.path(method)) as stored:
            if str(stored["digest"]) != self.digest:
                return []
            joined = stored["f0_hz"]
        ends = np.cumsum(lengths)
        ends = ends[ends <= len(joined)]
        return np.split(joined, ends)[: len(ends)]

    def write(self, method: str, curves: list[np.ndarray]) -> None:
        """Keep what a method has found so far; the old file stays until the new one is whole."""
        joined = np.concatenate(curves) if curves else np.zeros(0, np.float32)
        part = self.path(method).with_suffix(".part.npz")
        np.savez(part, digest=self.digest, f0_hz=joined)
        part.replace(self.path(method))

    def measure(
        self, method: str, make: Maker, recordings: Sequence[np.ndarray]
    ) -> list[np.ndarray]:
        """F0 of every recording, float32 (n // 160 + 1,), going on where a run was broken off.

        Raises:
            ValueError: the method gives another number of frames, or what is no frequency.
        """
        lengths = [len(audio) // STEP + 1 for audio in recordings]
        curves = self.read(method, lengths)
        if len(curves) == len(recordings):
            return curves
        run, saved = make(), time.monotonic()
        for audio in recordings[len(curves) :]:
            curve = np.asarray(run(audio), np.float32)
            if curve.shape != (len(audio) // STEP + 1,):
                raise ValueError(f"{method} gave {curve.shape}; expected {len(audio) // STEP + 1}")
            if not np.isfinite(curve).all() or (curve < 0).any():
                raise ValueError(f"{method} gave F0 that is no frequency; expected 0 or Hz")
            curves.append(curve)
            if time.monotonic() - saved > SAVE_S:
                self.write(method, curves)
                saved = time.monotonic()
        self.write(method, curves)
        return curves


class Times:
    """Seconds that each method takes for a second of a clip, in a file beside the curves."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found: dict[str, dict] = json.loads(path.read_text()) if path.exists() else {}

    def measure(self, makers: dict[str, Maker], audio: np.ndarray) -> None:
        """Time methods in turns, so that a slow moment of the machine hits all of them.

        Each runs once before; then seven times, or as often as takes 20 s, but three times.
        """
        if set(makers) <= set(self.found):
            return
        runs = {name: make() for name, make in makers.items()}
        for run in runs.values():
            run(audio[:RATE])
        seconds = len(audio) / RATE
        found: dict[str, dict] = {
            name: {"wall": [], "processor": [], "clip_s": seconds} for name in runs
        }
        spent, rounds = 0.0, 0
        while rounds < FEWEST_REPEATS or (rounds < REPEATS and spent < ENOUGH_S * len(runs)):
            for name, run in runs.items():
                wall, processor = _timed(run, audio)
                found[name]["wall"].append(wall / seconds)
                found[name]["processor"].append(processor / seconds)
                spent += wall
            rounds += 1
        self.found |= found
        self.path.write_text(json.dumps(self.found, indent=1) + "\n")

    def factors(self, method: str) -> dict[str, float] | None:
        """Seconds for a second of audio: median, lowest, highest, and of the processor's time."""
        if method not in self.found:
            return None
        wall, processor = (self.found[method][key] for key in ("wall", "processor"))
        return {
            "median": statistics.median(wall),
            "low": min(wall),
            "high": max(wall),
            "processor": statistics.median(processor),
            "runs": len(wall),
            "clip_s": self.found[method]["clip_s"],
        }

    def ratio(self, method: str) -> list[float] | None:
        """The original's processor time over ours: median, lowest, highest of the pairs."""
        pair = (self.found.get(method), self.found.get(method + ORIGINAL))
        if pair[0] is None or pair[1] is None:
            return None
        ratios = [b / a for a, b in zip(pair[0]["processor"], pair[1]["processor"], strict=True)]
        return [statistics.median(ratios), min(ratios), max(ratios)]


def _timed(run: Callable[[np.ndarray], np.ndarray] | Method, audio: np.ndarray):
    gc.collect()
    wall, processor = time.perf_counter(), time.process_time()
    run(audio)
    return time.perf_counter() - wall, time.process_time() - processor
