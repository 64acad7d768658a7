"""Channels to one, one sample rate to another: whole arrays, or block after block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def to_mono(audio: np.ndarray) -> np.ndarray:
    """Average the channels: (n, channels) or (n,) -> float32 (n,)."""
    import numpy as np

    audio = np.asarray(audio, np.float32)
    if audio.ndim == 1:
        return audio
    if audio.ndim != 2 or audio.shape[1] == 0:
        raise ValueError(f"audio has shape {audio.shape}; expected (n,) or (n, channels)")
    return audio[:, 0] if audio.shape[1] == 1 else audio.mean(axis=1, dtype=np.float32)


def resample(audio: np.ndarray, sample_rate_in: int, sample_rate_out: int) -> np.ndarray:
    """Resample with soxr's HQ filter (linear phase, no delay).

    (n,) or (n, channels) -> float32 of exactly round(n * sample_rate_out / sample_rate_in)
    frames. Raises ValueError for rates that are not positive and for other shapes.
    """
    import numpy as np
    import soxr

    audio = np.asarray(audio, np.float32)
    if audio.ndim not in (1, 2):
        raise ValueError(f"audio has shape {audio.shape}; expected (n,) or (n, channels)")
    if sample_rate_in <= 0 or sample_rate_out <= 0:
        raise ValueError(f"cannot resample from {sample_rate_in} Hz to {sample_rate_out} Hz")
    length = round(len(audio) * sample_rate_out / sample_rate_in)
    if sample_rate_in == sample_rate_out or length == 0:
        return audio[:length]
    out = soxr.resample(audio, sample_rate_in, sample_rate_out, quality="HQ")
    if len(out) < length:  # not seen with soxr 1.1: it rounds halves up, Python to even
        out = np.pad(out, [(0, length - len(out))] + [(0, 0)] * (audio.ndim - 1))
    return np.ascontiguousarray(out[:length], np.float32)


def resample_blocks(
    blocks: Iterable[np.ndarray], sample_rate_in: int, sample_rate_out: int
) -> Iterator[np.ndarray]:
    """Resample a recording that comes in blocks; the same samples as from `resample`.

    Blocks are (n,), or all (n, channels); yields float32 blocks of the same kind and other
    lengths, none empty, together exactly round(n * sample_rate_out / sample_rate_in) frames.
    Raises ValueError for rates that are not positive.
    """
    import numpy as np
    import soxr

    if sample_rate_in <= 0 or sample_rate_out <= 0:
        raise ValueError(f"cannot resample from {sample_rate_in} Hz to {sample_rate_out} Hz")
    if sample_rate_in == sample_rate_out:
        yield from (np.asarray(block, np.float32) for block in blocks if len(block))
        return
    stream: soxr.ResampleStream | None = None
    none = np.zeros(0, np.float32)
    taken = given = 0
    for block in blocks:
        if stream is None:
            channels = 1 if block.ndim == 1 else block.shape[1]
            stream = soxr.ResampleStream(sample_rate_in, sample_rate_out, channels, "float32", "HQ")
            none = np.zeros((0, *block.shape[1:]), np.float32)
        taken += len(block)
        out = stream.resample_chunk(np.ascontiguousarray(block, np.float32))
        given += len(out)
        if len(out):
            yield out
    # The filter still holds the last samples: what rounding adds or lacks is settled here.
    missing = round(taken * sample_rate_out / sample_rate_in) - given
    if stream is not None and missing > 0:
        out = stream.resample_chunk(none, last=True)[:missing]
        yield np.pad(out, [(0, missing - len(out))] + [(0, 0)] * (out.ndim - 1))
