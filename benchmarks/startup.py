"""Wall time until the command answers and until the package is imported."""

import subprocess
import sys
import time
from pathlib import Path

RUNS = 5


def measure() -> dict[str, list[float]]:
    """Seconds of each run of `mlx-rvc --help` and `import mlx_rvc`, after one that fills caches."""
    script = Path(sys.executable).with_name("mlx-rvc")
    command = [str(script)] if script.exists() else [sys.executable, "-m", "mlx_rvc_cli"]
    programs = {
        "mlx-rvc --help": [*command, "--help"],
        "import mlx_rvc": [sys.executable, "-c", "import mlx_rvc"],
    }
    times = {
        name: [_seconds(program) for _ in range(RUNS + 1)] for name, program in programs.items()
    }
    return {name: runs[1:] for name, runs in times.items()}


def _seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start
