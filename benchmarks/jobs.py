"""Whether a batch gains by several processes: one `mlx-rvc batch`, or several with a share each.

    python benchmarks/jobs.py --model voice.pth --seconds 2 --count 24 --pairs 5

The threads of BLAS are shared out: two jobs are two processes with half of them each. Every process
starts and loads its models itself, and that time counts. One process and several take turns.
Outputs that differ are said: a seed makes them the same, but another number of threads may round
otherwise.
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


def batch(paths: list[Path], out: Path, flags: list[str], jobs: int, threads: int) -> float:
    """Seconds that `jobs` processes take, each with its share of recordings and threads."""
    share = str(max(threads // jobs, 1))
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
    environment = os.environ | dict.fromkeys(names, share)
    command = [sys.executable, "-m", "mlx_rvc_cli", "batch"]
    start = time.perf_counter()
    running = [
        subprocess.Popen(
            [*command, *map(str, paths[job::jobs]), "--out", str(out / str(job)), *flags],
            env=environment,
        )
        for job in range(jobs)
    ]
    states = [process.wait() for process in running]
    if any(states):
        raise SystemExit(f"mlx-rvc batch ended with {states}")
    return time.perf_counter() - start


def converted(out: Path) -> dict[str, bytes]:
    """The outputs of a batch by name, whichever job made them."""
    return {path.name: path.read_bytes() for path in out.rglob("*.wav")}


def main() -> None:
    """Time pairs, print each and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="demo")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of a recording")
    parser.add_argument("--count", type=int, default=24, help="recordings")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
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
                out.mkdir()
                seconds.append(batch(paths, out, flags, jobs, options.threads))
                outputs.append(converted(out))
            if outputs[0] != outputs[1] or len(outputs[0]) != options.count:
                print("the outputs differ: shares of threads change the rounding of sums")
            ratios.append(seconds[0] / seconds[1])
            print(f"1 job {seconds[0]:.2f} s, {options.jobs} jobs {seconds[1]:.2f} s", flush=True)
    found = {
        **{key: getattr(options, key) for key in ("model", "seconds", "count", "jobs", "threads")},
        "load_average": os.getloadavg()[0],
        "gain": round(statistics.median(ratios), 3),
        "gain_range": [round(min(ratios), 3), round(max(ratios), 3)],
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
