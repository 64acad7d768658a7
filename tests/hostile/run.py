"""Opens every hostile file through the readers, in this process, and prints what happened.

    python run.py [--all] FOLDER [part of a name]

Each file by one of its readers, in turn, and one of six by a command too; with --all every file by
every reader and command. One JSON object a line: kind, name, reader, error (its type), text, seconds, effects.
"""

import argparse
import contextlib
import gc
import io
import json
import os
import re
import shutil
import signal
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ["MLX_ENABLE_TF32"] = "0"

import archives
import found
import headers
import npz
import pickles
import tensors
import voices
from cases import Case
from watch import SECONDS, TooLong, Watch, limit, no_limit

import mlx_pth
from mlx_rvc_cli.host import main
from mlx_rvc_index import FeatureIndex
from mlx_rvc_synth import Synthesizer, read_voice
from mlx_rvc_voices import Library
from mlx_weights import read_checkpoint, read_config, read_tensors

Reader = Callable[[Path], object]
BUILDERS = (pickles, tensors, archives, headers, npz, voices, found)
EVERY = 6  # of the files, one in so many is opened by a command too


def add(path: Path, **options: str) -> object:
    library = Library(
        path.parent / "library", check_voice=read_voice, check_index=FeatureIndex.load
    )
    return library.add(str(path), **options)


def command(*words: str) -> Reader:
    """A command: its one line on stderr becomes a ValueError again; it may also end well."""

    def run(path: Path) -> None:
        said, out = io.StringIO(), io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(out):
            status = main([*words, str(path)])
        if status == 0:
            return
        if status != 1 or said.getvalue().count("\n") != 1 or out.getvalue():
            raise RuntimeError(f"status {status}, said {said.getvalue()!r:.300}")
        if re.search(r"error: unexpected \w+: ", said.getvalue()):
            raise RuntimeError(said.getvalue())
        raise ValueError(said.getvalue().strip())

    return run


READERS: dict[str, dict[str, Reader]] = {
    ".pth": {"mlx_pth.load": mlx_pth.load, "read_checkpoint": read_checkpoint,
             "read_voice": read_voice},
    ".safetensors": {"read_tensors": read_tensors, "read_voice": read_voice,
                     "FeatureIndex.load": FeatureIndex.load},
    ".npz": {"read_tensors": read_tensors, "read_voice": read_voice,
             "FeatureIndex.load": FeatureIndex.load},
    ".index": {"FeatureIndex.load": FeatureIndex.load},
    ".npy": {"FeatureIndex.load": FeatureIndex.load},
    ".json": {"read_config": read_config},
    ".zip": {"Library.add": add},
}  # fmt: skip
COMMANDS = {
    ".pth": {"voices add": command("voices", "add"), "info": command("info")},
    ".safetensors": {"info": command("info"), "voices add": command("voices", "add")},
    ".npz": {"voices add": command("voices", "add"), "info": command("info")},
    ".index": {"index info": command("index", "info")},
    ".npy": {"index info": command("index", "info")},
    ".json": {},
    ".zip": {"voices add": command("voices", "add")},
}


def turn(readers: dict[str, Reader], number: int) -> dict[str, Reader]:
    """One of them, each in its turn: the quotient lets those of one in EVERY take turns too."""
    names = list(readers)
    name = names[(number + number // EVERY) % len(names)]
    return {name: readers[name]}


def readers(case: Case, number: int, everything: bool) -> dict[str, Reader]:
    found = dict(READERS[case.ending])
    if case.kind in (voices.VALUES, voices.FOLDER):
        # Their tensors are well formed: only who reads them as a voice can object.
        found = {"Synthesizer.from_pretrained": Synthesizer.from_pretrained}
    elif case.name.startswith(npz.VOICE) or (case.kind == headers.SAFE and "vectors" in case.name):
        del found["read_tensors"]
    commands = COMMANDS[case.ending]
    if everything:
        return found | commands
    found = turn(found, number)
    if commands and number % EVERY == 0:
        found |= turn(commands, number)
    return found


def warm_up(folder: Path) -> None:
    """Import what reading needs, so that an import later on is one that a file asked for."""
    os.environ |= {"MLX_RVC_VOICES": str(folder / "library"), "HF_HUB_OFFLINE": "1"}
    import faiss  # noqa: F401

    Synthesizer.from_pretrained(voices.GOLDEN)
    golden = voices.ROOT / "packages/mlx-rvc-index/tests/golden"
    FeatureIndex.load(golden / "product.index")
    FeatureIndex.load(golden / "flat.index")
    for words in (["info", str(voices.GOLDEN)], ["index", "info", str(golden / "flat.index")]):
        with contextlib.redirect_stdout(io.StringIO()):
            assert main(words) == 0
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        assert main(["voices", "add", str(voices.GOLDEN), "--name", "warm"]) == 0


def cases(marker: Path) -> Iterator[tuple[int, Case]]:
    for builder in BUILDERS:
        yield from enumerate(builder.build(str(marker)))


def opened(path: Path, reader: Reader, watch: Watch, marker: Path) -> dict[str, object]:
    error, text = "nothing", ""
    limit()
    start = time.process_time()
    signal.setitimer(signal.ITIMER_VIRTUAL, 2 * SECONDS)
    try:
        with watch:
            reader(path)
    except BaseException as caught:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        text = str(caught)
        error = "ValueError" if isinstance(caught, ValueError) else type(caught).__name__
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    seconds = time.process_time() - start
    no_limit()
    effects = list(watch.effects)
    if marker.exists():
        effects.append("the marker was made")
        marker.unlink()
    return {"error": error, "text": text, "seconds": round(seconds, 3), "effects": effects}


def too_long(*_: object) -> None:
    raise TooLong


def run(folder: Path, wanted: str, everything: bool) -> None:
    warm_up(folder)
    marker = folder / "marker"
    gc.freeze()  # what is imported by now is not looked at again before every file
    watch = Watch(folder)
    warnings.simplefilter("error")
    signal.signal(signal.SIGVTALRM, too_long)
    before = {path.name for path in folder.iterdir()}
    for number, case in cases(marker):
        if wanted not in f"{case.kind}: {case.name}":
            continue
        place = folder / "opened"
        place.mkdir()
        path = place / f"voice{case.ending}"
        path.write_bytes(case.data)
        for name, data in case.beside:
            (place / name).write_bytes(data)
        for name, reader in readers(case, number, everything).items():
            watch.literals = case.kind == headers.NPY
            found = opened(path, reader, watch, marker)
            print(
                json.dumps({"kind": case.kind, "name": case.name, "reader": name} | found),
                flush=True,
            )
        shutil.rmtree(folder / "library" / "voice", ignore_errors=True)  # what a command kept
        left = [p for p in place.rglob("*") if p.is_file() and p != path]
        left = [p.name for p in left if p.name not in dict(case.beside)]
        left += [p.name for p in folder.iterdir() if p.name not in before | {"opened"}]
        left += [p.name for p in (folder / "library").iterdir() if p.name != "warm"]
        if left:
            print(json.dumps({"kind": case.kind, "name": case.name, "reader": "", "error": "ValueError",
                              "text": "", "seconds": 0, "effects": [f"left behind: {left}"]}))  # fmt: skip
        for left_over in sorted(place.rglob("*"), reverse=True):
            left_over.rmdir() if left_over.is_dir() else left_over.unlink()
        place.rmdir()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("wanted", nargs="?", default="")
    parser.add_argument("--all", action="store_true")
    given = parser.parse_args()
    run(given.folder.resolve(), given.wanted, given.all)
