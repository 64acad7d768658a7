"""Readers of LibriSpeech (Panayotov et al., 2015; CC BY 4.0): how people speak who are no program.

The corpus itself is large; parts of it travel with programs in public repositories.
"""

import random
from dataclasses import dataclass
from pathlib import Path

import soundfile

from corpus import Utterance, prepare
from tools import run

# Readers that no training hears: what the encoder is judged by.
UNHEARD = ("1688", "367", "3080", "533")


@dataclass(frozen=True)
class Part:
    url: str
    commit: str
    folder: str
    pattern: str  # below the folder
    recordings: int

    def fetch(self, into: Path) -> None:
        """The folder with its recordings, where it is not there."""
        if (into / self.folder).exists():
            return
        into.mkdir(parents=True, exist_ok=True)
        git = ["git", "-C", str(into)]
        run([*git, "init", "-q"])
        run([*git, "fetch", "-q", "--depth", "1", self.url, self.commit])
        run([*git, "checkout", "-q", "FETCH_HEAD", "--", self.folder])

    def utterances(self, fetched: Path, limit: float, seed: int) -> list[Utterance | None]:
        """Up to `limit` minutes and one recording more of each reader."""
        paths = sorted((fetched / self.folder).glob(self.pattern))
        if len(paths) != self.recordings:
            raise SystemExit(
                f"{fetched} has {len(paths)} recordings of LibriSpeech, expected "
                f"{self.recordings}: remove it"
            )
        random.Random(seed).shuffle(paths)
        taken, seconds = [], {}
        for path in paths:
            reader = path.stem.partition("-")[0]
            if seconds.get(reader, 0.0) < 60 * limit:
                seconds[reader] = seconds.get(reader, 0.0) + soundfile.info(path).duration
                taken.append((path, f"libri {reader}"))
        return [  # a reader's recordings side by side, as the teacher likes to hear them
            prepare(*soundfile.read(path, dtype="float32"), path.stem, speaker)
            for path, speaker in sorted(taken)
        ]


PARTS = {
    # All 251 readers of train-clean-100 with a sentence each, ten of dev-other with ten.
    "libri": Part(
        "https://github.com/resemble-ai/Resemblyzer",
        "15d828edebe06bc72b9cabc8ef8ca5ab2cb457ce",
        "audio_data",
        "librispeech_*/**/*.flac",
        351,
    ),
    # test-clean: 40 readers.
    "test_clean": Part(
        "https://github.com/lalking52/compressor_project",
        "0a0b1c64d2b4f730df65f94206797edba3ff66e5",
        "LibriSpeech/test-clean",
        "*/*/*.flac",
        2620,
    ),
    # train-clean-5: more of 28 readers of train-clean-100.
    "train_clean_5": Part(
        "https://github.com/zhangrui0712/Voice-Age",
        "c13f844098b754edb9c60b8deb1aa586bc461d8a",
        "LibriSpeech/train-clean-5",
        "*/*/*.flac",
        1519,
    ),
}
