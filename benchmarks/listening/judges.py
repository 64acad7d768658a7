"""All judges together: what they say of one piece of audio."""

from dataclasses import asdict, dataclass, field

import numpy as np

from .melody import Curve, Melody, Tracker
from .naturalness import Dnsmos
from .speaker import Speaker
from .words import Mistakes, Sphinx, Whisper


@dataclass(frozen=True)
class Verdict:
    """Figures by the names of `figures.FIGURES`' sums, and the words that were heard."""

    figures: dict[str, float]
    heard: dict[str, str] = field(default_factory=dict)


class Judges:
    """The judges, loaded once.

    sphinx: whether the second recogniser listens too.
    """

    def __init__(self, *, sphinx: bool = True):
        self.whisper = Whisper()
        self.sphinx = Sphinx() if sphinx else None
        self.speaker = Speaker()
        self.tracker = Tracker()
        self.dnsmos = Dnsmos()

    def sound(self, audio: np.ndarray, text: str | None) -> Verdict:
        """What needs nothing to compare with: naturalness, and words if there is a text.

        audio: float32 (samples,) at 16 kHz.
        """
        figures: dict[str, float] = dict(self.dnsmos.mark(audio))
        heard = {}
        if text is not None:
            heard["whisper"] = self.whisper.hear(audio)
            figures |= asdict(Mistakes.of(text, heard["whisper"]))
            if self.sphinx is not None:
                heard["sphinx"] = self.sphinx.hear(audio)
                found = asdict(Mistakes.of(text, heard["sphinx"]))
                figures |= {f"sphinx_{name}": value for name, value in found.items()}
        return Verdict(figures, heard)

    def voice(self, audio: np.ndarray, target: np.ndarray, source: np.ndarray) -> Verdict:
        """Cosine to the centres of target and source, (256,) of length 1."""
        own = self.speaker.embed(audio)
        return Verdict({"to_target": float(own @ target), "to_source": float(own @ source)})

    def melody(self, audio: np.ndarray, wanted: Curve) -> Verdict:
        """How F0 follows the source's, shifted."""
        return Verdict(asdict(Melody.of(wanted, self.tracker.follow(audio))))
