"""Audio as callers have it, made into what a model reads."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_SHORTEST_CLIP = 8  # samples; a batch of more clips than this, each shorter, is a transposed stereo


@dataclass(frozen=True)
class Recording:
    """Clips at the model's rate, read a stretch at a time.

    Attributes:
        read: called with (start, stop), gives samples of shape (batch, stop - start).
        batch: number of clips.
        samples: length of each.
    """

    read: Callable[[int, int], np.ndarray]
    batch: int
    samples: int

    @classmethod
    def of(cls, clips: np.ndarray) -> Recording:
        """Clips (B, n) that are in memory."""
        return cls(lambda start, stop: clips[:, start:stop], *clips.shape)

    @classmethod
    def checked(
        cls,
        read: Callable[[int, int], np.ndarray],
        samples: int,
        dtype: npt.DTypeLike = np.float32,
    ) -> Recording:
        """One clip from a caller's function: floats of shape (stop - start,).

        Raises:
            ValueError: no samples, or (when it is read) what is wrong with a stretch.
        """
        if samples < 1:
            raise ValueError(f"the recording has {samples} samples; expected at least one")

        def stretch(start: int, stop: int) -> np.ndarray:
            clip = np.asarray(read(start, stop))
            if clip.dtype.kind != "f" or clip.shape != (stop - start,):
                raise ValueError(
                    f"samples {start} to {stop} were read as {clip.dtype} of shape {clip.shape}; "
                    f"expected floats of shape ({stop - start},)"
                )
            clip = clip.astype(dtype, copy=False)
            _check_finite(clip)
            return clip[None]

        return cls(stretch, 1, samples)


def check_stretch(samples: npt.ArrayLike, sample_rate: int) -> np.ndarray:
    """Samples that continue a stream, as float32 of shape (n,); none is enough.

    Args:
        samples: mono floats.
        sample_rate: of the model, Hz; nothing is resampled, the error names it.

    Raises:
        ValueError: integers, another shape, NaN or infinite samples.
    """
    clip = np.asarray(samples)
    if clip.dtype.kind != "f" or clip.ndim != 1:
        raise ValueError(
            f"samples are {clip.dtype} of shape {clip.shape}; expected mono floats (n,) at "
            f"{sample_rate / 1000:g} kHz"
        )
    clip = clip.astype(np.float32, copy=False)
    _check_finite(clip)
    return clip


def prepare(
    audio: npt.ArrayLike,
    sample_rate: float,
    target_rate: int,
    dtype: npt.DTypeLike = np.float32,
) -> tuple[np.ndarray, bool]:
    """Check audio and bring it to the model's rate.

    Args:
        audio: floats of shape (n,) or (B, n), of NumPy or anything that becomes it (MLX).
        sample_rate: of the audio, Hz.
        target_rate: of the model, Hz; other rates are resampled (soxr HQ).
        dtype: of the result.

    Returns:
        Samples of shape (B, round(n * target_rate / sample_rate)), and whether it was one clip.

    Raises:
        ValueError: what is wrong with the audio or the rate, and what is expected.
    """
    clips = np.asarray(audio)
    if clips.dtype.kind != "f":
        raise ValueError(f"audio is of type {clips.dtype}; expected floats within -1 to 1")
    if clips.ndim not in (1, 2):
        raise ValueError(f"audio has shape {clips.shape}; expected mono (n,) or a batch (B, n)")
    if clips.ndim == 2 and clips.shape[1] <= _SHORTEST_CLIP < clips.shape[0]:
        raise ValueError(
            f"audio of shape {clips.shape} would be {clips.shape[0]} clips of {clips.shape[1]}"
            " samples; mix channels to mono (n,) or pass a batch as (B, n)"
        )
    if not (math.isfinite(sample_rate) and sample_rate > 0):
        raise ValueError(f"the sample rate is {sample_rate} Hz; expected a positive number")
    if clips.size == 0:
        raise ValueError(f"audio of shape {clips.shape} has no samples; expected at least one")
    single = clips.ndim == 1
    clips = np.atleast_2d(clips).astype(dtype, copy=False)
    _check_finite(clips)
    if sample_rate != target_rate:
        clips = _resample(clips, sample_rate, target_rate)
    return clips, single


def _check_finite(clips: np.ndarray) -> None:
    # A sum is finite only if all its terms are, and needs no second copy of a long recording.
    with np.errstate(invalid="ignore"):
        total = float(np.sum(clips, dtype=np.float64))
    if not math.isfinite(total):
        raise ValueError("audio holds NaN or infinite samples; every sample must be finite")


def _resample(clips: np.ndarray, sample_rate: float, target_rate: int) -> np.ndarray:
    """(B, n) at one rate to (B, round(n * ratio)), at least one sample, at another."""
    import soxr

    length = max(round(clips.shape[1] * target_rate / sample_rate), 1)
    out = soxr.resample(np.ascontiguousarray(clips.T), sample_rate, target_rate, quality="HQ")
    out = np.asarray(out, clips.dtype).reshape(-1, clips.shape[0]).T[:, :length]
    # soxr rounds halves the other way.
    return np.pad(out, ((0, 0), (0, length - out.shape[1])))
