"""The stereo field of a recording: where its sound lies, and a mono voice put back there.

The voice model gives one channel. Each channel of the result is the converted voice times

    gain_c(t) = channels * rms_c(t) / sum over channels of rms(t)

with the RMS of the original's channels over about 0.3 s. For a voice that is panned, this is
rms_c / rms of the mono mix: a voice that is hard left comes back hard left and as loud, one in the
centre the same on both sides. Unlike a ratio to the mix, it stays below the number of channels
where the channels cancel in the mix, and the mix of the result is the converted voice at any time.

A phase or a delay between the channels (a wide room, an inverted channel) does not come back: the
voice lies where its level says.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mlx_rvc.track import Samples, spans

FRAME_S = 0.02
"""Seconds of one point of a field."""

WINDOW_S = 0.3
"""Seconds over which energies are averaged: words move, syllables do not."""

_FAINT = 10 ** (-50 / 20)
"""Of the loudest 0.3 s: what is fainter is noise, which says nothing of where the voice is."""


@dataclass(frozen=True)
class Field:
    """Where the sound of a recording lies over time.

    gains: (frames, channels), at each time 0 to channels with the mean 1; 50 a second.
    frame_s: seconds of one frame, whose gains hold in its middle.
    """

    gains: np.ndarray
    frame_s: float

    def at(self, times_s: np.ndarray) -> np.ndarray:
        """Gains (n, channels) at times (n,) in seconds, linear in between, held at the ends."""
        centres = (np.arange(len(self.gains)) + 0.5) * self.frame_s
        return np.stack([np.interp(times_s, centres, gain) for gain in self.gains.T], axis=1)


class FieldMeter:
    """Measures the field of a recording that comes in blocks (n, channels), in little memory.

    Two numbers for each 20 ms are kept: 3 MB for an hour of stereo.
    """

    def __init__(self, sample_rate: int, channels: int = 2) -> None:
        self._frame = max(round(FRAME_S * sample_rate), 1)
        self._sample_rate = sample_rate
        self._rest = np.zeros((0, channels))
        self._energies: list[np.ndarray] = []

    def add(self, block: np.ndarray) -> None:
        """Take the next samples (n, channels)."""
        samples = np.concatenate([self._rest, block])
        whole = len(samples) // self._frame * self._frame
        self._energies.append(energies(samples[:whole], self._frame))
        self._rest = samples[whole:]

    def field(self) -> Field:
        """The field of all that was added."""
        last = energies(self._rest, len(self._rest)) if len(self._rest) else self._rest[:0]
        frame_s = self._frame / self._sample_rate
        return Field(gains(np.concatenate([*self._energies, last]), frame_s), frame_s)


def energies(audio: np.ndarray, frame: int) -> np.ndarray:
    """Mean squares (frames, channels) of audio (frames * frame, channels), frame by frame."""
    if not len(audio):
        return np.zeros((0, audio.shape[1]))
    parts = audio.reshape(-1, frame, audio.shape[1])
    return np.mean(np.square(parts, dtype=np.float64), axis=1)


def gains(energy: np.ndarray, frame_s: float) -> np.ndarray:
    """Mean squares (frames, channels) to gains (frames, channels) of mean 1 over the channels.

    Energies are averaged over `WINDOW_S` with a Hann window, so that the loud decide and a pause
    takes the place of the words around it. Where all within the window is 50 dB below the loudest,
    the place glides between those before and after; with no sound at all it is the centre.
    """
    frames, channels = energy.shape
    reach = max(round(WINDOW_S / frame_s / 2), 1)
    window = np.hanning(2 * reach + 3)[1:-1]
    window /= window.sum()
    smooth = np.stack([np.convolve(column, window, "full") for column in energy.T], axis=1)
    level = np.sqrt(np.maximum(smooth[reach : reach + frames], 0))
    total = level.sum(axis=1)
    heard = np.flatnonzero(total > _FAINT * total.max(initial=0))
    if not len(heard):
        return np.ones((max(frames, 1), channels))
    shares = channels * level[heard] / total[heard, None]
    places = np.arange(frames)
    return np.stack([np.interp(places, heard, share) for share in shares.T], axis=1)


def place(audio: np.ndarray, start: int, sample_rate: int, field: Field) -> np.ndarray:
    """Put mono audio (n,), which begins at sample `start`, into a field: float32 (n, channels)."""
    times_s = (start + np.arange(len(audio)) + 0.5) / sample_rate
    return (audio[:, None] * field.at(times_s)).astype(np.float32)


class Placed:
    """Mono audio (n,) at a rate in Hz within a field: read by slices as (n, channels)."""

    def __init__(self, audio: Samples, sample_rate: int, field: Field) -> None:
        self._audio = audio
        self._sample_rate = sample_rate
        self._field = field
        self.channels = field.gains.shape[1]

    def __len__(self) -> int:
        """Number of frames."""
        return len(self._audio)

    def __getitem__(self, part: slice) -> np.ndarray:
        """Frames start to stop, float32 (n, channels)."""
        start, stop, _ = part.indices(len(self))
        blocks = [
            place(
                self._audio[start + inner.start : start + inner.stop],
                start + inner.start,
                self._sample_rate,
                self._field,
            )
            for inner in spans(max(stop - start, 0))
        ]
        return np.concatenate(blocks) if blocks else np.zeros((0, self.channels), np.float32)


def measured(blocks: Iterator[np.ndarray], meter: FieldMeter) -> Iterator[np.ndarray]:
    """Pass blocks (n, channels) on, having let the meter see them."""
    for block in blocks:
        meter.add(block)
        yield block
