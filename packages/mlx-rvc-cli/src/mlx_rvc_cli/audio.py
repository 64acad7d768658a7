"""Audio files in and out: float32 samples (n, channels), any rate, format by extension."""

from __future__ import annotations

import codecs
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlx_rvc_cli.errors import CommandError
from mlx_rvc_cli.files import atomic_path, check_folder

if TYPE_CHECKING:
    import numpy as np

# libsndfile's Vorbis and MP3 encoders put a whole write on the stack: long audio goes in blocks.
_BLOCK = 1 << 16  # frames
_UNKNOWN = (1 << 63) - 1  # frames, as libsndfile says that a file does not give its length
_WAV_LIMIT = (1 << 32) - 4096  # bytes; RIFF sizes are 32-bit
_PEAK = 0.99  # what a too loud signal is scaled to, as the reference does


class AudioFileError(CommandError):
    """An audio file that cannot be read or written; the text says why and what to do."""


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


def read_audio(path: str | os.PathLike[str]) -> tuple[np.ndarray, int]:
    """Read an audio file: wav, flac, ogg, opus, mp3, aiff and whatever else libsndfile reads.

    Returns (samples, sample_rate): float32 (n, channels), full scale ±1, n >= 1; Hz.
    Raises AudioFileError for a missing file, a folder, an empty or truncated file, a file that is
    not audio (saying what was found), no samples, and samples that are NaN or infinite.
    """
    import numpy as np

    path = Path(path)
    if path.is_dir():
        raise AudioFileError(f"{path} is a folder, not an audio file")
    if not path.exists():
        raise AudioFileError(f"{path}: no such file")
    if path.stat().st_size == 0:
        raise AudioFileError(f"{path} is empty (0 bytes)")
    samples, sample_rate, announced = _decode(path)
    if len(samples) == 0:
        raise AudioFileError(f"{path} holds no audio samples")
    if announced is not None and len(samples) < announced:
        raise AudioFileError(
            f"{path} ends after {len(samples)} of the {announced} samples that it announces: "
            "it is truncated or damaged; fetch it again"
        )
    if not np.isfinite(samples).all():
        bad = int(np.flatnonzero(~np.isfinite(samples).all(axis=1))[0])
        raise AudioFileError(
            f"{path} holds a sample that is NaN or infinite, first at {bad / sample_rate:.3f} s: "
            "repair the recording first"
        )
    return samples, sample_rate


def _decode(path: Path) -> tuple[np.ndarray, int, int | None]:
    import numpy as np
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:
            announced = file.frames if file.frames < _UNKNOWN else None
            if announced is not None:
                samples = file.read(dtype="float32", always_2d=True)
            else:
                # A piped FLAC does not know its length, and seeking in it, which soundfile does
                # after each read, fails.
                file.seekable = lambda: False
                blocks: list[Any] = []
                while not blocks or len(blocks[-1]) == _BLOCK:
                    blocks.append(file.read(_BLOCK, dtype="float32", always_2d=True))
                samples = np.concatenate(blocks)
            return samples, file.samplerate, announced
    except MemoryError:
        raise MemoryError(f"{path} does not fit into memory: convert it in parts") from None
    except PermissionError:
        raise
    except (soundfile.SoundFileError, RuntimeError, TypeError, ValueError, OSError) as error:
        found = _sniff(path)
        if found:
            raise AudioFileError(f"{path} {found}") from None
        reason = getattr(error, "error_string", None) or str(error)
        raise AudioFileError(
            f"{path} cannot be read as audio ({reason.strip().rstrip('.')}): "
            "convert it to .wav or .flac first"
        ) from None


_CONVERT = "which libsndfile cannot read: convert it to .wav or .flac first (ffmpeg -i IN OUT.wav)"
_SIGNS = (  # (offset, first bytes in any case, what the file is)
    (4, b"ftyp", f"is an MP4/M4A container, {_CONVERT}"),
    (0, b"\x1a\x45\xdf\xa3", f"is a WebM/Matroska container, {_CONVERT}"),
    (0, b"\x30\x26\xb2\x75", f"is a WMA/ASF container, {_CONVERT}"),
    (0, b"#!amr", f"is an AMR recording, {_CONVERT}"),
    (0, b"wvpk", f"is a WavPack file, {_CONVERT}"),
    (0, b"mac ", f"is a Monkey's Audio file, {_CONVERT}"),
    (0, b"adif", f"is an AAC stream, {_CONVERT}"),
    (0, b"\xff\xf1", f"is an AAC stream, {_CONVERT}"),
    (0, b"\xff\xf9", f"is an AAC stream, {_CONVERT}"),
    (0, b"flv\x01", f"is a Flash video, {_CONVERT}"),
    (0, b"pk\x03\x04", "is a zip archive, not audio: unpack it first"),
    (0, b"<!doctype html", "is an HTML page, not audio: the download failed"),
    (0, b"<html", "is an HTML page, not audio: the download failed"),
    (0, b"version https://git-lfs", "is a Git LFS pointer, not audio: fetch the real file"),
)


def _sniff(path: Path) -> str | None:
    """Say what a file that is not readable audio really is, from its first bytes."""
    with path.open("rb") as file:
        head = file.read(512)
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n").lower()
    for offset, magic, name in _SIGNS:
        if start[offset:].startswith(magic.lower()):
            return name
    try:
        # The cut at 512 bytes may split a character: incremental decoding allows that.
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return None
    return "is a text file, not audio" if " ".join(text.split()).isprintable() else None


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
    import soundfile

    path = check_output(path, sample_rate)
    form = _format(path)
    samples = np.asarray(audio)
    if samples.dtype.kind != "f":
        raise AudioFileError(f"{path}: audio is {samples.dtype}; expected floats within ±1")
    samples = samples[:, None] if samples.ndim == 1 else samples
    if samples.ndim != 2 or 0 in samples.shape:
        raise AudioFileError(f"{path}: audio of shape {samples.shape} holds nothing to write")
    channels = samples.shape[1]
    if channels > form.channels:
        raise AudioFileError(f"{path}: {channels} channels; {path.suffix} holds {form.channels}")
    if form.container in ("WAV", "AIFF") and samples.size * 2 > _WAV_LIMIT:
        raise AudioFileError(f"{path}: longer than {path.suffix} can hold (4 GiB): use .flac")
    peak = float(max(samples.max(), -samples.min()))
    if not np.isfinite(peak):
        raise AudioFileError(f"{path}: the audio holds NaN or infinite samples; nothing written")
    gain = _PEAK / peak if peak > 1.0 else 1.0
    with atomic_path(path) as temporary:
        try:
            _encode(temporary, samples, sample_rate, form, gain)
        except soundfile.LibsndfileError as error:
            raise AudioFileError(
                f"{path} cannot be written ({error.error_string.strip()}): try .wav"
            ) from None
    return gain


def _encode(path: Path, samples: Any, sample_rate: int, form: _Format, gain: float) -> None:
    import numpy as np
    import soundfile

    with soundfile.SoundFile(
        path, "w", sample_rate, samples.shape[1], form.subtype, format=form.container
    ) as file:
        for start in range(0, len(samples), _BLOCK):
            block = samples[start : start + _BLOCK]
            file.write(np.ascontiguousarray(block * gain if gain != 1.0 else block, np.float32))
