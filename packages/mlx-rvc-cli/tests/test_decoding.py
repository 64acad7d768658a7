"""What people have: sound out of containers and videos that FFmpeg itself has made here."""

import subprocess
import sys
from fractions import Fraction

import av
import numpy as np
import pytest
import soundfile

from mlx_rvc_cli.audio import AudioFileError, AudioReader, read_audio

SECONDS = 1.1
HZ = 440.0


def tone(rate, channels=1, seconds=SECONDS):
    wave = 0.5 * np.sin(2 * np.pi * HZ * np.arange(round(seconds * rate)) / rate)
    return np.stack([wave * (1 - 0.5 * c) for c in range(channels)], axis=1).astype(np.float32)


def add_sound(container, codec, audio, rate, default=None):
    """A function that encodes audio (n, channels) into a new track of a container."""
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[audio.shape[1]]
    stream = container.add_stream(codec, rate=rate, layout=layout)
    stream.bit_rate = 96000 * audio.shape[1]
    if codec == "libopencore_amrnb":
        stream.bit_rate = 12200
    if default is not None:
        stream.disposition = av.stream.Disposition.default if default else 0

    def encode():
        for start in range(0, len(audio), 1000):
            block = np.ascontiguousarray(audio[start : start + 1000].T)
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))

    return encode


def add_pictures(container, codec):
    stream = container.add_stream(codec, rate=10)
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"

    def encode():
        for i in range(11):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 20 * i, np.uint8), "rgb24")
            frame.pts, frame.time_base = i, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))

    return encode


def make(path, form, codec=None, *, rate=44100, channels=1, video=None, seconds=SECONDS):
    with av.open(str(path), "w", format=form) as container:
        jobs = []
        if video:
            jobs.append(add_pictures(container, video))
        if codec:
            jobs.append(add_sound(container, codec, tone(rate, channels, seconds), rate))
        for job in jobs:
            job()
    return path


def check_tone(audio, rate, hz=HZ):
    """The strongest frequency of the tone's middle, and its level, which AMR lowers most."""
    middle = audio[len(audio) // 4 : 3 * len(audio) // 4, 0]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle)), 1 << 17))
    assert np.argmax(spectrum) * rate / (1 << 17) == pytest.approx(hz, abs=1.0)
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.2)


@pytest.mark.parametrize(
    ("name", "form", "codec", "rate", "channels", "video", "frame"),
    [
        ("x.m4a", "ipod", "aac", 44100, 2, None, 48),  # its edit list is in milliseconds
        ("x.m4a", "ipod", "alac", 44100, 1, None, 0),
        ("x.mp4", "mp4", "aac", 48000, 2, "mpeg4", 48),
        ("x.mov", "mov", "aac", 32000, 1, "mpeg4", 48),
        ("x.mov", "mov", "pcm_s16be", 44100, 2, "mpeg4", 0),
        ("x.mkv", "matroska", "libopus", 48000, 1, "mpeg4", 0),
        ("x.mka", "matroska", "flac", 44100, 2, None, 0),
        ("x.webm", "webm", "libopus", 48000, 2, "vp8", 0),
        ("x.wma", "asf", "wmav2", 44100, 2, None, 4096),
        ("x.aac", "adts", "aac", 44100, 1, None, 2048),
        ("x.avi", "avi", "libmp3lame", 44100, 1, "mpeg4", 2304),
        ("x.ts", "mpegts", "aac", 48000, 2, None, 2048),
        ("x.amr", "amr", "libopencore_amrnb", 8000, 1, None, 320),
        ("x.wv", "wv", "wavpack", 44100, 1, None, 0),
        ("x.mkv", "matroska", "aac", 48000, 6, None, 2048),
        ("misnamed.wav", "ipod", "aac", 44100, 1, None, 48),
    ],
)
def test_sound_comes_out_of_any_container(
    tmp_path, name, form, codec, rate, channels, video, frame
):
    path = make(tmp_path / name, form, codec, rate=rate, channels=channels, video=video)
    with AudioReader(path) as reader:
        assert (reader.sample_rate, reader.channels) == (rate, channels)
        audio = np.concatenate(list(reader))
    assert audio.dtype == np.float32 and audio.shape[1] == channels
    assert abs(len(audio) - round(SECONDS * rate)) <= frame
    if channels < 6:
        check_tone(audio, rate)
    else:
        assert np.abs(audio).max() > 0.4


@pytest.mark.parametrize("name", ["x.caf", "x.au", "x.w64", "x.wav", "x.aiff", "x.mp3", "x.ogg"])
def test_what_libsndfile_reads_is_left_to_it(tmp_path, name, monkeypatch):
    monkeypatch.setattr("mlx_rvc_cli.decoding.FFmpegSource.__init__", None)
    soundfile.write(tmp_path / name, tone(44100), 44100)
    audio, rate = read_audio(tmp_path / name)
    assert len(audio) == round(SECONDS * rate)
    check_tone(audio, rate)


@pytest.mark.parametrize("codec", ["pcm_u8", "pcm_s32le", "pcm_f32le", "pcm_f64le"])
def test_every_kind_of_sample_has_the_same_full_scale(tmp_path, codec):
    path = make(tmp_path / "x.mkv", "matroska", codec, channels=2)
    audio, _ = read_audio(path)
    np.testing.assert_allclose(audio, tone(44100, 2), atol=1.1 / 128 if "u8" in codec else 1e-6)


def test_of_several_tracks_the_one_marked_as_default_is_taken(tmp_path):
    for marked, level in ((0, 0.5), (1, 0.25), (None, 0.5)):
        with av.open(str(tmp_path / "x.mkv"), "w") as container:
            one, two = tone(48000), 0.5 * tone(48000)
            jobs = [
                add_sound(container, "flac", audio, 48000, None if marked is None else i == marked)
                for i, audio in enumerate((one, two))
            ]
            for job in jobs:
                job()
        assert read_audio(tmp_path / "x.mkv")[0].max() == pytest.approx(level, rel=0.01)


def test_libsndfile_s_files_do_not_wait_for_ffmpeg(tmp_path):
    code = (
        "import sys; from mlx_rvc_cli.audio import read_audio, write_audio; "
        "write_audio('x.wav', *read_audio('in.wav')); sys.exit('av' in sys.modules)"
    )
    soundfile.write(tmp_path / "in.wav", tone(16000), 16000)
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False).returncode == 0


def test_blocks_of_a_long_track_are_bounded_and_in_order(tmp_path):
    path = make(tmp_path / "x.mka", "matroska", "flac", seconds=7)
    with AudioReader(path) as reader:
        blocks = list(reader)
    assert [len(block) for block in blocks[:-1]] == [1 << 16] * (len(blocks) - 1)
    assert len(blocks) == 5 and len(blocks[-1]) <= 1 << 16
    np.testing.assert_allclose(np.concatenate(blocks), tone(44100, 1, 7), atol=1 / 32768)


def test_a_track_that_changes_its_rate_on_the_way_is_refused(tmp_path):
    """Two streams of AAC, one after the other, as a recorder leaves that was set anew."""
    parts = [make(tmp_path / f"{rate}.aac", "adts", "aac", rate=rate) for rate in (44100, 32000)]
    (tmp_path / "x.aac").write_bytes(b"".join(part.read_bytes() for part in parts))
    text = refused(tmp_path / "x.aac")
    assert "changes from 44100 Hz, 1 channels to 32000 Hz, 1 channels after 1.1 s" in text
    assert "convert it to .wav first" in text


# --- what cannot be read ----------------------------------------------------------------------


def refused(path):
    with pytest.raises(AudioFileError) as error:
        read_audio(path)
    text = str(error.value)
    assert "\n" not in text and str(path) in text
    return text


@pytest.mark.parametrize(
    ("name", "form", "codec"), [("x.mp4", "mp4", "mpeg4"), ("x.webm", "webm", "vp8")]
)
def test_a_video_without_sound_is_named(tmp_path, name, form, codec):
    text = refused(make(tmp_path / name, form, video=codec))
    assert "is a video without sound: name a recording" in text


def test_sound_that_cannot_be_decoded_is_not_called_damaged(tmp_path):
    path = make(tmp_path / "x.mka", "matroska", "flac")
    path.write_bytes(path.read_bytes().replace(b"A_FLAC", b"A_XLAC"))
    assert "of a kind that FFmpeg cannot decode: convert it to .wav" in refused(path)


def test_a_picture_is_no_recording(tmp_path):
    with av.open(str(tmp_path / "x.png"), "w", format="image2") as container:
        stream = container.add_stream("png", rate=1)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "rgb24"
        frame = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), "rgb24")
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert "is a picture, not audio" in refused(tmp_path / "x.png")


def test_a_video_cut_short_is_refused(tmp_path):
    path = make(tmp_path / "x.mp4", "mp4", "aac", seconds=5)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])  # without its table at the end
    assert "bytes that it announces: it is truncated" in refused(path)
    with av.open(str(path), "w", format="mp4", container_options={"movflags": "+faststart"}) as c:
        add_sound(c, "aac", tone(44100, 1, 5), 44100)()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])  # with its table, half of the sound
    text = refused(path)
    assert "truncated or damaged" in text or "cannot be read" in text


def test_nan_in_a_video_is_named_by_its_time(tmp_path):
    audio = tone(16000)
    audio[8000] = np.nan
    with av.open(str(tmp_path / "x.mkv"), "w") as container:
        add_sound(container, "pcm_f32le", audio, 16000)()
    assert "NaN or infinite, first at 0.500 s" in refused(tmp_path / "x.mkv")


def test_a_playlist_opens_no_other_file(tmp_path):
    make(tmp_path / "secret.ts", "mpegts", "aac")
    for name, text in (
        ("x.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1.1,\nsecret.ts\n#EXT-X-ENDLIST\n"),
        ("x.ffconcat", "ffconcat version 1.0\nfile secret.ts\n"),
    ):
        for filler in ("", "\x00"):  # text, and text that the look at its first bytes lets pass
            (tmp_path / name).write_text(text + filler)
            assert "text file" in refused(tmp_path / name) or filler


def test_a_container_says_how_long_it_is(tmp_path):
    with AudioReader(make(tmp_path / "a.m4a", "ipod", "aac")) as reader:
        assert reader.frames is None
        assert reader.duration == pytest.approx(SECONDS, abs=0.1)
