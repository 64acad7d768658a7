"""Where a long recording is cut, and how each piece lies in the padded audio.

    padded   |--pad--|............. recording .............|--pad--|
    chunk    |--pad--|...piece...|--pad--|                            converted, then
    output           |...piece...|                                    only this part is kept

Each chunk carries a second of context on both sides, which its output drops again, but for 10 ms
around a cut, in which one piece fades into the next (the reference puts them end to end). Source:
RVC-WebUI, `infer/modules/vc/pipeline.py`, fp32 settings.

The content encoder drops the last 80 to 399 samples of what it is given. The reference trims a
second from both ends of the result, so each of its pieces comes out up to 25 ms short and all that
follows is early. Here a piece is its start and its length, taken out of the result, whose tail has
a second to spare: the same input, no drift.

A feature of the encoder covers 320 samples, two frames of F0. The reference cuts on any frame of
F0, so that after a cut in the middle of a feature all features come 10 ms earlier or later than
without the cut. Here cuts lie between features: each chunk's features are those of one piece,
except for what the encoder takes from far away.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from mlx_rvc.options import CHUNK_SECONDS
from mlx_rvc.recording import MODEL_RATE
from mlx_rvc.track import Excerpt, Padded, Samples

HOP = 160
"""Samples at 16 kHz for one frame of F0 (10 ms)."""

GRID = 2 * HOP
"""Samples at 16 kHz for one content feature (20 ms); cuts are multiples of it."""

PAD = 1 * MODEL_RATE
QUERY = 6 * MODEL_RATE
CENTER = round(CHUNK_SECONDS * MODEL_RATE)
LONGEST = 41 * MODEL_RATE


@dataclass(frozen=True)
class Chunk:
    """Samples `start` to `stop` of the recording at 16 kHz; `stop` is None for the last one.

    A silent one is not converted: digital silence takes its place.
    """

    start: int
    stop: int | None
    silent: bool = False

    def audio(self, padded: Samples) -> np.ndarray:
        """Cut the chunk with its context out of the padded recording (samples,)."""
        return padded[self.start : None if self.stop is None else self.stop + 2 * PAD + HOP]

    def frames(self, curve: np.ndarray) -> np.ndarray:
        """Cut the chunk's frames out of a curve over the padded recording, 100 a second."""
        return curve[
            self.start // HOP : None if self.stop is None else (self.stop + 2 * PAD) // HOP
        ]


def plan(
    audio: Samples,
    seconds: float = CHUNK_SECONDS,
    stretches: Sequence[tuple[int, int]] | None = None,
) -> list[Chunk]:
    """Cut audio (samples,) at 16 kHz at its `quiet_points`, one about every `seconds`.

    stretches: (start, stop) of those to convert, as `mlx_rvc.silence.sounding` gives them; what
    lies between is silent. None converts everything.
    """
    pieces, end = [], 0
    for start, stop in [(0, len(audio))] if stretches is None else stretches:
        if start > end:
            pieces.append(Chunk(end, start, silent=True))
        cuts = [start + cut for cut in quiet_points(Excerpt(audio, start, stop), seconds)]
        pieces += [Chunk(*edges) for edges in pairwise([start, *cuts, stop])]
        end = stop
    if end < len(audio):
        pieces.append(Chunk(end, len(audio), silent=True))
    return [*pieces[:-1], replace(pieces[-1], stop=None)]


def quiet_points(audio: Samples, seconds: float = CHUNK_SECONDS) -> list[int]:
    """Samples where audio (samples,) at 16 kHz is cut, one about every `seconds`.

    For 38 s: of the multiples of `GRID` within 6 s of each multiple of 38 s, the one whose
    surrounding 10 ms are quietest (sum of magnitudes, where the reference of 2023 sums signed
    samples and so prefers loud but balanced ones). Audio of up to 41 s stays whole. For other
    lengths all three are in proportion.
    """
    scale = seconds / CHUNK_SECONDS
    center = max(round(CENTER * scale) // GRID, 1) * GRID
    query = round(QUERY * scale) // GRID * GRID
    if len(audio) + HOP <= LONGEST * scale:
        return []
    return [
        _quietest(audio, middle - query, min(middle + query, len(audio)))
        for middle in range(center, len(audio), center)
    ]


def _quietest(audio: Samples, first: int, stop: int) -> int:
    """Middle of the quietest window of one hop, among first, first + GRID, ... below stop."""
    magnitude = np.abs(Padded(audio, HOP // 2)[first : stop + HOP])
    windows = np.lib.stride_tricks.sliding_window_view(magnitude, HOP)[: stop - first : GRID]
    return first + GRID * int(np.argmin(windows.sum(axis=1)))
