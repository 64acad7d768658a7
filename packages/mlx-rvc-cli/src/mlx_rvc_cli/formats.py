"""What each audio format that is written can hold: sample rates, channels, bit depths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mlx_rvc_cli.errors import AudioFileError

_WAV_LIMIT = (1 << 32) - 4096  # bytes; RIFF and AIFF sizes are 32-bit

_INTEGER = {16: "PCM_16", 24: "PCM_24"}
_PCM = {**_INTEGER, 32: "FLOAT"}


@dataclass(frozen=True)
class Format:
    """A format by its extension.

    container: its name in libsndfile, or in FFmpeg for subtype "AAC". subtype: its encoding,
    where there is one only; depths: encodings by bits, where there are several, the first of
    which is usual. rates: in Hz; empty = any. limit: bytes of samples.
    """

    extension: str
    container: str
    subtype: str = ""
    depths: Mapping[int, str] = field(default_factory=dict)
    rates: tuple[int, ...] = ()
    channels: int = 1024
    limit: int | None = None

    def encoding(self, bit_depth: int | None) -> str:
        """The encoding for so many bits; raises AudioFileError where the format has none such."""
        if bit_depth is None:
            return self.subtype or next(iter(self.depths.values()))
        if not self.depths:
            raise AudioFileError(
                f"{self.extension} has no bit depth, {bit_depth} is given: leave it out, or write "
                ".wav or .flac"
            )
        if bit_depth not in self.depths:
            raise AudioFileError(
                f"{self.extension} cannot hold {bit_depth} bits: choose one of "
                f"{', '.join(map(str, self.depths))}"
            )
        return self.depths[bit_depth]

    def nearest_rate(self, sample_rate: int) -> int:
        """The sample rate in Hz nearest to the one wanted, the higher one of two."""
        if sample_rate <= 0:
            raise AudioFileError(f"a sample rate of {sample_rate} Hz is not possible")
        return min(self.rates or (sample_rate,), key=lambda rate: (abs(rate - sample_rate), -rate))


_OPUS_RATES = (8000, 12000, 16000, 24000, 48000)
_MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_AAC_RATES = (*_MP3_RATES, 64000, 88200, 96000)
_FORMATS = {
    form.extension: form
    for form in (
        Format(".wav", "WAV", depths=_PCM, limit=_WAV_LIMIT),
        Format(".flac", "FLAC", depths=_INTEGER, channels=8),
        Format(".mp3", "MP3", "MPEG_LAYER_III", rates=_MP3_RATES, channels=2),
        Format(".ogg", "OGG", "VORBIS", channels=255),
        Format(".opus", "OGG", "OPUS", rates=_OPUS_RATES, channels=255),
        Format(".m4a", "ipod", "AAC", rates=_AAC_RATES, channels=2),
        Format(".aiff", "AIFF", depths=_PCM, limit=_WAV_LIMIT),
        Format(".aif", "AIFF", depths=_PCM, limit=_WAV_LIMIT),
    )
}
WAV = _FORMATS[".wav"]


def format_of(path: Path) -> Format:
    """The format of a file's extension; raises AudioFileError for one that cannot be written."""
    form = _FORMATS.get(path.suffix.lower())
    if form is None:
        found = f"the extension {path.suffix!r} is" if path.suffix else "no extension is"
        raise AudioFileError(
            f"{path}: {found} not a format that can be written; use one of {', '.join(_FORMATS)}"
        )
    return form
