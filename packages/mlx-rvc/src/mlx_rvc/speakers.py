"""The speakers of a voice: their numbers, names and usual pitch, as far as the voice says them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlx_rvc_demo import Bundle

MEDIAN_KEY = "median_f0_hz"
"""Entry of a voice's metadata: the median F0 in Hz, one number or one for each speaker's number."""


@dataclass(frozen=True)
class Speakers:
    """Speakers 0 to count - 1; `names` and `medians_hz` (median F0 in Hz) by number, where known.

    A name like "rms (male)" is also known by its short form, "rms".
    """

    count: int
    names: Mapping[int, str] = field(default_factory=dict)
    medians_hz: Mapping[int, float] = field(default_factory=dict)

    @classmethod
    def described(cls, count: int, metadata: Mapping[str, Any]) -> Speakers:
        """What a voice's metadata says: `speaker_names` (number to name) and `median_f0_hz`."""
        medians = metadata.get(MEDIAN_KEY)
        if not isinstance(medians, Mapping):
            medians = {} if medians is None else dict.fromkeys(range(count), medians)
        return cls(
            count,
            _numbered(metadata.get("speaker_names") or {}, str),
            {
                number: hertz
                for number, hertz in _numbered(medians, _hertz).items()
                if math.isfinite(hertz) and hertz > 0
            },
        )

    @classmethod
    def bundled(cls, bundle: Bundle) -> Speakers:
        """The speakers of the bundled voice, which its own file does not describe."""
        return cls(
            len(bundle.speakers),
            {known.id: known.name for known in bundle.speakers},
            {s.id: s.median_f0_hz for s in bundle.speakers if s.median_f0_hz is not None},
        )

    def number(self, speaker: int | str) -> int:
        """The number of a speaker that is given by number or by name, in any case.

        Raises ValueError that lists the speakers for a number out of range, a name that no speaker
        has, and one that several have.
        """
        if isinstance(speaker, int):
            if not 0 <= speaker < self.count:
                raise ValueError(f"speaker is {speaker}; this voice has {self._listed()}")
            return speaker
        wanted = speaker.casefold()
        for spell in (str, _short):
            found = [n for n, name in self.names.items() if spell(name).casefold() == wanted]
            if len(found) == 1:
                return found[0]
            if found:
                raise ValueError(
                    f"speaker is {speaker!r}, a name of {len(found)} speakers; this voice has "
                    f"{self._listed()}: give the number"
                )
        raise ValueError(f"speaker is {speaker!r}; this voice has {self._listed()}")

    def _listed(self) -> str:
        if self.names:
            known = [f"{number} = {name}" for number, name in sorted(self.names.items())]
            unnamed = self.count - len(known)
            return ", ".join(known) + (f" and {unnamed} without a name" if unnamed > 0 else "")
        return f"{self.count}, numbered 0 to {self.count - 1}, without names"


def _short(name: str) -> str:
    return name.split(" (", maxsplit=1)[0]


def _hertz(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


def _numbered(entries: Mapping[Any, Any], kind: Any) -> dict[int, Any]:
    """Entries by number, as JSON cannot hold them; what is not numbered is not for us."""
    return {
        int(number): kind(value) for number, value in entries.items() if str(number).isdecimal()
    }
