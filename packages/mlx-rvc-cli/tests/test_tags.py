"""Title, artist, album and cover: from any file into any that is written, sound untouched."""

import io
import struct
import zlib

import av
import numpy as np
import pytest
import soundfile

from mlx_rvc_cli.audio import AudioFileError, AudioReader, check_output, read_audio, write_audio
from mlx_rvc_cli.errors import CommandError
from mlx_rvc_cli.tags import Tags, read_tags

pytest.importorskip("mutagen")
EXTENSIONS = ["wav", "flac", "aiff", "aif", "ogg", "opus", "mp3", "m4a"]
TEXT = {
    "title": "Süße Ähren, 歌",
    "artist": "Somebody & Sons",
    "album": "Takes",
    "albumartist": "Various",
    "date": "1987",
    "genre": "Lied",
}


def png():
    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" + bytes(6) + b"\0" + bytes(range(6)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def tone():
    return (0.5 * np.sin(2 * np.pi * 440 * np.arange(48000) / 48000)).astype(np.float32)


ALL = Tags(TEXT, (png(), "image/png"))


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("tags", [ALL, Tags(TEXT), Tags({"title": "Solo"}), Tags({}, ALL.cover)])
def test_tags_come_back_and_the_sound_is_the_same(tmp_path, extension, tags):
    path, bare = tmp_path / f"x.{extension}", tmp_path / f"bare.{extension}"
    write_audio(path, tone(), 48000, tags=tags)
    write_audio(bare, tone(), 48000)
    with AudioReader(path, tags=True) as reader:
        assert reader.tags == tags
        audio = np.concatenate(list(reader))
    np.testing.assert_array_equal(audio, read_audio(bare)[0])
    assert len(list(tmp_path.iterdir())) == 2


def test_no_tags_are_asked_for_and_none_are_there(tmp_path):
    write_audio(tmp_path / "x.flac", tone(), 48000, tags=Tags())
    with AudioReader(tmp_path / "x.flac") as reader:
        assert reader.tags is None
    with AudioReader(tmp_path / "x.flac", tags=True) as reader:
        assert reader.tags == Tags() and not reader.tags


def test_tags_of_a_video_and_of_a_riff_list_are_read(tmp_path):
    with av.open(str(tmp_path / "x.mkv"), "w") as container:
        container.metadata.update({"title": "Film", "artist": "Someone"})
        stream = container.add_stream("flac", rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4800), np.int16), "s16", "mono")
        frame.sample_rate, frame.pts = 48000, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with AudioReader(tmp_path / "x.mkv", tags=True) as reader:
        assert reader.tags == Tags({"title": "Film", "artist": "Someone"})
    with soundfile.SoundFile(tmp_path / "x.wav", "w", 48000, 1) as file:
        file.title = "Take 1"
        file.write(tone())
    with AudioReader(tmp_path / "x.wav", tags=True) as reader:
        assert reader.tags == Tags({"title": "Take 1"})


def test_a_cover_that_not_all_formats_hold_is_named(tmp_path):
    from mutagen.flac import FLAC, Picture

    write_audio(tmp_path / "x.flac", tone(), 48000)
    file = FLAC(tmp_path / "x.flac")
    picture = Picture()
    picture.data, picture.mime = b"GIF89a\1\0\1\0\0\0\0;", "image/gif"
    file.add_picture(picture)
    file.save()
    with AudioReader(tmp_path / "x.flac", tags=True) as reader:
        assert reader.tags == Tags(left_out="gif")


def test_tags_of_what_is_not_audio_leave_the_error_to_the_reader(tmp_path):
    assert read_tags(io.BytesIO(b"no audio at all" * 99)) == Tags()
    (tmp_path / "x.wav").write_text("no audio at all")
    with pytest.raises(AudioFileError, match="text file"):
        AudioReader(tmp_path / "x.wav", tags=True)


def test_without_mutagen_the_package_is_named_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(CommandError, match=r"pip install 'mlx-rvc\[tags\]'"):
        check_output(tmp_path / "x.mp3", tags=True)
    assert check_output(tmp_path / "x.mp3")
