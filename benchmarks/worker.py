"""Peak memory of one conversion, in a process that does nothing else.

    python benchmarks/worker.py ours|pytorch FOLDER RATE SECONDS THREADS

FOLDER is what `models.save` wrote. Prints JSON: megabytes (10^6 bytes) resident after loading and
at most, models and libraries included, and the conversion's seconds.
"""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

import clip
from models import Models


def peak_mb() -> float:
    """The most that was resident so far.

    Linux hands `ru_maxrss` down from the parent when a program starts, so a small program started
    by a large one seems large; VmHWM counts this program only.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6


def measured(side: str, models: Models, rate: str, seconds: float, threads: int) -> dict:
    """Run the worker for one side ("ours" or "pytorch"); raises RuntimeError if it fails."""
    command = [sys.executable, __file__, side, models.folder, rate, seconds, threads]
    result = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False
    )
    if result.returncode:
        last = (result.stderr.strip().splitlines() or ["no message"])[-1]
        raise RuntimeError(f"{side} at {seconds:g} s ended with {result.returncode}: {last}")
    return json.loads(result.stdout.splitlines()[-1])


def main() -> None:
    """Convert once and print what it took."""
    side, folder, rate, seconds, threads = sys.argv[1:]
    models = Models(Path(folder))
    given = clip.cut(float(seconds), models.features())
    if side == "ours":
        import ours as chosen
    else:
        import pytorch as chosen

        chosen.use_threads(int(threads))
    run = chosen.load("chain", models, rate)
    loaded = peak_mb()
    start = time.perf_counter()
    run(given)
    spent = time.perf_counter() - start
    print(json.dumps({"loaded_mb": loaded, "peak_mb": peak_mb(), "work_s": spent}))


if __name__ == "__main__":
    main()
