"""Sound out of any container that FFmpeg knows, of videos too, block after block.

PyAV's wheels carry FFmpeg's libraries: nothing has to be installed beside them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

# Only formats that hold their own sound: a playlist or a script would open other files.
_DEMUXERS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dts,dtshd,eac3,flac,flv,matroska,webm,mov,mp4,m4a,3gp,"
    "mp3,mpc,mpc8,mpeg,mpegts,ogg,tak,truehd,tta,w64,wav,wv"
)
OPEN_OPTIONS = {"format_whitelist": _DEMUXERS}
"""For av.open of files from strangers."""

# AAC pads the last frame (1024 samples, or 2048 with SBR); the container says where sound ends.
_PADDING = 4096
_FULL_SCALE = {"u1": 128.0, "i2": 32768.0, "i4": 2147483648.0}


class NoSoundError(ValueError):
    """A container without sound that can be decoded; the text says what it is, and what to do."""


class ChangedError(ValueError):
    """A sound track whose rate or channels change on the way; the text says how."""


class FFmpegSource:
    """The first sound track, or the one marked as default, of a seekable binary file.

    Attributes: sample_rate in Hz and channels, of the first decoded frame (HE-AAC announces half
    its rate); seconds, which an MP4 or MOV announces, else None. A track that begins later than
    the video is read from its own beginning.

    Raises NoSoundError, ChangedError, and av.error.FFmpegError for what cannot be decoded.
    """

    def __init__(self, file: IO[bytes]) -> None:
        import av
        from av.stream import Disposition

        self._container = av.open(file, "r", options=OPEN_OPTIONS, metadata_errors="replace")
        try:
            tracks = self._container.streams.audio
            if not tracks:
                video = self._container.streams.video
                kind = "is a video without sound" if video else "holds no sound"
                raise NoSoundError(f"{kind}: name a recording")
            marked = (s for s in tracks if s.disposition & Disposition.default)
            track = next(marked, tracks[0])
            if track.codec_context is None:
                raise NoSoundError(
                    "holds sound of a kind that FFmpeg cannot decode: convert it to .wav first"
                )
            self._decoded = self._container.decode(track)
            first = next(self._decoded, None)
            if first is None:
                raise NoSoundError("holds no audio samples: name another recording")
        except BaseException:
            self._container.close()
            raise
        self._first = first
        self.sample_rate = int(first.sample_rate)
        self.channels = int(first.layout.nb_channels)
        self.seconds: float | None = None
        if "mov" in self._container.format.name and track.duration and track.time_base:
            self.seconds = float(track.duration * track.time_base)

    def close(self) -> None:
        """Let go of FFmpeg's memory; the file stays open."""
        self._container.close()

    def blocks(self, size: int) -> Iterator[np.ndarray]:
        """Blocks of float32 (size, channels), the last one shorter; once."""
        import numpy as np

        kept: list[np.ndarray] = []
        held = done = 0
        for frame in self._frames():
            kept.append(_samples(frame))
            held += len(kept[-1])
            while held >= size + _PADDING:
                whole = np.concatenate(kept)
                yield whole[:size]
                kept, held, done = [whole[size:]], held - size, done + size
        whole = np.concatenate(kept)
        if self.seconds is not None:
            beyond = done + held - round(self.seconds * self.sample_rate)
            if 0 < beyond <= min(_PADDING, held):
                whole = whole[: held - beyond]
        for start in range(0, len(whole), size):
            yield whole[start : start + size]

    def _frames(self) -> Iterator[Any]:
        """The track's frames, of one rate and number of channels."""
        frame: Any = self._first
        done = 0
        while frame is not None:
            found = (int(frame.sample_rate), int(frame.layout.nb_channels))
            if found != (self.sample_rate, self.channels):
                raise ChangedError(
                    f"changes from {self.sample_rate} Hz, {self.channels} channels to {found[0]} "
                    f"Hz, {found[1]} channels after {done / self.sample_rate:.1f} s"
                )
            yield frame
            done += frame.samples
            frame = next(self._decoded, None)


def _samples(frame: Any) -> np.ndarray:
    """Float32 (n, channels), full scale ±1, of a frame in any of FFmpeg's sample formats."""
    import numpy as np

    raw = frame.to_ndarray()  # planar (channels, n), packed (1, n * channels)
    if not frame.format.is_planar:
        raw = raw.reshape(-1, frame.layout.nb_channels).T
    kind = raw.dtype.str[1:]
    samples = raw.T.astype(np.float32)
    if kind == "u1":
        samples -= 128
    return samples / np.float32(_FULL_SCALE.get(kind, 1))
