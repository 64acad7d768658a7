"""Accuracy and speed of every pitch method, ours and the originals, where the F0 is known exactly.

    python benchmarks/pitch.py --quick --out FOLDER     # a sample, some minutes: for every night
    python benchmarks/pitch.py --out FOLDER             # all of it: about 15 minutes of one core
    python benchmarks/pitch.py --out FOLDER --resume    # go on with a run that was broken off, or
                                                        # add methods to it
    python benchmarks/pitch.py --render FOLDER --into benchmarks/pitch.md
    python benchmarks/pitch.py --list                   # the methods

FOLDER gets pitch.json, pitch.md and pitch.png, and curves/ with what every method found. The exit
status is 1 where one of ours is not its original within 0.2 points in every measure of every
group, or where a method failed; what cannot be had (weights, a package) is named and left out.

Needs the environment of CONTRIBUTING.md ("Parity tests and golden files") with torchfcpe 0.0.4,
torchcrepe 0.0.24 (both --no-deps, with einops and tqdm), swift-f0, praat-parselmouth, mir_eval.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from pathlib import Path

import numpy as np
from tracking import methods, report
from tracking.agreement import judged
from tracking.conditions import RATE
from tracking.groups import HEARD_S, grouped, shortened, sub_sample
from tracking.methods import HEAVY, HYBRIDS, ORIGINAL, RANGE_HZ
from tracking.run import Curves, Times
from tracking.signals import Signal, digest, read_clip, signals

SINGING = ("vocadito_10", "vocadito_14")
SPEECH = ("librivox_austen_0870", "librivox_austen_0930")
TIMED_S, QUICK_S = 5.0, 3.0
"""Of the clip that is timed; in a sample, of that and of every real clip."""


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer and shorter signals")
    parser.add_argument("--methods", nargs="+", help="only these, with their originals")
    parser.add_argument("--out", type=Path, default=Path("benchmark"), help="folder for results")
    parser.add_argument("--resume", action="store_true", help="keep what FOLDER has")
    parser.add_argument("--render", type=Path, metavar="FOLDER", help="table and plot again")
    parser.add_argument("--into", type=Path, metavar="FILE", help="put them into a document")
    parser.add_argument("--list", action="store_true", help="name the methods and stop")
    return parser.parse_args(arguments)


def chosen(wanted: list[str] | None) -> list[str]:
    """Every method, or those that are wanted with their originals and what hybrids need.

    Raises:
        ValueError: one is unknown.
    """
    known = [*methods.available(), *HYBRIDS]
    if wanted is None:
        return known
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        raise ValueError(f"unknown {', '.join(unknown)}; known are {', '.join(known)}")
    names = set(wanted)
    names |= {part for name in wanted if name in HYBRIDS for part in methods.parts(name)}
    return [name for name in known if name.split(" (", maxsplit=1)[0] in names or name in names]


class Run:
    """One run's recordings, and what has been found of them."""

    def __init__(self, folder: Path, *, quick: bool) -> None:
        self.signals: list[Signal] = list(signals(quick=quick))
        self.picked = sub_sample(len(self.signals))
        self.sub_sample = [shortened(self.signals[i]) for i in self.picked]
        self.clips = {name: read_clip(name).astype(np.float32) for name in (*SINGING, *SPEECH)}
        seconds = QUICK_S if quick else TIMED_S
        self.timed = self.clips["vocadito_14"][: round(seconds * RATE)]
        if quick:
            self.clips = {name: clip[: len(self.timed)] for name, clip in self.clips.items()}
        self.folder = folder
        self.curves = Curves(folder / "curves", digest(self.signals))
        self.times = Times(folder / "times.json")
        self.found: dict[str, list[np.ndarray]] = {}  # of the signals, or of the sub-sample
        self.real: dict[str, dict[str, list[np.ndarray]]] = {"singing": {}, "speech": {}}
        self.missing: dict[str, str] = {}
        self.failed: dict[str, str] = {}

    def method(self, name: str, make) -> None:
        """Let one method hear everything; heavy ones the sub-sample and no real recording."""
        heard = self.sub_sample if name in HEAVY else self.signals
        recordings = [signal.audio for signal in heard]
        if name not in HEAVY:
            recordings += self.clips.values()
        curves = self.curves.measure(name, make, recordings)
        self._keep(name, curves, len(heard))

    def hybrid(self, name: str) -> None:
        """Join the curves of its parts."""
        parts = methods.parts(name)
        lacking = [part for part in parts if part not in self.found]
        if lacking:
            self.missing[name] = f"needs {', '.join(lacking)}"
            return
        real = [[*self.real["singing"][part], *self.real["speech"][part]] for part in parts]
        sung = [[*self.found[part], *more] for part, more in zip(parts, real, strict=True)]
        joined = [methods.combined(curves) for curves in zip(*sung, strict=True)]
        self._keep(name, joined, len(self.signals))

    def _keep(self, name: str, curves: list[np.ndarray], count: int) -> None:
        self.found[name], real = curves[:count], curves[count:]
        if real:
            self.real["singing"][name] = real[: len(SINGING)]
            self.real["speech"][name] = real[len(SINGING) :]

    def record(self, about: dict) -> dict:
        """Everything that is said of the methods, for pitch.json."""
        measured = {}
        for name, curves in self.found.items():
            part = curves if name in HEAVY else [curves[i] for i in self.picked]
            part = [curve[: len(s.f0_hz)] for curve, s in zip(part, self.sub_sample, strict=True)]
            measured[name] = {
                "scores": None if name in HEAVY else grouped(self.signals, curves),
                "sub_sample": grouped(self.sub_sample, part),
                "agreement": {
                    kind: judged(name, found) for kind, found in self.real.items() if name in found
                },
                "time": self.times.factors(name),
                "ratio": self.times.ratio(name),
            }
        about = {
            **about,
            "signals": len(self.signals),
            "seconds": sum(len(signal.audio) for signal in self.signals) / RATE,
            "sub_sample_signals": len(self.sub_sample),
            "sub_sample_seconds": sum(len(signal.audio) for signal in self.sub_sample) / RATE,
            "range_hz": RANGE_HZ,
        }
        return {
            "about": about,
            "methods": measured,
            "apart": report.apart(measured),
            "missing": self.missing,
            "failed": self.failed,
        }


def measure(options: argparse.Namespace, names: list[str]) -> dict:
    """Run everything, saving as it goes."""
    from tracking.machine import about, single_thread

    if not options.resume:
        shutil.rmtree(options.out / "curves", ignore_errors=True)
        (options.out / "times.json").unlink(missing_ok=True)
    single_thread()
    run = Run(options.out, quick=options.quick)
    makers = methods.available()
    described = {"quick": options.quick, **about()}
    light = [name for name in names if name not in HEAVY]
    heavy = [name for name in names if name in HEAVY]
    record: dict = {}
    for some in (light, heavy):  # what is soon done comes first, and is on file before the rest
        _hear(run, makers, some)
        _time(run, makers, some)
        record = run.record(described)
        (options.out / "pitch.json").write_text(json.dumps(record, indent=1) + "\n")
    return record


def _hear(run: Run, makers: dict, names: list[str]) -> None:
    for name in names:
        _tell(name)
        if name in HYBRIDS:
            run.hybrid(name)
        else:
            _attempt(run, name, lambda name=name: run.method(name, makers[name]))


def _time(run: Run, makers: dict, names: list[str]) -> None:
    """Each of ours in turns with its original; heavy ones hear less."""
    for name in names:
        if name not in run.found or "(original" in name:
            continue
        _tell(f"{name}: time")
        pair = [each for each in (name, name + ORIGINAL) if each in run.found]
        turns = {each: makers.get(each) or methods.hybrid(each) for each in pair}
        clip = run.timed[: round(HEARD_S * RATE)] if name in HEAVY else run.timed
        _attempt(run, name, lambda turns=turns, clip=clip: run.times.measure(turns, clip))


def _tell(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


def _attempt(run: Run, name: str, task) -> None:
    """What is not installed or has no weights here is named; anything else that fails counts."""
    try:
        task()
    except ImportError as error:
        run.missing[name] = " ".join(str(error).split())
    except (ValueError, OSError, RuntimeError) as error:
        told = " ".join(str(error).split())
        unreachable = name in methods.FETCHED and "fetch" in told
        (run.missing if unreachable else run.failed)[name] = told


def main(arguments: list[str] | None = None) -> int:
    """Measure or render; 0, 1 (not equal, failed) or 2 (a wrong command line)."""
    options = parse(arguments)
    if options.list:
        print("\n".join(chosen(None)))
        return 0
    if options.render is None:
        try:
            names = chosen(options.methods)
        except ValueError as error:
            print(error, file=sys.stderr)
            return 2
        options.out.mkdir(parents=True, exist_ok=True)
        record, folder = measure(options, names), options.out
    else:
        folder = options.render
        record = json.loads((folder / "pitch.json").read_text())
    report.write(record, folder)
    if options.into is not None:
        report.fill_in(folder, options.into)
    print(report.verdict(record))
    return report.status(record)


if __name__ == "__main__":
    raise SystemExit(main())
