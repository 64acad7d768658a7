"""Accuracy and speed of every pitch method, on signals whose F0 is known exactly.

    python benchmarks/pitch.py [--quick] [--methods a b c] [--clips FILE ...] [--out FOLDER]
    python benchmarks/pitch.py --list

Writes FOLDER/pitch.json (every measure by method and condition) and FOLDER/pitch.md (tables).
Needs the environment of CONTRIBUTING.md, pyworld (pyworld-prebuilt) and mir_eval 0.8.2.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
from pitch_methods import ORIGINAL, RANGE_HZ, available
from pitch_scores import NAMES, scores
from pitch_signals import RATE, Signal, read_clips, signals

AUDIO = Path(__file__).parents[1] / "tests/audio"
CLIPS = ("librivox_austen_0870", "librivox_austen_0930", "vocadito_10", "vocadito_14")
ALL = "all"
TITLES = {
    "pitch": "raw pitch",
    "chroma": "raw chroma",
    "octave": "octave errors",
    "recall": "voicing recall",
    "false_alarm": "false alarms",
    "overall": "overall",
}


def measured(make, everything: list[Signal]) -> dict:
    """A method's measures by condition, span and in all, and its real-time factor."""
    run = make()
    run(everything[0].audio)  # what a first call waits for is not its speed
    found, seconds = [], 0.0
    for signal in everything:
        start = time.perf_counter()
        curve = run(signal.audio)
        seconds += time.perf_counter() - start
        found.append(np.asarray(curve, np.float32))
    groups: dict[str, list[int]] = {ALL: list(range(len(everything)))}
    for i, signal in enumerate(everything):
        groups.setdefault(signal.condition, []).append(i)
        groups.setdefault(f"{signal.span}, clean", [])
        if signal.condition == "clean":
            groups[f"{signal.span}, clean"].append(i)
    heard = sum(len(signal.audio) for signal in everything) / RATE
    return {
        "real_time_factor": seconds / heard,
        "scores": {
            name: scores(
                np.concatenate([everything[i].f0_hz for i in members]),
                np.concatenate([found[i] for i in members]),
            )
            for name, members in groups.items()
        },
    }


def table(results: dict[str, dict], group: str) -> str:
    """Markdown of one group, a row for each method."""
    lines = [
        f"| {group}, % | " + " | ".join(TITLES.values()) + " | real-time factor |",
        "|---" * (len(TITLES) + 2) + "|",
    ]
    for method, result in results.items():
        row = result["scores"][group]
        values = " | ".join(f"{row[name]:.1f}" for name in NAMES)
        lines.append(f"| {method} | {values} | {result['real_time_factor']:.4f} |")
    return "\n".join(lines)


def apart(results: dict[str, dict]) -> dict[str, float]:
    """For each method with its original beside it, the largest difference of any measure."""
    return {
        name: max(
            abs(result["scores"][group][measure] - other["scores"][group][measure])
            for group in result["scores"]
            for measure in NAMES
        )
        for name, result in results.items()
        if (other := results.get(name + ORIGINAL)) is not None
    }


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer curves and conditions")
    parser.add_argument("--methods", nargs="+", help="only these (default: all that import)")
    parser.add_argument("--clips", type=Path, nargs="+", help="voices to resynthesise")
    parser.add_argument("--out", type=Path, default=Path("benchmark"), help="folder for results")
    parser.add_argument("--list", action="store_true", help="name the methods and stop")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Measure, write, and print the table over all conditions."""
    options = parse(arguments)
    makers = available()
    if options.list:
        print("\n".join(makers))
        return 0
    chosen = options.methods or list(makers)
    unknown = sorted(set(chosen) - set(makers))
    if unknown:
        print(f"unknown {', '.join(unknown)}; known are {', '.join(makers)}", file=sys.stderr)
        return 2
    paths = options.clips or [AUDIO / f"{name}.flac" for name in CLIPS]
    everything = list(signals(read_clips(paths), quick=options.quick))
    options.out.mkdir(parents=True, exist_ok=True)
    results: dict[str, dict] = {}
    missing: dict[str, str] = {}
    for name in chosen:
        print(f"{time.strftime('%H:%M:%S')} {name}", file=sys.stderr, flush=True)
        try:
            results[name] = measured(makers[name], everything)
        except ImportError as error:
            missing[name] = str(error)  # the original is not installed: said, not hidden
        record = {
            "clips": [path.name for path in paths],
            "signals": len(everything),
            "seconds": sum(len(signal.audio) for signal in everything) / RATE,
            "range_hz": RANGE_HZ,
            "quick": options.quick,
            "methods": results,
            "missing": missing,
            "apart_points": apart(results),
        }
        (options.out / "pitch.json").write_text(json.dumps(record, indent=1) + "\n")
    if not results:
        print(f"no method could be run: {missing}", file=sys.stderr)
        return 1
    groups = next(iter(results.values()))["scores"]
    tables = "\n\n".join(table(results, group) for group in groups)
    (options.out / "pitch.md").write_text(tables + "\n")
    print(table(results, ALL))
    for name, points in apart(results).items():
        print(f"{name}: within {points:.2f} points of the original in every measure")
    for name, reason in missing.items():
        print(f"{name} was left out: {reason}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
