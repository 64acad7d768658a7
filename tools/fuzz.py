"""Coverage-guided fuzzing of what reads a stranger's file.

    pip install atheris==3.0.0                                  # beside the packages
    python tools/fuzz.py --seconds 120                          # all readers, together
    python tools/fuzz.py pickle index --seconds 3600 --out fuzz # these; inputs are kept in fuzz/

Each reader gets what atheris makes of the hostile files of tests/hostile and of whole ones. It has
to end in a result, or in a ValueError of one line, without an effect outside its folder, within
five seconds and a gigabyte. What does otherwise lies in OUT/found; put it into
tests/hostile/fuzzed/READER.ENDING, where the tests open it from then on.
"""

import argparse
import contextlib
import hashlib
import io
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests/hostile"))

INSTRUMENTED = ("mlx_pth", "mlx_weights", "mlx_rvc_synth", "mlx_rvc_index", "mlx_rvc_voices")
MEGABYTES, SECONDS, LONGEST = 1024, 5, 1 << 16
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Target:
    """A reader and its files: their ending, and what the fuzzed bytes are put into."""

    ending: str
    read: Callable[[Path], object]
    seeds: Callable[[], Iterator[bytes]]
    wrap: Callable[[bytes], bytes] = bytes


def _hostile(module: str, ending: str) -> Iterator[bytes]:
    import importlib

    with tempfile.TemporaryDirectory() as folder:
        for case in importlib.import_module(module).build(f"{folder}/marker"):
            if case.ending == ending:
                yield case.data


def _files(pattern: str) -> Iterator[bytes]:
    for path in sorted(ROOT.glob(pattern)):
        yield path.read_bytes()


def _pickles() -> Iterator[bytes]:
    """What lies in the data.pkl of torch's zips, whole ones and hostile ones."""
    import zipfile

    for data in (*_hostile("pickles", ".pth"), *_files("packages/mlx-pth/tests/golden/*.pth")):
        with contextlib.suppress(Exception), zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                if name.endswith("data.pkl"):
                    yield archive.read(name)


def _arrays() -> Iterator[bytes]:
    """What lies in an .npz, whole and hostile; its checksums would stop nearly every change."""
    import npz

    with tempfile.TemporaryDirectory() as folder:
        yield from npz.arrays(f"{folder}/marker").values()


def targets() -> dict[str, Target]:
    import cases
    import npz

    import mlx_pth
    from mlx_rvc_index import FeatureIndex
    from mlx_rvc_synth import read_voice
    from mlx_rvc_voices import Library
    from mlx_weights import read_config, read_tensors

    def add(path: Path) -> object:
        place = path.parent / "library"
        library = Library(place, check_voice=read_voice, check_index=FeatureIndex.load)
        try:
            return library.add(str(path), name="fuzzed")
        finally:
            for left in sorted(place.rglob("*"), reverse=True):
                left.rmdir() if left.is_dir() else left.unlink()

    def legacy_and_zips() -> Iterator[bytes]:
        for module in ("pickles", "tensors", "archives"):
            yield from _hostile(module, ".pth")

    return {
        "pickle": Target(".pth", mlx_pth.load, _pickles, cases.torch_zip),
        "pth": Target(".pth", read_voice, legacy_and_zips),
        "zip": Target(".zip", add, lambda: _hostile("archives", ".zip")),
        "index": Target(
            ".index",
            FeatureIndex.load,
            lambda: (
                *_hostile("headers", ".index"),
                *_files("packages/mlx-rvc-index/tests/golden/*.index"),
            ),
        ),
        "npy": Target(".npy", FeatureIndex.load, lambda: _hostile("headers", ".npy")),
        "npz": Target(".npz", read_voice, lambda: _hostile("npz", ".npz")),
        "array": Target(".npz", read_tensors, _arrays, npz.whole),
        "safetensors": Target(
            ".safetensors",
            read_voice,
            lambda: (*_hostile("headers", ".safetensors"), *_hostile("voices", ".safetensors")),
        ),
        "config": Target(".json", read_config, lambda: _hostile("headers", ".json")),
    }


def fuzz(name: str, out: Path, seconds: int) -> None:
    """One reader, in this process; libFuzzer ends it."""
    import atheris

    with atheris.instrument_imports(include=[*INSTRUMENTED, "pickletools", "zipfile"]):
        target = targets()[name]
    import faiss  # noqa: F401, so that no reader imports these under the watch
    import safetensors.numpy  # noqa: F401
    from watch import Watch

    corpus, found = out / name, out / "found"
    for folder in (corpus, found):
        folder.mkdir(parents=True, exist_ok=True)
    for data in target.seeds():
        if len(data) <= LONGEST:
            (corpus / hashlib.sha1(data).hexdigest()).write_bytes(data)
    place = Path(tempfile.mkdtemp())
    path = place / f"voice{target.ending}"
    for seed in sorted(corpus.iterdir())[:20]:  # imports, before there is a watch
        path.write_bytes(target.wrap(seed.read_bytes()))
        with contextlib.suppress(ValueError):
            target.read(path)
    watch = Watch(place)
    watch.literals = name == "npy"

    def one(data: bytes) -> None:
        path.write_bytes(target.wrap(data))
        try:
            with watch:
                target.read(path)
        except ValueError as refusal:
            if CONTROL.search(str(refusal)):
                raise RuntimeError(f"not one line: {str(refusal)!r:.200}") from refusal
        if watch.effects:
            raise RuntimeError(f"effects: {watch.effects}")

    limits = (f"-max_total_time={seconds}", f"-rss_limit_mb={MEGABYTES}", f"-timeout={SECONDS}")
    options = ("-print_final_stats=1", f"-max_len={LONGEST}", f"-artifact_prefix={found / name}-")
    atheris.Setup([sys.argv[0], *limits, *options, str(corpus)], one)
    atheris.Fuzz()


def _figures(log: str) -> tuple[int, int]:
    """Inputs tried, and places of the code reached, as libFuzzer's log tells."""
    tried = re.findall(r"stat::number_of_executed_units:\s+(\d+)", log)
    reached = re.findall(r"cov: (\d+)", log)
    return int(tried[-1]) if tried else 0, int(reached[-1]) if reached else 0


def main() -> None:
    names = ("pickle", "pth", "zip", "index", "npy", "npz", "array", "safetensors", "config")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("readers", nargs="*", help=f"which: {', '.join(names)}; default all")
    parser.add_argument("--seconds", type=int, default=120, help="over all readers (120)")
    parser.add_argument("--out", type=Path, help="where inputs are kept; default nowhere")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.readers) - set(names))
    if unknown:
        parser.error(f"unknown reader {', '.join(unknown)}; there are {', '.join(names)}")
    if arguments.here:
        fuzz(arguments.readers[0], arguments.out, arguments.seconds)
        return
    chosen = arguments.readers or list(names)
    seconds = max(1, arguments.seconds // len(chosen))
    failed = []
    with contextlib.ExitStack() as stack:
        out = arguments.out or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        print("| reader | seconds | inputs | places reached | |\n|---|---|---|---|---|", flush=True)
        for name in chosen:
            words = [sys.executable, __file__, name, "--here", "--seconds", str(seconds)]
            done = subprocess.run(
                [*words, "--out", str(out)], capture_output=True, text=True, check=False
            )
            tried, reached = _figures(done.stderr)
            verdict = "" if done.returncode == 0 else "**failed**"
            print(f"| {name} | {seconds} | {tried:,} | {reached:,} | {verdict} |", flush=True)
            if done.returncode or not tried:
                failed.append(name)
                # Python's traceback stands first in what atheris says.
                print(done.stdout[:4000], done.stderr[-1000:], sep="\n", file=sys.stderr)
    if failed:
        kept = f"; inputs in {out / 'found'}" if arguments.out else "; --out FOLDER keeps inputs"
        raise SystemExit(f"found something in {', '.join(failed)}{kept}")


if __name__ == "__main__":
    main()
