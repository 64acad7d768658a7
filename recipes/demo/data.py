"""The first steps: what is said, by whom, and what the encoder is to learn from it."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor

from run import Run


def sources(run: Run) -> tuple[str, ...]:
    """What is spoken: a run that keeps another's encoder needs the targets alone."""
    from speakers import TARGETS
    from speech import SOURCES

    return TARGETS if run.keep_encoder else SOURCES


def texts(run: Run) -> None:
    import texts as module

    if run.path("texts.txt").exists():
        return
    sentences = module.sentences(run.config["texts"]["templates"], run.seed)
    run.path("texts.txt").write_text("\n".join(sentences) + "\n")
    run.log(f"texts: {len(sentences)} sentences")


def speech(run: Run) -> None:
    import kokoro
    import readers

    missing = [name for name in sources(run) if not run.path("speech", f"{name}.npz").exists()]
    if any(name.startswith("kokoro") for name in missing):
        kokoro.fetch_voices(run.folder / "kokoro")
    for name, part in readers.PARTS.items():
        if name in missing:
            part.fetch(run.folder / "readers" / name)
    side_by_side(speak, run, missing[::-1])  # the longest ones first


def side_by_side(work: Callable[[Run, str], None], run: Run, names: Sequence[str]) -> None:
    """Two at a time: what they do takes one thread."""
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(work, [run] * len(names), names))


def speak(run: Run, name: str) -> None:
    import corpus
    from speech import make

    sentences = run.path("texts.txt").read_text().splitlines()
    made = make(name, run.config["speech"], sentences, run.folder, run.seed)
    corpus.save(run.path("speech", f"{name}.npz"), made)
    run.log(f"speech: {name}, {len(made)} utterances, {corpus.minutes(made):.1f} min")


def perturb(run: Run) -> None:
    import corpus
    from perturb import copies

    for name in sources(run):
        path = run.path("perturbed", f"{name}.npz")
        if not path.exists():
            utterances = corpus.load(run.path("speech", f"{name}.npz"))
            made = copies(utterances, run.config["perturb"]["copies"], run.seed)
            corpus.write_arrays(path, **{f"copy{index}": copy for index, copy in enumerate(made)})
            run.log(f"perturb: {name}, {len(made)} copies")


def teacher(run: Run) -> None:
    import numpy as np

    import corpus
    import whisper
    from speech import SOURCES
    from teacher import targets

    if run.path("targets.npz").exists():
        return
    spoken, heard, encode = {}, {}, None
    for name in SOURCES:
        spoken[name] = corpus.load(run.path("speech", f"{name}.npz"))
        path = run.path("heard", f"{name}.npz")
        if not path.exists():
            encode = encode or whisper.Encoder(threads=2)
            features = whisper.features(spoken[name], encode)
            ends = np.cumsum([len(feature) for feature in features])
            corpus.write_arrays(path, features=np.concatenate(features), ends=ends)
            run.log(f"teacher: heard {name}, {ends[-1]} frames")
        with np.load(path) as data:
            heard[name] = corpus.split(data["features"], data["ends"])
    settings = run.config["teacher"]
    made, phones, accuracy = targets(
        spoken, heard, settings["components"], settings["units"], run.seed
    )
    arrays = {"phones": np.array(phones)}
    for name, parts in made.items():
        arrays[f"{name}.ends"] = np.cumsum([len(part.units) for part in parts])
        arrays[f"{name}.units"] = np.concatenate([part.units for part in parts])
        arrays[f"{name}.phones"] = np.concatenate([part.phones for part in parts])
    corpus.write_arrays(run.path("targets.npz"), **arrays)
    run.log(f"teacher: {len(phones)} phones, {accuracy:.3f} right on a voice left out")
