"""Audio files out: format by extension, checked before any work, written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlx_rvc_cli.errors import AudioFileError
from mlx_rvc_cli.files import atomic_path, check_folder

if TYPE_CHECKING:
    import numpy as np

# libsndfile's Vorbis and MP3 encoders put a whole write on the stack: long audio goes in blocks.
_BLOCK = 1 << 16  # frames
_WAV_LIMIT = (1 << 32) - 4096  # bytes; RIFF sizes are 32-bit
_PEAK = 0.99  # what a too loud signal is scaled to, as the reference does


@dataclass(frozen=True)
class _Format:
    container: str
    subtype: str
    rates: tuple[int, ...] = ()  # Hz; empty = any
    channels: int = 1024


_MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_OPUS_RATES = (8000, 12000, 16000, 24000, 48000)
_FORMATS = {
    ".wav": _Format("WAV", "PCM_16"),
    ".flac": _Format("FLAC", "PCM_16", channels=8),
    ".ogg": _Format("OGG", "VORBIS", channels=255),
    ".opus": _Format("OGG", "OPUS", _OPUS_RATES, channels=255),
    ".mp3": _Format("MP3", "MPEG_LAYER_III", _MP3_RATES, channels=2),
    ".aiff": _Format("AIFF", "PCM_16"),
    ".aif": _Format("AIFF", "PCM_16"),
}


def check_output(path: str | os.PathLike[str], sample_rate: int | None = None) -> Path:
    """Check that an audio file can be written to `path`, before any work is done.

    Known extension, existing writable folder, and (when given) a sample rate in Hz that the
    format can hold. Returns the path; raises AudioFileError or CommandError.
    """
    path = Path(path)
    form = _format(path)
    check_folder(path)
    if sample_rate is not None:
        _check_rate(path, form, sample_rate)
    return path


def _format(path: Path) -> _Format:
    form = _FORMATS.get(path.suffix.lower())
    if form is None:
        found = f"the extension {path.suffix!r} is" if path.suffix else "no extension is"
        raise AudioFileError(
            f"{path}: {found} not a format that can be written; use one of {', '.join(_FORMATS)}"
        )
    return form


def _check_rate(path: Path, form: _Format, sample_rate: int) -> None:
    if sample_rate <= 0:
        raise AudioFileError(f"{path}: a sample rate of {sample_rate} Hz is not possible")
    if form.rates and sample_rate not in form.rates:
        nearest = next((rate for rate in form.rates if rate >= sample_rate), form.rates[-1])
        raise AudioFileError(
            f"{path}: {path.suffix.lower()} cannot hold {sample_rate} Hz (only "
            f"{', '.join(map(str, form.rates))}): write at {nearest} Hz, or as .wav or .flac"
        )


def write_audio(path: str | os.PathLike[str], audio: np.ndarray, sample_rate: int) -> float:
    """Write float audio (n,) or (n, channels), full scale ±1, atomically; format by extension.

    wav, flac and aiff are 16-bit. A signal louder than full scale is scaled as a whole to a peak
    of 0.99 instead of being clipped. Returns that gain: 1.0 when nothing was changed.
    Raises AudioFileError for what check_output refuses, for NaN or infinite samples and for no
    samples at all.
    """
    import numpy as np

    path = check_output(path, sample_rate)
    samples = np.asarray(audio)
    if samples.dtype.kind != "f":
        raise AudioFileError(f"{path}: audio is {samples.dtype}; expected floats within ±1")
    samples = samples[:, None] if samples.ndim == 1 else samples
    if samples.ndim != 2 or 0 in samples.shape:
        raise AudioFileError(f"{path}: audio of shape {samples.shape} holds nothing to write")
    frames, channels = samples.shape
    return write_blocks(
        path, lambda start, stop: samples[start:stop], frames, sample_rate, channels=channels
    )


def write_blocks(
    path: str | os.PathLike[str],
    read: Callable[[int, int], np.ndarray],
    frames: int,
    sample_rate: int,
    *,
    channels: int = 1,
) -> float:
    """Write audio that need not be in memory; like `write_audio` in all else.

    read: called with (start, stop) in frames, gives floats (stop - start, channels), or
    (stop - start,) for one channel. It is asked for everything twice, in order: the peak of the
    whole decides on the gain before the first frame is written.
    """
    import numpy as np
    import soundfile

    path = check_output(path, sample_rate)
    form = _format(path)
    if frames <= 0:
        raise AudioFileError(f"{path}: the audio holds nothing to write")
    if channels > form.channels:
        raise AudioFileError(f"{path}: {channels} channels; {path.suffix} holds {form.channels}")
    if form.container in ("WAV", "AIFF") and frames * channels * 2 > _WAV_LIMIT:
        raise AudioFileError(f"{path}: longer than {path.suffix} can hold (4 GiB): use .flac")

    def blocks() -> Iterator[np.ndarray]:
        for start in range(0, frames, _BLOCK):
            yield read(start, min(start + _BLOCK, frames))

    peak = 0.0
    for block in blocks():
        loudest = float(max(block.max(), -block.min()))
        if not np.isfinite(loudest):
            raise AudioFileError(
                f"{path}: the audio holds NaN or infinite samples; nothing written"
            )
        peak = max(peak, loudest)
    gain = _PEAK / peak if peak > 1.0 else 1.0
    with atomic_path(path) as temporary:
        try:
            with soundfile.SoundFile(
                temporary, "w", sample_rate, channels, form.subtype, format=form.container
            ) as file:
                for block in blocks():
                    scaled = block * gain if gain != 1.0 else block
                    file.write(np.ascontiguousarray(scaled, np.float32))
        except soundfile.LibsndfileError as error:
            raise AudioFileError(
                f"{path} cannot be written ({error.error_string.strip()}): try .wav"
            ) from None
    return gain
