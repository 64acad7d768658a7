"""Whose voice a conversion should have: the centre of a speaker's own recordings.

    python benchmarks/listening/targets.py NAME --flite VOICE          speak 12 sentences, measure
    python benchmarks/listening/targets.py NAME --recordings FOLDER    measure recordings

writes benchmarks/targets/NAME.json, which `quality.py --target NAME` reads. What the speaker's own
recordings score is kept with it: no conversion can be asked for more.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from listening.recordings import Recording, in_folder

FOLDER = Path(__file__).parents[1] / "targets"
SENTENCES = (
    "The old harbour was quiet, and only two boats were left by the wall.",
    "She put the letter back into the drawer and said nothing about it.",
    "We could hear the children laughing on the far side of the garden.",
    "After the rain the path was soft, so they walked more slowly than before.",
    "My brother thinks that the weather will change before the weekend.",
    "Nobody had told the teacher why the window was open all night.",
    "A good cook never hurries, even when the whole house is hungry.",
    "He measured the long table twice, and it was still too short.",
    "Please bring a warm coat, because the evenings near the lake are cold.",
    "The judge asked a simple question, but the answer took an hour.",
    "There is a small bridge behind the church, which few people ever use.",
    "They joined the others at noon and shared the bread, the cheese and the fruit.",
)


@dataclass(frozen=True)
class Target:
    """A speaker to sound like.

    mean: mean embedding (256,), not brought to length 1, so that its product with another
        speaker's embedding is the mean cosine of the recordings to it.
    median_hz: of F0, which automatic pitch aims at. own: what the recordings score themselves.
    """

    name: str
    source: str
    recordings: int
    median_hz: float
    mean: list[float]
    own: dict[str, float]

    @property
    def centre(self) -> np.ndarray:
        """The direction of the embeddings, length 1."""
        mean = np.array(self.mean)
        return mean / np.linalg.norm(mean)


def find(name: str, judges) -> Target:
    """The target of that name in benchmarks/targets, or of that file or folder of recordings."""
    stored = FOLDER / f"{name}.json"
    if stored.exists():
        return Target(**json.loads(stored.read_text()))
    if Path(name).exists():
        return measured(Path(name).name, str(Path(name).name), recordings_at(Path(name)), judges)
    known = ", ".join(sorted(path.stem for path in FOLDER.glob("*.json")))
    raise ValueError(f"target {name!r} is unknown; give recordings or one of {known}")


def recordings_at(path: Path) -> list[Recording]:
    """The recordings of a folder, or the one that is a file."""
    if path.is_dir():
        return in_folder(path)
    found = [r for r in in_folder(path.parent) if r.name == path.stem]
    if not found:
        raise ValueError(f"{path} is no audio file; expected a recording or a folder of them")
    return found


def measured(name: str, source: str, recordings: list[Recording], judges) -> Target:
    """Judge a speaker's recordings; what needs two of them or their text is left out without."""
    from listening.figures import FIGURES, Sums
    from listening.speaker import within

    embeddings = [judges.speaker.embed(r.at_16k) for r in recordings]
    curves = [judges.tracker.follow(r.at_16k) for r in recordings]
    voiced = np.concatenate([curve.f0_hz[curve.voiced] for curve in curves])
    items = [
        {"recording": r.name, "figures": judges.sound(r.at_16k, r.text).figures} for r in recordings
    ]
    if len(embeddings) > 1:
        for item, cosine in zip(items, within(embeddings), strict=True):
            item["figures"]["to_target"] = cosine
    own = {figure: sums.value for figure in FIGURES if (sums := Sums.of(figure, items))}
    return Target(
        name=name,
        source=source,
        recordings=len(recordings),
        median_hz=round(float(np.median(voiced)), 2),
        mean=[round(float(x), 5) for x in np.mean(embeddings, axis=0)],
        own={figure: round(value, 4) for figure, value in own.items()},
    )


def spoken(voice: str, folder: Path) -> list[Recording]:
    """The sentences, spoken by one of flite's voices (Debian package flite)."""
    for number, sentence in enumerate(SENTENCES):
        path = folder / f"{number:02d}.wav"
        subprocess.run(["flite", "-voice", voice, "-t", sentence, "-o", str(path)], check=True)
    lines = [f"{number:02d} {sentence}" for number, sentence in enumerate(SENTENCES)]
    (folder / "transcript.txt").write_text("\n".join(lines))
    return in_folder(folder)


def main() -> None:
    """Measure a target and keep it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--flite", metavar="VOICE")
    source.add_argument("--recordings", type=Path, metavar="FOLDER")
    options = parser.parse_args()

    from listening.judges import Judges

    judges = Judges()
    if options.flite:
        with tempfile.TemporaryDirectory() as folder:
            found = spoken(options.flite, Path(folder))
        about = f"{len(found)} sentences spoken by flite's voice {options.flite}"
    else:
        found = recordings_at(options.recordings)
        about = f"{len(found)} recording{'s' * (len(found) != 1)}, {options.recordings.name}"
    target = measured(options.name, about, found, judges)
    FOLDER.mkdir(exist_ok=True)
    text = json.dumps(asdict(target))
    (FOLDER / f"{options.name}.json").write_text(text + "\n")
    print(f"{target.name}: {target.source}, {target.median_hz} Hz, {target.own}")


if __name__ == "__main__":
    main()
