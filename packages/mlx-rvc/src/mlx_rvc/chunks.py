"""Where a long recording is cut, and how each piece lies in the padded audio.

    padded   |--pad--|............. recording .............|--pad--|
    chunk    |--pad--|...piece...|--pad--|                            converted, then
    output           |...piece...|                                    only this part is kept

Each chunk carries a second of context on both sides, which its output drops again. The pieces join
without overlap. Source: RVC-WebUI, `infer/modules/vc/pipeline.py`, fp32 settings.

The content encoder drops the last 80 to 399 samples of what it is given. The reference trims a
second from both ends of the result, so each of its pieces comes out up to 25 ms short and all that
follows is early. Here a piece is its start and its length, taken out of the result, whose tail has
a second to spare: the same input, no drift.
"""

from dataclasses import dataclass

import numpy as np

from mlx_rvc.recording import MODEL_RATE

HOP = 160
"""Samples at 16 kHz for one frame of F0 (10 ms)."""

PAD = 1 * MODEL_RATE
QUERY = 6 * MODEL_RATE
CENTER = 38 * MODEL_RATE
LONGEST = 41 * MODEL_RATE


@dataclass(frozen=True)
class Chunk:
    """Samples `start` to `stop` of the recording at 16 kHz; `stop` is None for the last one."""

    start: int
    stop: int | None

    def audio(self, padded: np.ndarray) -> np.ndarray:
        """Cut the chunk with its context out of the padded recording (samples,)."""
        return padded[self.start : None if self.stop is None else self.stop + 2 * PAD + HOP]

    def frames(self, curve: np.ndarray) -> np.ndarray:
        """Cut the chunk's frames out of a curve over the padded recording, 100 a second."""
        return curve[
            self.start // HOP : None if self.stop is None else (self.stop + 2 * PAD) // HOP
        ]


def plan(audio: np.ndarray) -> list[Chunk]:
    """Cut audio (samples,) at 16 kHz at its quietest points, one about every 38 s.

    A point is the start of the quietest 10 ms (sum of magnitudes, where the reference of 2023
    sums signed samples and so prefers loud but balanced ones) within 6 s of each multiple of 38 s,
    floored to a frame of F0. Audio of up to 41 s stays whole.
    """
    cuts = []
    if len(audio) + HOP > LONGEST:
        for center in range(CENTER, len(audio), CENTER):
            first = center - QUERY
            cuts.append((first + _quietest(audio, first, center + QUERY)) // HOP * HOP)
    starts = [0, *cuts]
    return [Chunk(start, stop) for start, stop in zip(starts, [*cuts, None], strict=True)]


def _quietest(audio: np.ndarray, first: int, stop: int) -> int:
    """Offset from `first` of the quietest window of one hop, centred on a sample."""
    half = HOP // 2
    stop = min(stop, len(audio))
    magnitude = np.abs(np.pad(audio[first - half : stop + half], (0, half), mode="reflect"))
    windows = np.lib.stride_tricks.sliding_window_view(magnitude, HOP)[: stop - first]
    return int(np.argmin(windows.sum(axis=1)))
