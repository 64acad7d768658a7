"""Title, artist, album and cover of a recording: read from any file, written into what is made.

FFmpeg (PyAV) reads them, under the same names from all containers; mutagen writes them, into a
finished file whose sound it leaves as it is. mutagen is under the GPL (version 2 or later) and so
an extra of this package (`tags`).
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from mlx_rvc_cli.errors import CommandError

# Our name (Vorbis's) -> FFmpeg's name, ID3 frame, MP4 atom.
_NAMES = {
    "title": ("title", "TIT2", "\xa9nam"),
    "artist": ("artist", "TPE1", "\xa9ART"),
    "album": ("album", "TALB", "\xa9alb"),
    "albumartist": ("album_artist", "TPE2", "aART"),
    "date": ("date", "TDRC", "\xa9day"),
    "genre": ("genre", "TCON", "\xa9gen"),
}
_MIME = {"mjpeg": "image/jpeg", "png": "image/png"}
_FRONT = 3  # ID3's and FLAC's number of the front cover


@dataclass(frozen=True)
class Tags:
    """What a file says about its recording.

    text: by name: title, artist, album, albumartist, date, genre; those that are there.
    cover: the picture's bytes, JPEG or PNG, and its type; None without one.
    left_out: a picture of another kind, which not all formats hold, by its name.
    """

    text: dict[str, str] = field(default_factory=dict)
    cover: tuple[bytes, str] | None = None
    left_out: str | None = None

    def __bool__(self) -> bool:
        return bool(self.text) or self.cover is not None


def read_tags(file: IO[bytes]) -> Tags:
    """Read tags from a seekable binary file at its beginning; none of what is not audio."""
    import av
    from av.error import FFmpegError

    from mlx_rvc_cli.decoding import OPEN_OPTIONS

    try:
        with av.open(file, "r", options=OPEN_OPTIONS, metadata_errors="replace") as container:
            # Ogg keeps them with the track, others with the file.
            found: dict[str, str] = {}
            for source in (*container.streams.audio, container):
                found.update({key.lower(): text for key, text in source.metadata.items()})
            text = {
                name: found[known].strip()
                for name, (known, _, _) in _NAMES.items()
                if found.get(known, "").strip()
            }
            cover, left_out = _cover(container)
            return Tags(text, cover, left_out)
    except FFmpegError:  # the reader of the sound says what is wrong with the file
        return Tags()


def _cover(container: Any) -> tuple[tuple[bytes, str] | None, str | None]:
    from av.stream import Disposition

    attached = Disposition.attached_pic
    pictures = [stream for stream in container.streams.video if stream.disposition & attached]
    for picture in pictures:
        mime = _MIME.get(_kind(picture))
        packet = next(container.demux(picture), None)
        if mime and packet is not None and packet.size:
            return (bytes(packet), mime), None
    return None, _kind(pictures[0]) if pictures else None


def _kind(picture: Any) -> str:
    """FFmpeg's name of a picture's encoding, which it need not know."""
    return "an unknown kind" if picture.codec_context is None else picture.codec_context.name


def check_tags() -> None:
    """Raise CommandError where tags cannot be written because mutagen is not installed."""
    import importlib.util

    if importlib.util.find_spec("mutagen") is None:
        raise CommandError(
            "keeping tags takes mutagen, which is not installed: pip install 'mlx-rvc[tags]', or "
            "leave the tags out"
        )


def write_tags(path: Path, tags: Tags) -> None:
    """Write tags into a finished file, by its extension one of those that can be written.

    wav, aiff and mp3 get an ID3 tag, version 2.4; flac, ogg and opus Vorbis comments; m4a MP4
    atoms: each with text and cover. Raises CommandError when the file cannot take them.
    """
    import mutagen

    if not tags:
        return
    try:
        file = _opened(path)
        _fill(file, tags)
        file.save()
    except mutagen.MutagenError as error:  # pyright: ignore[reportAttributeAccessIssue]
        raise CommandError(
            f"the tags cannot be written into a {path.suffix} file ({error}): leave them out"
        ) from None


def _opened(path: Path) -> Any:
    from mutagen.aiff import AIFF
    from mutagen.flac import FLAC
    from mutagen.mp3 import MP3
    from mutagen.mp4 import MP4
    from mutagen.oggopus import OggOpus
    from mutagen.oggvorbis import OggVorbis
    from mutagen.wave import WAVE

    kinds = {
        ".wav": WAVE,
        ".flac": FLAC,
        ".mp3": MP3,
        ".ogg": OggVorbis,
        ".opus": OggOpus,
        ".m4a": MP4,
        ".aiff": AIFF,
        ".aif": AIFF,
    }
    file = kinds[path.suffix.lower()](path)
    if file.tags is None:
        file.add_tags()
    return file


def _fill(file: Any, tags: Tags) -> None:
    from mutagen import id3
    from mutagen.flac import FLAC, Picture
    from mutagen.mp4 import MP4, MP4Cover

    if isinstance(file.tags, id3.ID3):  # pyright: ignore[reportPrivateImportUsage]
        for name, text in tags.text.items():
            frame = id3.Frames[_NAMES[name][1]]
            file.tags.add(frame(encoding=id3.Encoding.UTF8, text=[text]))
        if tags.cover:
            data, mime = tags.cover
            file.tags.add(id3.Frames["APIC"](encoding=3, mime=mime, type=_FRONT, data=data))
        return
    if isinstance(file, MP4):
        for name, text in tags.text.items():
            file[_NAMES[name][2]] = [text]
        if tags.cover:
            data, mime = tags.cover
            kind = MP4Cover.FORMAT_PNG if mime.endswith("png") else MP4Cover.FORMAT_JPEG
            file["covr"] = [MP4Cover(data, imageformat=kind)]
        return
    for name, text in tags.text.items():
        file[name] = [text]
    if tags.cover:
        picture = Picture()
        picture.data, picture.mime = tags.cover
        picture.type = _FRONT
        if isinstance(file, FLAC):
            file.add_picture(picture)
        else:
            file["metadata_block_picture"] = [base64.b64encode(picture.write()).decode()]
