"""Files that are damaged, that lie, or that are something else: (name, build, end).

end: words of the refusal, or (frames, rate) of what is read.
"""

import io
import struct
import zipfile

import av
import numpy as np
from broken_signals import RATE, by_ffmpeg, tone, wav

_LACKS = "it announces: it is truncated"
_WAV16 = wav(tone(), subtype="PCM_16")


def changed(build, change, name=None):
    """A build: the bytes of another's file, changed, under its name or another."""

    def rebuild(folder):
        path = build(folder)
        data = change(path.read_bytes())
        path.unlink()
        path = folder / (name or path.name)
        path.write_bytes(data)
        return path

    return rebuild


def written(name, data):
    return changed(wav(tone(9)), lambda _: data, name)


def cut(build, at):
    """at: bytes from the beginning, from the end if negative, a share of all if below 1."""
    return changed(build, lambda data: data[: int(at * len(data)) if isinstance(at, float) else at])


def put(at, value, form="<I"):
    """The header of a wav file with another number at a place."""
    size = struct.calcsize(form)
    return changed(_WAV16, lambda data: data[:at] + struct.pack(form, value) + data[at + size :])


_long = 0.2 * np.random.default_rng(3).standard_normal(3 * RATE).clip(-4, 4)
_FLAC, _OGG = wav(_long, name="in.flac"), wav(_long, name="in.ogg")
_MP3, _AIFF = wav(_long, name="in.mp3"), wav(tone(), name="in.aiff")
_M4A = by_ffmpeg("in.m4a", "ipod", "aac", frames=3 * RATE)
_FAST = by_ffmpeg("in.m4a", "ipod", "aac", frames=3 * RATE, movflags="+faststart")
_WEBM = by_ffmpeg("in.webm", "webm", "libopus", rate=48000, frames=48000)
_BAD = "fetch it again"

CUT = [
    ("wav, in its first word", cut(_WAV16, 3), "not audio"),
    ("wav, before fmt", cut(_WAV16, 12), _BAD),
    ("wav, in fmt", cut(_WAV16, 27), _BAD),
    ("wav, before data", cut(_WAV16, 36), _BAD),
    ("wav, in the size of data", cut(_WAV16, 42), "no audio samples"),
    ("wav, after its header", cut(_WAV16, 44), _LACKS),
    ("wav, in its first sample", cut(_WAV16, 45), _LACKS),
    ("wav, in the middle", cut(_WAV16, 0.5), _LACKS),
    ("wav, in a sample", cut(_WAV16, 5001), _LACKS),
    ("wav, its last byte", cut(_WAV16, -1), _LACKS),
    ("aiff, in the middle", cut(_AIFF, 0.5), _LACKS),
    ("aiff, in its header", cut(_AIFF, 20), _BAD),
    ("w64, its last byte", cut(wav(tone(), name="in.w64", format="W64"), -1), _LACKS),
    ("rf64, in the middle", cut(wav(tone(), name="in.rf64", format="RF64"), 0.5), _LACKS),
    ("caf, its last byte", cut(wav(tone(), name="in.caf"), -1), _LACKS),
    ("au, in the middle", cut(wav(tone(), name="in.au"), 0.5), _LACKS),
    ("flac, in its header", cut(_FLAC, 20), _BAD),
    ("flac, in the middle", cut(_FLAC, 0.5), _BAD),
    ("flac, its last byte", cut(_FLAC, -1), _BAD),
    ("ogg, in its header", cut(_OGG, 40), _LACKS),
    ("ogg, in the middle", cut(_OGG, 0.5), _LACKS),
    ("ogg, its last byte", cut(_OGG, -1), _LACKS),
    ("mp3, in its first frame", cut(_MP3, 100), _LACKS),
    ("mp3, in the middle", cut(_MP3, 0.5), _LACKS),
    ("mp3, its last byte", cut(_MP3, -1), _LACKS),
    ("m4a, in its header", cut(_M4A, 20), _LACKS),
    ("m4a, in the middle", cut(_M4A, 0.5), _LACKS),
    ("m4a, its last byte", cut(_M4A, -1), _LACKS),
    ("m4a with its table in front, in the middle", cut(_FAST, 0.5), _LACKS),
    ("m4a with its table in front, its last byte", cut(_FAST, -1), _LACKS),
    ("webm, in the middle", cut(_WEBM, 0.5), _LACKS),
    ("webm, its last byte", cut(_WEBM, -1), _LACKS),
]

HEADERS = [
    ("data of 0 bytes, sound follows", put(40, 0), (4800, RATE)),
    ("data of 0xFFFFFFFF bytes", put(40, 0xFFFFFFFF), (4800, RATE)),
    ("data of 0x7FFFFFFF bytes", put(40, 0x7FFFFFFF), (4800, RATE)),
    ("an odd number of bytes", put(40, 9599), (4799, RATE)),
    ("a byte too many", put(40, 9601), _LACKS),
    ("twice the bytes", put(40, 19200), _LACKS),
    ("half the bytes", put(40, 4800), (2400, RATE)),
    ("a RIFF of 0 bytes", put(4, 0), (4800, RATE)),
    ("a RIFF of 0xFFFFFFFF bytes", put(4, 0xFFFFFFFF), (4800, RATE)),
    ("0 channels", put(22, 0, "<H"), _BAD),
    ("9999 channels", put(22, 9999, "<H"), _BAD),
    ("0 Hz", put(24, 0), _BAD),
    ("1 Hz", put(24, 1), "a sample rate of 1 Hz"),
    ("0xFFFFFFFF Hz", put(24, 0xFFFFFFFF), _BAD),
    ("2 GHz", put(24, 2_000_000_000), "a sample rate of 2000000000 Hz"),
    ("0 bits", put(34, 0, "<H"), "cannot decode"),
    ("0 bytes a frame", put(32, 0, "<H"), (4800, RATE)),
    ("an unknown codec", put(20, 0x7777, "<H"), "cannot decode"),
    ("a fmt chunk of 0xFFFFFFFF bytes", put(16, 0xFFFFFFFF), _BAD),
]


def _crc(page):
    """The checksum of an Ogg page: CRC-32 from the top, without inversion."""
    value = 0
    for byte in page:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value & 1 << 31 else 0)) & 0xFFFFFFFF
    return value


def _renumbered(data, serial):
    """An Ogg stream with another serial number, which it needs in a chain."""
    pages = []
    while data:
        sizes = data[27 : 27 + data[26]]
        length = 27 + len(sizes) + sum(sizes)
        page = data[:14] + struct.pack("<I", serial) + data[18:22] + bytes(4) + data[26:length]
        pages.append(page[:22] + struct.pack("<I", _crc(page)) + page[26:])
        data = data[length:]
    return b"".join(pages)


def _chained(folder):
    """Two Ogg streams, one after the other, as radio recordings are."""
    path = wav(tone(RATE), name="in.ogg")(folder)
    stream = path.read_bytes()
    path.write_bytes(_renumbered(stream, 1) + _renumbered(stream, 2))
    return path


def _mute_video(folder):
    with av.open(str(folder / "in.mp4"), "w", format="mp4") as file:
        pictures = file.add_stream("mpeg4", rate=10)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), "rgb24")
        file.mux(pictures.encode(frame))
        file.mux(pictures.encode(None))
    return folder / "in.mp4"


def _zip():
    with zipfile.ZipFile(file := io.BytesIO(), "w") as archive:
        archive.writestr("in.wav", b"RIFF")
    return file.getvalue()


_ID3 = b"ID3\x03\0\0\0\0\x07\x76" + bytes(1014)
_LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 9\n"
_NOISE = np.random.default_rng(4).bytes(20000)
_LONG = 3 * RATE

NOT_AUDIO = [
    ("an empty file", written("in.wav", b""), "is empty (0 bytes)"),
    ("one byte", written("in.wav", b"\0"), _BAD),
    ("text", written("in.wav", b"not a recording\n" * 99), "is a text file"),
    ("an HTML page", written("in.wav", b"<!DOCTYPE html><html>404</html>"), "is an HTML page"),
    ("a zip archive", written("in.wav", _zip()), "is a zip archive"),
    ("a PDF", written("in.wav", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + _NOISE[:999]), "is a PDF"),
    ("an LFS pointer", written("in.wav", _LFS), "is a Git LFS pointer"),
    ("zeros", written("in.wav", bytes(20000)), _BAD),
    ("noise", written("in.wav", _NOISE), _BAD),
    ("noise named mp3", written("in.mp3", _NOISE), _BAD),
    ("a picture", written("in.wav", b"\x89PNG\r\n\x1a\n" + _NOISE[:999]), "is a picture"),
    ("a gzip archive", written("in.wav", b"\x1f\x8b\x08" + _NOISE[:999]), "is a gzip archive"),
    ("a video without sound", _mute_video, "is a video without sound"),
    ("a playlist", written("in.wav", b"#EXTM3U\nhttp://127.0.0.1/x.wav\n"), "is a text file"),
    ("mp3 named wav", changed(_MP3, bytes, "in.wav"), (_LONG, RATE)),
    ("flac named mp3", changed(_FLAC, bytes, "in.mp3"), (_LONG, RATE)),
    ("ogg named flac", changed(_OGG, bytes, "in.flac"), (_LONG, RATE)),
    ("wav named ogg", changed(_WAV16, bytes, "in.ogg"), (4800, RATE)),
    ("m4a named wav", changed(_M4A, bytes, "in.wav"), (_LONG, RATE)),
    ("aiff named txt", changed(_AIFF, bytes, "in.txt"), (4800, RATE)),
    ("mp3 with ID3 in front", changed(_MP3, lambda d: _ID3 + d), (_LONG, RATE)),
    ("mp3 with junk in front", changed(_MP3, lambda d: bytes(500) + d), (_LONG, RATE)),
    ("mp3 with ID3v1 behind", changed(_MP3, lambda d: d + b"TAG" + bytes(125)), (_LONG, RATE)),
    ("wav with junk behind", changed(_WAV16, lambda d: d + _NOISE[:777]), (4800, RATE)),
    ("flac with junk behind", changed(_FLAC, lambda d: d + bytes(777)), (_LONG, RATE)),
    ("ogg with junk behind", changed(_OGG, lambda d: d + bytes(777)), (_LONG, RATE)),
    ("chained ogg streams", _chained, "a chain of several Ogg streams"),
]
