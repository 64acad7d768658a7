"""Audio files in, block after block: what is wrong with a file is said when it is met.

libsndfile reads first, which is exact about lengths; FFmpeg (PyAV) what libsndfile does not know.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from mlx_rvc_cli.completeness import shortfall
from mlx_rvc_cli.errors import AudioFileError
from mlx_rvc_cli.misread import chained, misread
from mlx_rvc_cli.pipes import is_pipe, open_seekable
from mlx_rvc_cli.sniffing import HEAD, container, not_audio

if TYPE_CHECKING:
    import numpy as np
    import soundfile

    from mlx_rvc_cli.decoding import FFmpegSource
    from mlx_rvc_cli.tags import Tags

READABLE = frozenset(
    (
        *(".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3"),
        *(".aif", ".aiff", ".aifc", ".au", ".caf", ".rf64", ".w64"),
        *(".m4a", ".m4b", ".aac", ".wma", ".amr", ".ape", ".wv", ".mka", ".ac3", ".tta"),
        *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".wmv", ".flv", ".3gp", ".ts"),
    )
)
"""Extensions of the files that hold audio, for choosing among many; what is in a file decides."""

_BLOCK = 1 << 16  # frames
_UNKNOWN = (1 << 63) - 1  # frames, as libsndfile says that a file does not give its length
_RATES = (1000, 10_000_000)  # Hz; at 1 Hz, a second of sound with a damaged header is half a day
_SHORT = 1.0  # s that a file may lack of what its container announces


class AudioReader:
    """An audio file, open for one pass: wav, flac, ogg, mp3, m4a, mp4, mkv, wma and many more.

    path: a file, of a video the sound; "-" is standard input, which is copied into an unnamed
        temporary file first, as a named pipe is.
    tags: read title, cover and the like as well.

    A context manager; iterating gives float32 blocks (n, channels), n >= 1, full scale ±1.

    Attributes:
        path: the file.
        name: what messages call it.
        sample_rate: in Hz.
        channels: how many.
        frames: samples of each channel that the file announces, None where it does not say.
        tags: what is said about the recording, None unless asked for.

    Raises AudioFileError, on opening for a missing file, a folder, an empty file, a video without
    sound, a file shorter than its container announces and what is not audio (saying what was
    found); on the way for samples that are NaN or infinite, and at the end for a truncated file
    and for no samples at all.
    """

    def __init__(self, path: str | os.PathLike[str], *, tags: bool = False) -> None:
        self.path = Path(path)
        self.name = "standard input" if is_pipe(path) else str(path)
        self._check_path()
        self._file = open_seekable(self.path)
        try:
            self.tags = self._read_tags() if tags else None
            self._open()
        except BaseException:
            self._file.close()
            raise

    @property
    def duration(self) -> float | None:
        """Seconds that the file announces, of containers not to the sample; None: it does not."""
        return self._announced / self.sample_rate if self._announced else None

    def __enter__(self) -> AudioReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._source.close()
        self._file.close()

    def __iter__(self) -> Iterator[np.ndarray]:
        """Blocks of up to 65536 frames; every check is made by the end of the pass."""
        done = 0
        for block in self._blocks():
            self._check_finite(block, done)
            done += len(block)
            yield block
        if done == 0:
            raise AudioFileError(f"{self.name} holds no audio samples")
        if done < self._least:
            announced = self._announced
            raise AudioFileError(
                f"{self.name} ends after {done} of the {announced} samples that it announces: "
                "it is truncated or damaged; fetch it again"
            )

    def _check_path(self) -> None:
        if is_pipe(self.path):
            return
        if self.path.is_dir():
            raise AudioFileError(f"{self.name} is a folder, not an audio file")
        if not self.path.exists():
            raise AudioFileError(f"{self.name}: no such file")

    def _read_tags(self) -> Tags:
        from mlx_rvc_cli.tags import read_tags

        tags = read_tags(self._file)
        self._file.seek(0)
        return tags

    def _open(self) -> None:
        """Find the library that reads the file, and what it says of it."""
        import soundfile

        self._head = self._file.read(HEAD)
        if not self._head:
            raise AudioFileError(f"{self.name} is empty (0 bytes)")
        self._file.seek(0)
        lacking = shortfall(self._file)
        if lacking is not None:
            raise AudioFileError(f"{self.name} {lacking}")
        if self._head.startswith(b"OggS") and chained(self._file):
            raise AudioFileError(
                f"{self.name} is a chain of several Ogg streams, as recordings of radio are: "
                "convert it to .wav first (ffmpeg -i in.ogg out.wav)"
            )
        self._source: soundfile.SoundFile | FFmpegSource
        self._least: float = 0
        self._announced = 0
        self.frames: int | None = None
        try:
            self._source = self._open_sndfile()
        except (soundfile.SoundFileError, RuntimeError, TypeError, ValueError, OSError) as error:
            self._source = self._open_ffmpeg(_reason(error))
            self.sample_rate = self._source.sample_rate
            if self._source.seconds is not None:
                self._announced = round(self._source.seconds * self.sample_rate)
                self._least = self._announced - _SHORT * self.sample_rate
        else:
            # soundfile seeks after each read, which a piped FLAC refuses and a pass does not need.
            self._source.seekable = lambda: False
            self.sample_rate = int(self._source.samplerate)
            if self._source.frames < _UNKNOWN:
                self.frames = self._least = self._announced = self._source.frames
        self.channels = int(self._source.channels)
        if not _RATES[0] <= self.sample_rate <= _RATES[1]:
            self._source.close()
            raise AudioFileError(
                f"{self.name} has a sample rate of {self.sample_rate} Hz; {_RATES[0]} to "
                f"{_RATES[1]} Hz is expected: its header is damaged; fetch it again"
            )

    def _open_sndfile(self) -> soundfile.SoundFile:
        import soundfile

        reason = misread(self._file, self.path.suffix)
        if reason is not None:
            raise ValueError(reason)
        if self.path.is_file() and not is_pipe(self.path):
            return soundfile.SoundFile(self.path)
        self._file.flush()  # what it has read ahead; libsndfile moves the place beneath it
        os.lseek(self._file.fileno(), 0, os.SEEK_SET)
        return soundfile.SoundFile(self._file.fileno(), closefd=False)

    def _open_ffmpeg(self, reason: str) -> FFmpegSource:
        """Open what libsndfile could not, or say what it is."""
        from av.error import FFmpegError

        from mlx_rvc_cli.decoding import FFmpegSource, NoSoundError

        found = not_audio(self._head)
        if found:
            raise AudioFileError(f"{self.name} {found}")
        self._file.seek(0)
        try:
            return FFmpegSource(self._file)
        except NoSoundError as error:
            raise AudioFileError(f"{self.name} {error}") from None
        except FFmpegError as error:
            raise self._unreadable(f"libsndfile: {reason}; FFmpeg: {_reason(error)}") from None

    def _unreadable(self, reason: str) -> AudioFileError:
        """The error for a file that no library can read, or not to its end."""
        kind = container(self._head)
        if kind:
            return AudioFileError(
                f"{self.name} is {kind} that cannot be read ({reason}): it is truncated or "
                "damaged; fetch it again"
            )
        return AudioFileError(
            f"{self.name} cannot be read as audio ({reason}): fetch it again if it is damaged, "
            "else convert it to .wav or .flac first"
        )

    def _blocks(self) -> Iterator[np.ndarray]:
        import soundfile

        with self._explained():
            if not isinstance(self._source, soundfile.SoundFile):
                yield from self._source.blocks(_BLOCK)
                return
            left = _UNKNOWN if self.frames is None else self.frames
            while left:
                # No more than there is: what follows the sound, a tag say, is no damage.
                wanted = min(_BLOCK, left)
                block = self._source.read(wanted, dtype="float32", always_2d=True)
                if len(block):
                    yield block
                if len(block) < wanted:
                    return
                left -= wanted

    def _check_finite(self, block: np.ndarray, done: int) -> None:
        import numpy as np

        if not np.isfinite(block).all():
            bad = done + int(np.flatnonzero(~np.isfinite(block).all(axis=1))[0])
            raise AudioFileError(
                f"{self.name} holds a sample that is NaN or infinite, first at "
                f"{bad / self.sample_rate:.3f} s: repair the recording first"
            )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Say in one line what the library inside the block found wrong on the way."""
        import soundfile

        if isinstance(self._source, soundfile.SoundFile):
            try:
                yield
            except (soundfile.SoundFileError, RuntimeError) as error:
                raise self._unreadable(_reason(error)) from None
            return
        from av.error import FFmpegError  # a tenth of a second, which libsndfile's files save

        from mlx_rvc_cli.decoding import ChangedError

        try:
            yield
        except ChangedError as error:
            raise AudioFileError(f"{self.name} {error}: convert it to .wav first") from None
        except FFmpegError as error:
            raise self._unreadable(_reason(error)) from None


def _reason(error: BaseException) -> str:
    """What a library says is wrong, without its own punctuation."""
    said = getattr(error, "error_string", None) or getattr(error, "strerror", None) or str(error)
    return said.strip().rstrip(".")


def read_audio(path: str | os.PathLike[str]) -> tuple[np.ndarray, int]:
    """Read a whole audio file.

    Returns (samples, sample_rate): float32 (n, channels), full scale ±1, n >= 1; Hz.
    Raises AudioFileError as `AudioReader` does, and MemoryError for a file that does not fit.
    """
    import numpy as np

    with AudioReader(path) as reader:
        try:
            if reader.frames is None:
                return np.concatenate(list(reader)), reader.sample_rate
            samples = np.empty((reader.frames, reader.channels), np.float32)
            done = 0
            for block in reader:
                samples[done : done + len(block)] = block
                done += len(block)
        except MemoryError:
            raise MemoryError(f"{path} does not fit into memory: convert it in parts") from None
        return samples, reader.sample_rate
