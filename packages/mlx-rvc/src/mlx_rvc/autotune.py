"""Autotune: F0 drawn to the notes of a scale (equal temperament, A4 = 440 Hz)."""

import re

import numpy as np

A4_HZ = 440.0
A4_NOTE = 69
"""Number of A4 among the notes, one for each semitone (as in MIDI)."""

_CHROMATIC = "chromatic"
_NATURALS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_MODES = {  # semitones above the key note
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "major pentatonic": (0, 2, 4, 7, 9),
    "minor pentatonic": (0, 3, 5, 7, 10),
    "blues": (0, 3, 5, 6, 7, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
}
_SCALE = re.compile(r"([A-G])([#♯b♭]?)\s+(.+)", re.IGNORECASE)


def pitch_classes(scale: str) -> tuple[int, ...]:
    """Semitones above C, ascending, of "chromatic" or of a key note and a mode: "F# minor".

    Raises ValueError that lists the modes.
    """
    name = " ".join(scale.split())
    if name.casefold() == _CHROMATIC:
        return tuple(range(12))
    match = _SCALE.fullmatch(name)
    mode = None if match is None else _MODES.get(match[3].casefold())
    if match is None or mode is None:
        raise ValueError(
            f"autotune scale is {scale!r}; expected chromatic, or a note and one of "
            f"{', '.join(_MODES)}, as in 'C major' or 'F# minor'"
        )
    key = _NATURALS[match[1].upper()]
    key += {"": 0, "#": 1, "♯": 1}.get(match[2], -1)
    return tuple(sorted((key + step) % 12 for step in mode))


def tune(f0_hz: np.ndarray, strength: float, scale: str = _CHROMATIC) -> np.ndarray:
    """Move F0 (frames,) in Hz towards the nearest note of a scale, on a logarithmic axis.

    strength: 0 leaves F0 as it is, 1 gives the notes themselves; between them what is left of the
    distance in cents is 1 - strength of it. Unvoiced frames stay 0. Returns float32 (frames,).
    Raises ValueError for an unknown scale.
    """
    f0_hz = np.asarray(f0_hz)
    tuned = np.zeros(f0_hz.shape, np.float32)
    voiced = f0_hz > 0
    semitones = A4_NOTE + 12 * np.log2(f0_hz[voiced].astype(np.float64) / A4_HZ)
    moved = semitones + strength * (_nearest(semitones, pitch_classes(scale)) - semitones)
    tuned[voiced] = A4_HZ * 2 ** ((moved - A4_NOTE) / 12)
    return tuned


def _nearest(semitones: np.ndarray, classes: tuple[int, ...]) -> np.ndarray:
    """Note nearest to each of (n,); of two at the same distance the lower."""
    octave = 12 * np.floor(semitones / 12)
    # The octave's own notes, and one of each neighbour.
    notes = np.array([classes[-1] - 12, *classes, classes[0] + 12])
    nearest = np.abs((semitones - octave)[:, None] - notes).argmin(axis=1)
    return octave + notes[nearest]
