"""Encoders: samples into an audio file, by libsndfile, or by FFmpeg (PyAV) where that has none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import IO, TYPE_CHECKING

from mlx_rvc_cli.errors import AudioFileError

if TYPE_CHECKING:
    import numpy as np

    from mlx_rvc_cli.formats import Format

Write = Callable[["np.ndarray"], None]
"""Takes float32 (n, channels), full scale ±1."""

_SYSTEM = 2  # libsndfile's number for what went wrong beneath it
_AAC_BITS = 128000  # bits a second and channel; at 96000 speech has 15 dB less signal to noise


@contextmanager
def encoder(
    target: Path | int, name: str, form: Format, encoding: str, sample_rate: int, channels: int
) -> Iterator[Write]:
    """Yield the function that writes blocks to `target`, an existing file or its descriptor.

    name: what messages call the file. encoding: one of `form`; the rate and the channels must be
    such as it can hold. Raises AudioFileError that says what the library found wrong.
    """
    if encoding == "AAC":
        with _explained(name), _aac(target, form, sample_rate, channels) as write:
            yield write
        return
    import soundfile

    try:
        # A descriptor belongs to whoever opened it; soundfile takes over paths alone.
        with soundfile.SoundFile(
            target,
            "w",
            sample_rate,
            channels,
            encoding,
            format=form.container,
            closefd=not isinstance(target, int),
        ) as file:
            yield file.write
    except soundfile.LibsndfileError as error:
        if error.code == _SYSTEM:  # of which libsndfile does not say more
            raise AudioFileError(
                f"{name} cannot be written (the system refused to): the disk may be full; free "
                "some space, or choose another folder"
            ) from None
        raise AudioFileError(
            f"{name} cannot be written ({error.error_string.strip()}): try .wav"
        ) from None


@contextmanager
def _explained(name: str) -> Iterator[None]:
    from av.error import FFmpegError

    try:
        yield
    except FFmpegError as error:
        raise AudioFileError(f"{name} cannot be written ({error.strerror}): try .wav") from None


class _Held:
    """A file whose errors wait for `check`: one inside FFmpeg is a traceback on stderr."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._error: OSError | None = None
        self.read, self.tell = file.read, file.tell
        self.name = file.name  # by which FFmpeg opens the file once more, to move its head in front

    def __enter__(self) -> _Held:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.check()

    def write(self, data: bytes) -> int:
        return self._held(lambda: self._file.write(data), len(data))

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._held(lambda: self._file.seek(offset, whence), 0)

    def check(self) -> None:
        """Raise the first error, if there was one."""
        if self._error is not None:
            raise self._error

    def _held(self, act: Callable[[], int], otherwise: int) -> int:
        if self._error is None:
            try:
                return act()
            except OSError as error:
                self._error = error
        return otherwise


@contextmanager
def _aac(target: Path | int, form: Format, sample_rate: int, channels: int) -> Iterator[Write]:
    import av
    import numpy as np

    # FFmpeg gets a file object: it would take a colon in a name for a protocol. Its timescale is
    # the sample rate, so that the edit list ends at the last sample and not at a millisecond.
    options = {"movie_timescale": str(sample_rate), "movflags": "+faststart"}
    with (
        open(target, "wb+", closefd=not isinstance(target, int)) as plain,
        _Held(plain) as file,
        av.open(file, "w", format=form.container, container_options=options) as container,
    ):
        layout = "stereo" if channels == 2 else "mono"
        stream = container.add_stream("aac", rate=sample_rate, layout=layout)
        # A frame of 1024 samples holds 6144 bits for each channel at most.
        stream.bit_rate = channels * min(_AAC_BITS, 4 * sample_rate)
        done = 0

        def write(block: np.ndarray) -> None:
            nonlocal done
            planes = np.ascontiguousarray(block.T, np.float32)
            frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout=layout)
            frame.sample_rate, frame.pts = sample_rate, done
            frame.time_base = Fraction(1, sample_rate)
            done += len(block)
            container.mux(stream.encode(frame))
            file.check()

        yield write
        container.mux(stream.encode(None))
