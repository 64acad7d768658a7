"""The input recording as the models want it: mono at 16 kHz, peak rule and high-pass.

Source: RVC-WebUI, `infer/modules/vc/{modules,pipeline}.py`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, cast

import numpy as np

from mlx_rvc.track import Track, spans

if TYPE_CHECKING:
    from mlx_rvc.stereo import Field, Placed

MODEL_RATE = 16000
"""Sample rate in Hz at which content features and F0 are taken."""

PEAK = 0.95
HIGHPASS_HZ = 48
HIGHPASS_ORDER = 5

Audio = TypeVar("Audio", np.ndarray, Track)
"""Samples (n,) that can be replaced."""


@dataclass(frozen=True)
class Recording:
    """A recording that has been read: its samples at 16 kHz, its own length and rate in Hz.

    field: where its sound lies between its channels, when that is to be kept.
    """

    audio: Track
    samples: int
    sample_rate: int
    field: "Field | None" = None

    @classmethod
    def taken(cls, blocks: Iterable[np.ndarray], sample_rate: int) -> "Recording":
        """Read blocks of mono audio (n,) at `sample_rate` Hz to their end."""
        from mlx_rvc_cli.audio import resample_blocks

        samples = 0

        def counted() -> Iterator[np.ndarray]:
            nonlocal samples
            for block in blocks:
                samples += len(block)
                yield block

        audio = Track()
        for block in resample_blocks(counted(), sample_rate, MODEL_RATE):
            audio.append(block)
        if not len(audio):  # so short that no sample is left at 16 kHz
            audio.append(np.zeros(1))
        return cls(audio, samples, sample_rate)

    def length_at(self, sample_rate: int) -> int:
        """Samples of the same duration at another rate, rounded."""
        return round(self.samples * sample_rate / self.sample_rate)


def blocks_of(audio: np.ndarray) -> Iterator[np.ndarray]:
    """Blocks (n,) or (n, channels) of audio of these shapes, which is checked first.

    Raises ValueError for another shape or type, no samples, and samples that are not finite.
    """
    if audio.ndim not in (1, 2):
        raise ValueError(
            f"the audio has the shape {audio.shape}; expected (samples,) or (samples, channels)"
        )
    if not np.issubdtype(audio.dtype, np.floating):
        raise ValueError(
            f"the audio is of type {audio.dtype}; expected float with full scale 1 "
            f"(16-bit samples: divide by 32768)"
        )
    if audio.size == 0:
        raise ValueError("the audio is empty; expected at least one sample")
    if not all(np.isfinite(audio[part]).all() for part in spans(len(audio))):
        raise ValueError("the audio holds NaN or infinite samples; export it again and retry")
    for part in spans(len(audio)):
        yield audio[part]


def mono(block: np.ndarray) -> np.ndarray:
    """Mix a block (n,) or (n, channels) down to float32 (n,)."""
    return (block if block.ndim == 1 else block.mean(axis=1)).astype(np.float32)


def peak(audio: "np.ndarray | Track | Placed") -> float:
    """Largest magnitude of audio (samples,) or (samples, channels)."""
    return max((float(np.abs(audio[part]).max()) for part in spans(len(audio))), default=0.0)


def prepare(audio: Audio) -> Audio:
    """Scale down loud audio and remove what lies under the voice.

    audio: (samples,) at 16 kHz, an array or a track. Returns float64 of the same kind: peak at
    most 0.95 before a Butterworth high-pass of order 5 at 48 Hz, run forwards and backwards, so
    that it delays nothing (`scipy.signal.filtfilt`, block by block).
    """
    from scipy.signal import butter

    audio = audio.astype(np.float64)
    excess = peak(audio) / PEAK
    if excess > 1:
        for part in spans(len(audio)):
            audio[part] = audio[part] / excess
    b, a = cast(
        "tuple[np.ndarray, np.ndarray]",
        butter(HIGHPASS_ORDER, HIGHPASS_HZ, btype="high", fs=MODEL_RATE),
    )
    _filter_both_ways(audio, b, a)
    return audio


def _filter_both_ways(audio: np.ndarray | Track, b: np.ndarray, a: np.ndarray) -> None:
    """Zero-phase filtering of audio (samples,) in place.

        odd extension |--18--|..... forwards, the state goes from block to block .....|--18--|
                      |--18--|..... backwards, likewise, from the extension's end ....|--18--|

    Both ways start in the steady state of their first sample.
    """
    from scipy.signal import lfilter, lfilter_zi

    length = len(audio)
    # scipy's own default extends both ends by 18 samples, which shorter audio does not have.
    reach = min(3 * max(len(a), len(b)), length - 1)
    head, tail = audio[: reach + 1], audio[length - reach - 1 :]
    before = 2 * head[0] - head[:0:-1]
    after = 2 * tail[-1] - tail[-2::-1]

    steady = lfilter_zi(b, a)
    state = steady * (before[0] if reach else head[0])
    if reach:
        _, state = lfilter(b, a, before, zi=state)
    for part in spans(length):
        audio[part], state = lfilter(b, a, audio[part], zi=state)
    if reach:
        after, state = lfilter(b, a, after, zi=state)

    state = steady * (after[-1] if reach else audio[length - 1 :][-1])
    if reach:
        _, state = lfilter(b, a, after[::-1], zi=state)
    for part in reversed(list(spans(length))):
        block, state = lfilter(b, a, audio[part][::-1], zi=state)
        audio[part] = block[::-1]
