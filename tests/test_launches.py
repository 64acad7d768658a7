"""The count of GPU launches: the script runs, and what it says of both sides can be true."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_fewer_kernels_are_started_than_before():
    command = [sys.executable, "benchmarks/launches.py", "--toy", "--seconds", "2"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    rows = re.findall(
        r"^\| (\w+).*? \| [\d.]+ \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|", done.stdout, re.MULTILINE
    )
    counts = {name: tuple(map(float, values)) for name, *values in rows}
    assert set(counts) == {"ContentVec", "RMVPE", "synthesizer"}
    for plain, compiled, _ in counts.values():
        assert 0 < compiled < plain
    plain, _, fused = counts["RMVPE"]
    assert plain > 20 * fused  # 12 a step and direction, against one in all
