"""Whether a batch gains by several jobs: `mlx-rvc batch` with one, and with `--jobs`, in turns.

    python benchmarks/jobs.py --model voice.pth --seconds 2 --count 24 --pairs 5

The start of processes and the loading of models count. Outputs that differ are said: a seed makes
them the same, but another number of threads for each may round otherwise.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import soundfile

ROOT = Path(__file__).parents[1]
SPEECH = ROOT / "tests/audio/librivox_austen_0870.flac"


def recordings(folder: Path, count: int, seconds: float) -> list[Path]:
    """Write `count` pieces of speech of that length, each from another place."""
    audio, rate = soundfile.read(SPEECH)
    length = round(seconds * rate)
    if length > len(audio):
        raise SystemExit(f"{SPEECH.name} is {len(audio) / rate:.1f} s; give fewer --seconds")
    paths = []
    for number in range(count):
        start = number * (len(audio) - length) // max(count - 1, 1)
        paths.append(folder / f"{number:03}.wav")
        soundfile.write(paths[-1], audio[start : start + length], rate)
    return paths


def batch(paths: list[Path], out: Path, flags: list[str], jobs: int) -> float:
    """Seconds that the command takes with so many jobs."""
    command = [sys.executable, "-m", "mlx_rvc_cli", "batch", *map(str, paths), "--out", str(out)]
    start = time.perf_counter()
    subprocess.run([*command, "--jobs", str(jobs), *flags], check=True)
    return time.perf_counter() - start


def converted(out: Path) -> dict[str, bytes]:
    """The outputs of a batch by name."""
    return {path.name: path.read_bytes() for path in out.glob("*.wav")}


def main() -> None:
    """Time pairs, print each and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="demo")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of a recording")
    parser.add_argument("--count", type=int, default=24, help="recordings")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--flags", nargs=argparse.REMAINDER, default=[], help="more for mlx-rvc")
    options = parser.parse_args()
    flags = ["--model", options.model, "--seed", "1", "--quiet", *options.flags]
    ratios = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = recordings(folder, options.count, options.seconds)
        for pair in range(options.pairs):
            seconds, outputs = [], []
            for jobs in (1, options.jobs):
                out = folder / f"{pair}-{jobs}"
                seconds.append(batch(paths, out, flags, jobs))
                outputs.append(converted(out))
            if outputs[0] != outputs[1] or len(outputs[0]) != options.count:
                print("the outputs differ: shares of threads change the rounding of sums")
            ratios.append(seconds[0] / seconds[1])
            print(f"1 job {seconds[0]:.2f} s, {options.jobs} jobs {seconds[1]:.2f} s", flush=True)
    found = {
        **{key: getattr(options, key) for key in ("model", "seconds", "count", "jobs")},
        "processors": os.cpu_count(),
        "load_average": os.getloadavg()[0],
        "gain": round(statistics.median(ratios), 3),
        "gain_range": [round(min(ratios), 3), round(max(ratios), 3)],
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
