"""Kills at random moments: what is there afterwards is whole, and the same command goes on.

    python tools/kill_test.py --kills 400 --seed 1

Five kinds of work in turn: `mlx-rvc convert`, `mlx-rvc batch` with one job and with two,
`mlx-rvc voices add`, and a conversion of weights into the cache. Each runs in a process of its own,
a fork of this one, which gets SIGKILL after a random share of the time that the work takes. Then
nothing may lie under its name that is not whole, and the work, done again, must come to its end.
"""

import argparse
import contextlib
import importlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

import mlx_rvc_demo
from mlx_rvc_cli.host import main as mlx_rvc

_FLAGS = ["--model", "demo", "--f0-method", "dio", "--seed", "1", "--quiet"]
_RATE = 16000
_IMPORTED = (
    *("mlx.nn", "mlx_rvc.pipeline", "mlx_rvc.batch", "mlx_rvc.commands.batch", "mlx_rvc_voices"),
    *("mlx_contentvec", "mlx_f0.world", "mlx_rvc_index", "mlx_rvc_synth", "mlx_weights"),
    *("pyworld", "safetensors.numpy", "scipy.signal", "soxr", "tomllib", "mlx_rvc_cli.audio"),
)
"""Before the forks, so that kills fall into work and not into imports."""


class Work(ABC):
    """Work in a folder of its own, beside `inputs`.

    `result` is what it leaves under its name, a mapping of names to contents; where it has done
    only a part, some names lack.
    """

    def __init__(self, inputs: Path) -> None:
        self.inputs = inputs
        self.whole: dict[str, bytes] = {}
        self.seconds = 0.0

    def prepare(self, folder: Path, dice: random.Random) -> dict[str, bytes]:
        """Fill the folder before the work; returns what may also be found in place of results."""
        return {}

    @abstractmethod
    def run(self, folder: Path) -> int:
        """Do the work; returns its exit status."""

    @abstractmethod
    def result(self, folder: Path) -> dict[str, bytes]:
        """What is there under its name."""

    def check(self, folder: Path) -> None:  # noqa: B027  # most have nothing to add
        """Whatever else must hold, finished or not."""


class Convert(Work):
    """One recording; in half of the rounds an older output is there, which may stay."""

    old = b"an older conversion"

    def prepare(self, folder, dice):
        """Put an older output there, or not."""
        if dice.random() < 0.5:
            return {}
        (folder / "out.wav").write_bytes(self.old)
        return {"out.wav": self.old}

    def run(self, folder):
        """Convert by the command."""
        return mlx_rvc(["convert", str(self.inputs / "one.wav"), f"{folder}/out.wav", *_FLAGS])

    def result(self, folder):
        """The output."""
        return {path.name: path.read_bytes() for path in folder.glob("[!.]*")}


class Batch(Work):
    """Three recordings, one in a folder below."""

    def run(self, folder):
        """Convert the folder by the command."""
        return mlx_rvc(["batch", str(self.inputs), "--out", f"{folder}/out", *_FLAGS])

    def result(self, folder):
        """The outputs."""
        found = (folder / "out").rglob("[!.]*.wav")
        return {str(path.relative_to(folder)): path.read_bytes() for path in found}

    def check(self, folder):
        """What the manifest calls done is there."""
        manifest = folder / "out" / "mlx-rvc-batch.jsonl"
        for line in manifest.read_text().splitlines() if manifest.exists() else ():
            with contextlib.suppress(json.JSONDecodeError):
                entry = json.loads(line)
                if entry.get("status") == "done":
                    assert (folder / "out" / entry["output"]).is_file(), entry


class Jobs(Batch):
    """The same in two processes, which outlive the one that is killed by a moment."""

    def run(self, folder):
        """Convert the folder by the command."""
        given = ["batch", str(self.inputs), "--out", f"{folder}/out", *_FLAGS, "--jobs", "2"]
        return mlx_rvc(given)


class Add(Work):
    """The demo's voice into a library."""

    def run(self, folder):
        """Add it by the command, as anew or as there already."""
        os.environ["MLX_RVC_VOICES"] = f"{folder}/voices"
        return mlx_rvc(["voices", "add", str(mlx_rvc_demo.bundle().voice), "--name", "sam"])

    def result(self, folder):
        """Each voice that the library lists, and what its check finds."""
        from mlx_rvc_voices import Library

        library = Library(folder / "voices")
        return {name: repr(library.check(name)).encode() for name in library.names()}


class Weights(Work):
    """A toy file of weights into the cache."""

    def run(self, folder):
        """Convert it, or find it converted."""
        from mlx_weights import converted

        os.environ["MLX_WEIGHTS_CACHE"] = str(folder)
        source = self.inputs.parent / "toy.pt"
        tensors = {"w": np.arange(1 << 20, dtype=np.float32)}
        converted(source, name="toy", version=1, convert=lambda _: (tensors, {"size": 1 << 20}))
        return 0

    def result(self, folder):
        """Each folder that has its name, read back; the source's sum, where it was noted."""
        from mlx_weights import load_model_folder

        found = {}
        for path in (folder / "toy").glob("[!.]*"):
            tensors, config = load_model_folder(path)
            found[path.name] = tensors["w"].tobytes() + repr(config).encode()
        for note in (folder / "sums").glob("[!.]*"):
            found[note.name] = note.read_bytes()
        return found


def forked(work: Work, folder: Path) -> int:
    """Begin the work in a process of its own, without a word; returns its number."""
    child = os.fork()
    if child:
        return child
    status = 99
    try:
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        status = work.run(folder)
    finally:
        os._exit(status)


def finished(child: int) -> int:
    """The exit status of a process, waited for."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def measured(work: Work, folder: Path) -> None:
    """Let it end once: how long it takes, and what a whole result is."""
    begun = time.perf_counter()
    status = finished(forked(work, folder))
    work.seconds = time.perf_counter() - begun
    work.whole = work.result(folder)
    assert status == 0 and work.whole, f"{type(work).__name__} ended with {status}"


def round_of(work: Work, folder: Path, dice: random.Random) -> str:
    """Kill it once and look; returns what was found: nothing, a part, or all of the result."""
    allowed = work.prepare(folder, dice)
    child = forked(work, folder)
    time.sleep(dice.uniform(0, work.seconds))
    os.kill(child, signal.SIGKILL)
    ended = finished(child) == 0
    found = work.result(folder)
    for name, data in found.items():
        assert data in (work.whole.get(name), allowed.get(name)), f"{name} is not whole"
    work.check(folder)
    new = sum(found.get(name) == data for name, data in work.whole.items())
    assert not ended or new == len(work.whole)
    left = any(path.name.startswith(".") for path in folder.rglob("*"))
    status = finished(forked(work, folder))
    assert status == 0 and work.result(folder) == work.whole, f"again: status {status}"
    work.check(folder)
    amount = "ended" if ended else "whole" if new == len(work.whole) else "part" if new else "none"
    return amount + (", remains hidden" if left else "")


def rounds(kills: int, seed: int, without: Sequence[str] = ()) -> dict[str, dict[str, int]]:
    """So many kills; returns for each kind of work how often what was found.

    Raises AssertionError, with the number of the round, where anything is not whole.
    """
    dice = random.Random(seed)
    counts: dict[str, Counter[str]] = {}
    with tempfile.TemporaryDirectory() as name:
        inputs = Path(name, "inputs")
        (inputs / "below").mkdir(parents=True)
        tone = 0.3 * np.sin(np.arange(_RATE // 4) * 0.08)
        for number, place in enumerate(("one.wav", "two.wav", "below/three.wav")):
            soundfile.write(inputs / place, tone[number:], _RATE)
        (inputs.parent / "toy.pt").write_bytes(b"toy")
        kinds = (Convert, Batch, Jobs, Add, Weights)
        works = [kind(inputs) for kind in kinds if kind.__name__.lower() not in without]
        for number in range(-len(works), kills):
            folder = Path(tempfile.mkdtemp(dir=name))
            work = works[number % len(works)]
            if number < 0:
                measured(work, folder)
            else:
                try:
                    found = round_of(work, folder, dice)
                except Exception as error:
                    where = f"round {number}, {type(work).__name__}"
                    raise AssertionError(f"{where}: {error}") from error
                counts.setdefault(type(work).__name__.lower(), Counter())[found] += 1
            shutil.rmtree(folder)
    return {work: dict(sorted(count.items())) for work, count in counts.items()}


def main() -> None:
    """Kill, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=40, help="How many [default: 40].")
    parser.add_argument("--seed", type=int, default=0, help="Of the moments [default: 0].")
    parser.add_argument("--without", nargs="*", default=[], help="Kinds of work, such as jobs.")
    given = parser.parse_args()
    os.environ["MLX_FASTOPS_TUNING"] = "off"
    for name in _IMPORTED:
        importlib.import_module(name)
    print(json.dumps(rounds(given.kills, given.seed, given.without)))


if __name__ == "__main__":
    sys.exit(main())
