"""Pseudo-speakers: each utterance again with other formants and another pitch (by Praat).

They teach the encoder what does not matter, and the voice to take its content from anybody.
"""

from concurrent.futures import ProcessPoolExecutor

import numpy as np
import parselmouth
from parselmouth.praat import call

from corpus import RATE, Utterance
from pitch import track

FLOOR, CEILING = 60.0, 500.0  # Hz, of the search for F0
LOWEST, HIGHEST = 75.0, 330.0  # Hz, of the new median


def changed(utterance: Utterance, seed: int) -> np.ndarray:
    """The copy, (samples,) int16, as long as the utterance."""
    draw = np.random.default_rng(seed)
    audio = utterance.audio.astype(np.float64) / 32767
    voiced = track(utterance.samples, FLOOR, CEILING)
    voiced = voiced[voiced > 0]
    formants = float(np.exp(draw.uniform(np.log(1.06), np.log(1.28))))
    if draw.random() < 0.5:
        formants = 1 / formants
    median = 0.0  # leaves the pitch as it is
    if len(voiced) > 5:
        median = float(np.clip(np.median(voiced) * 2 ** draw.uniform(-0.8, 0.8), LOWEST, HIGHEST))
    sound, span = parselmouth.Sound(audio, RATE), float(draw.uniform(0.6, 1.5))
    span = min(span, widest(sound))
    try:
        copy = call(sound, "Change gender", FLOOR, CEILING, formants, median, span, 1.0).values[0]
    except parselmouth.PraatError:  # no pitch at all: a prompt may be a click or a beep
        return utterance.audio
    copy = np.pad(copy, (0, max(0, len(audio) - len(copy))))[: len(audio)]
    copy /= max(1.0, float(np.abs(copy).max()) * 1.01)
    return (copy * 32767).astype(np.int16)


def widest(sound: parselmouth.Sound) -> float:
    """The range that leaves the lowest F0 a tenth of the median: below zero Praat may hang."""
    pitch = sound.to_pitch(0.8 / FLOOR, FLOOR, CEILING)  # as "Change gender" itself does
    f0 = pitch.selected_array["frequency"]
    if not f0.any():
        return np.inf
    below = 1 - f0[f0 > 0].min() / np.median(f0[f0 > 0])
    return 0.9 / max(below, 1e-3)


def copies(
    utterances: list[Utterance], count: int, seed: int, workers: int = 2
) -> list[np.ndarray]:
    """All first copies, then all second ones: (sum of samples,) int16, cut like the utterances."""
    out = []
    with ProcessPoolExecutor(workers) as pool:
        for copy in range(count):
            seeds = [seed + 100_003 * copy + index for index in range(len(utterances))]
            out.append(np.concatenate(list(pool.map(changed, utterances, seeds, chunksize=16))))
    return out
