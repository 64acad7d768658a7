"""Audio files in, block after block: what is wrong with a file is said when it is met."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from mlx_rvc_cli.errors import AudioFileError
from mlx_rvc_cli.sniffing import sniff

if TYPE_CHECKING:
    import numpy as np

READABLE = frozenset(
    (
        *(".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3"),
        *(".aif", ".aiff", ".aifc", ".au", ".caf", ".rf64", ".w64"),
    )
)
"""Extensions of the files that hold audio, for choosing among many; what is in a file decides."""

_BLOCK = 1 << 16  # frames
_UNKNOWN = (1 << 63) - 1  # frames, as libsndfile says that a file does not give its length


class AudioReader:
    """An audio file, open for one pass: wav, flac, ogg, opus, mp3, aiff and what libsndfile reads.

    A context manager; iterating gives float32 blocks (n, channels), n >= 1, full scale ±1.

    Attributes:
        path: the file.
        sample_rate: in Hz.
        channels: how many.
        frames: samples of each channel that the file announces, None where it does not say.

    Raises AudioFileError, on opening for a missing file, a folder, an empty file and one that is
    not audio (saying what was found); on the way for samples that are NaN or infinite, and at the
    end for a truncated file and for no samples at all.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        import soundfile

        self.path = Path(path)
        if self.path.is_dir():
            raise AudioFileError(f"{self.path} is a folder, not an audio file")
        if not self.path.exists():
            raise AudioFileError(f"{self.path}: no such file")
        if self.path.stat().st_size == 0:
            raise AudioFileError(f"{self.path} is empty (0 bytes)")
        with self._explained():
            self._file = soundfile.SoundFile(self.path)
        # soundfile seeks after each read, which a piped FLAC refuses and a pass does not need.
        self._file.seekable = lambda: False
        self.sample_rate = int(self._file.samplerate)
        self.channels = int(self._file.channels)
        self.frames = self._file.frames if self._file.frames < _UNKNOWN else None

    @property
    def duration(self) -> float | None:
        """Seconds that the file announces, None where it does not say."""
        return None if self.frames is None else self.frames / self.sample_rate

    def __enter__(self) -> AudioReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[np.ndarray]:
        """Blocks of up to 65536 frames; every check is made by the end of the pass."""
        done, last = 0, False
        while not last:
            with self._explained():
                block = self._file.read(_BLOCK, dtype="float32", always_2d=True)
            last = len(block) < _BLOCK
            self._check_finite(block, done)
            done += len(block)
            if len(block):
                yield block
        if done == 0:
            raise AudioFileError(f"{self.path} holds no audio samples")
        if self.frames is not None and done < self.frames:
            raise AudioFileError(
                f"{self.path} ends after {done} of the {self.frames} samples that it announces: "
                "it is truncated or damaged; fetch it again"
            )

    def _check_finite(self, block: np.ndarray, done: int) -> None:
        import numpy as np

        if not np.isfinite(block).all():
            bad = done + int(np.flatnonzero(~np.isfinite(block).all(axis=1))[0])
            raise AudioFileError(
                f"{self.path} holds a sample that is NaN or infinite, first at "
                f"{bad / self.sample_rate:.3f} s: repair the recording first"
            )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Say what a file is that the library inside the block cannot read."""
        import soundfile

        try:
            yield
        except PermissionError:
            raise
        except (soundfile.SoundFileError, RuntimeError, TypeError, ValueError, OSError) as error:
            found = sniff(self.path)
            if found:
                raise AudioFileError(f"{self.path} {found}") from None
            reason = getattr(error, "error_string", None) or str(error)
            raise AudioFileError(
                f"{self.path} cannot be read as audio ({reason.strip().rstrip('.')}): "
                "convert it to .wav or .flac first"
            ) from None


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
