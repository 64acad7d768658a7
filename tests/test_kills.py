"""A few of the nightly kills (tools/kill_test.py): nothing is taken for whole that is not."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_ten_kills_leave_nothing_half_written_under_its_name():
    """Without those of two jobs, whose processes take seconds to start: that is for the night."""
    program = [sys.executable, ROOT / "tools" / "kill_test.py", "--without", "jobs"]
    run = subprocess.run(
        [*program, "--kills", "10", "--seed", "2"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    counts = json.loads(run.stdout)
    assert set(counts) == {"convert", "batch", "add", "weights"}
    assert sum(sum(found.values()) for found in counts.values()) == 10
