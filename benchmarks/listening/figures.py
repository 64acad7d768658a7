"""The figures of the tables, each the ratio of two sums over utterances, with its interval."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

DRAWS = 10_000
LEVEL = 0.95
PROTECTED_RATE = 0.75  # of the protect sweep: without an index protect does nothing


@dataclass(frozen=True)
class Figure:
    """One column: its title, what is summed, and which direction is better.

    over: the name of what the sum is divided by; None counts the conversions.
    digits: behind the point, in tables. judged: whether the regression bar looks at it.
    """

    title: str
    numerator: str
    over: str | None = None
    lower_is_better: bool = False
    digits: int = 2
    judged: bool = True


FIGURES = {
    "wer": Figure("WER", "wrong_words", "words", lower_is_better=True),
    "cer": Figure("CER", "wrong_characters", "characters", lower_is_better=True),
    "sphinx_wer": Figure(
        "WER, PocketSphinx", "sphinx_wrong_words", "sphinx_words", lower_is_better=True,
        judged=False,
    ),
    "to_target": Figure("cosine to target", "to_target"),
    "to_source": Figure("to source", "to_source", lower_is_better=True),
    "correlation": Figure("F0 correlation", "correlation"),
    "accuracy": Figure("RPA", "accuracy", digits=3),
    "voiced_accuracy": Figure("RPA, both voiced", "voiced_accuracy", digits=3),
    "voicing_error": Figure("voicing errors", "voicing_error", lower_is_better=True, digits=3),
    "buzz": Figure("buzz", "buzz", lower_is_better=True, digits=3),
    "sig": Figure("DNSMOS SIG", "sig"),
    "bak": Figure("BAK", "bak"),
    "ovrl": Figure("OVRL", "ovrl"),
    "mcd": Figure("MCD, dB", "mcd", lower_is_better=True, digits=3, judged=False),
    "lsd": Figure("LSD, dB", "lsd", lower_is_better=True, digits=3, judged=False),
}  # fmt: skip


@dataclass(frozen=True)
class Sums:
    """Numerators and denominators of one figure, a pair for each utterance, (utterances,)."""

    names: tuple[str, ...]
    numerators: np.ndarray
    denominators: np.ndarray

    @classmethod
    def of(cls, name: str, items: Iterable[dict]) -> "Sums | None":
        """Collect a figure from records of conversions; None if no record has it.

        Conversions of one utterance (other seeds) are added up: they are not further utterances.
        """
        figure = FIGURES[name]
        sums: dict[str, list[float]] = {}
        for item in items:
            found = item["figures"]
            value = found.get(figure.numerator)
            if value is None or not np.isfinite(value):
                continue
            pair = sums.setdefault(item["recording"], [0.0, 0.0])
            pair[0] += value
            pair[1] += 1 if figure.over is None else found[figure.over]
        if not sums:
            return None
        pairs = np.array(list(sums.values()))
        return cls(tuple(sums), pairs[:, 0], pairs[:, 1])

    @property
    def value(self) -> float:
        """The figure over all utterances."""
        return float(self.numerators.sum() / self.denominators.sum())

    def interval(self, seed: int = 0) -> tuple[float, float] | None:
        """95 % interval by the bootstrap over utterances; None for fewer than three of them."""
        return _percentiles(self._redrawn(seed)) if len(self.names) >= 3 else None

    def less(self, other: "Sums", seed: int = 0) -> tuple[float, tuple[float, float] | None]:
        """This figure less another of the same utterances, with the interval of the difference.

        Both are taken from the same draws: what an utterance does to both sides cancels.
        """
        if self.names != other.names:
            raise ValueError(f"utterances {self.names} and {other.names}; expected the same")
        difference = self.value - other.value
        if len(self.names) < 3:
            return difference, None
        return difference, _percentiles(self._redrawn(seed) - other._redrawn(seed))

    def _redrawn(self, seed: int) -> np.ndarray:
        n = len(self.names)
        drawn = np.random.default_rng(seed).integers(0, n, (DRAWS, n))
        return self.numerators[drawn].sum(axis=1) / self.denominators[drawn].sum(axis=1)


def _percentiles(values: np.ndarray) -> tuple[float, float]:
    low, high = np.percentile(values, [50 * (1 - LEVEL), 50 * (1 + LEVEL)])
    return float(low), float(high)
