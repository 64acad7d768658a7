"""Audio files out: format by extension, checked before any work, written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlx_rvc_cli.encoding import encoder
from mlx_rvc_cli.errors import AudioFileError
from mlx_rvc_cli.files import atomic_path, check_folder
from mlx_rvc_cli.formats import WAV, Format, format_of
from mlx_rvc_cli.pipes import check_stdout, is_pipe, to_stdout
from mlx_rvc_cli.resampling import resample_blocks

if TYPE_CHECKING:
    import numpy as np

    from mlx_rvc_cli.tags import Tags

# libsndfile's Vorbis and MP3 encoders put a whole write on the stack: long audio goes in blocks.
_BLOCK = 1 << 16  # frames
_PEAK = 0.99  # what a too loud signal is scaled to, as the reference does


@dataclass(frozen=True)
class Written:
    """What was written: the gain that was applied (1.0 = none), and the sample rate in Hz."""

    gain: float
    sample_rate: int


def check_output(
    path: str | os.PathLike[str],
    sample_rate: int | None = None,
    *,
    bit_depth: int | None = None,
    tags: bool = False,
) -> Path:
    """Check that an audio file can be written to `path`, before any work is done.

    Known extension, existing writable folder, and (when given) a possible sample rate in Hz, a
    bit depth that the format has, and whether tags can be written. "-" is standard output, a wav
    file without tags; a terminal is refused. Returns the path; raises AudioFileError or
    CommandError.
    """
    path = Path(path)
    form = _format(path)
    form.encoding(bit_depth)
    if is_pipe(path):
        check_stdout()
        if tags:
            raise AudioFileError(
                "tags cannot go to standard output: name a file, or leave them out"
            )
    else:
        check_folder(path)
    if tags:
        from mlx_rvc_cli.tags import check_tags

        check_tags()
    if sample_rate is not None:
        form.nearest_rate(sample_rate)
    return path


def output_rate(path: str | os.PathLike[str], sample_rate: int) -> int:
    """The rate in Hz at which audio of `sample_rate` Hz is written to `path`.

    The nearest one that its format allows: .opus 8, 12, 16, 24, 48 kHz; .mp3 8 to 48 kHz, of the
    usual rates; .m4a these and 64, 88.2, 96 kHz; others any. Raises AudioFileError for an unknown
    format and a rate that is not positive.
    """
    return _format(Path(path)).nearest_rate(sample_rate)


def _format(path: Path) -> Format:
    return WAV if is_pipe(path) else format_of(path)


def write_audio(
    path: str | os.PathLike[str],
    audio: np.ndarray,
    sample_rate: int,
    *,
    bit_depth: int | None = None,
    tags: Tags | None = None,
) -> Written:
    """Write float audio (n,) or (n, channels), full scale ±1, atomically; format by extension.

    bit_depth: 16 (the default), 24 or, for wav and aiff, 32 (float); other formats have none.
    tags: what to say about the recording (`mlx_rvc_cli.tags`).

    A rate that the format cannot hold becomes the nearest that it can, and the audio is resampled
    to it. A signal louder than full scale is scaled as a whole to a peak of 0.99 instead of being
    clipped. Returns the rate and the gain. "-" writes a wav file to standard output. Raises
    AudioFileError for what check_output refuses, for NaN or infinite samples and for no samples.
    """
    import numpy as np

    path = check_output(path, sample_rate, bit_depth=bit_depth, tags=bool(tags))
    samples = np.asarray(audio)
    if samples.dtype.kind != "f":
        raise AudioFileError(f"{path}: audio is {samples.dtype}; expected floats within ±1")
    samples = samples[:, None] if samples.ndim == 1 else samples
    if samples.ndim != 2 or 0 in samples.shape:
        raise AudioFileError(f"{path}: audio of shape {samples.shape} holds nothing to write")
    frames, channels = samples.shape
    return write_blocks(
        path,
        lambda start, stop: samples[start:stop],
        frames,
        sample_rate,
        channels=channels,
        bit_depth=bit_depth,
        tags=tags,
    )


def write_blocks(
    path: str | os.PathLike[str],
    read: Callable[[int, int], np.ndarray],
    frames: int,
    sample_rate: int,
    *,
    channels: int = 1,
    bit_depth: int | None = None,
    tags: Tags | None = None,
) -> Written:
    """Write audio that need not be in memory; like `write_audio` in all else.

    read: called with (start, stop) in frames, gives floats (stop - start, channels), or
    (stop - start,) for one channel. It is asked for everything twice, in order: the peak of the
    whole decides on the gain before the first frame is written.
    """
    import numpy as np

    path = check_output(path, sample_rate, bit_depth=bit_depth, tags=bool(tags))
    form = _format(path)
    rate = form.nearest_rate(sample_rate)
    _check_size(path, form, round(frames * rate / sample_rate), channels, bit_depth)

    def blocks() -> Iterator[np.ndarray]:
        parts = (
            np.asarray(read(start, min(start + _BLOCK, frames))).reshape(-1, channels)
            for start in range(0, frames, _BLOCK)
        )
        return parts if rate == sample_rate else _cut(resample_blocks(parts, sample_rate, rate))

    peak = 0.0
    for block in blocks():
        loudest = float(max(block.max(), -block.min()))
        if not np.isfinite(loudest):
            raise AudioFileError(
                f"{path}: the audio holds NaN or infinite samples; nothing written"
            )
        peak = max(peak, loudest)
    gain = _PEAK / peak if peak > 1.0 else 1.0
    with _target(path) as target:
        with encoder(target, str(path), form, form.encoding(bit_depth), rate, channels) as write:
            for block in blocks():
                scaled = block * gain if gain != 1.0 else block
                write(np.ascontiguousarray(scaled, np.float32))
        if tags and isinstance(target, Path):
            from mlx_rvc_cli.tags import write_tags

            write_tags(target, tags)
    return Written(gain, rate)


def _check_size(
    path: Path, form: Format, frames: int, channels: int, bit_depth: int | None
) -> None:
    """Refuse what the format cannot hold: no samples, too many channels, too many bytes."""
    if frames <= 0:
        raise AudioFileError(f"{path}: the audio holds nothing to write")
    if channels > form.channels:
        raise AudioFileError(f"{path}: {channels} channels; {form.extension} holds {form.channels}")
    if form.limit is not None and frames * channels * (bit_depth or 16) // 8 > form.limit:
        raise AudioFileError(f"{path}: longer than {form.extension} can hold (4 GiB): use .flac")


def _cut(blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """The same samples in blocks that an encoder's stack holds: resampling may make them longer."""
    for block in blocks:
        for start in range(0, len(block), _BLOCK):
            yield block[start : start + _BLOCK]


@contextmanager
def _target(path: Path) -> Iterator[Path | int]:
    """Where to write: a file that takes its place when whole, or what then goes to stdout."""
    with to_stdout() if is_pipe(path) else atomic_path(path) as target:
        yield target
