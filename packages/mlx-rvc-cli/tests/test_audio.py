"""Reading, writing and resampling audio files."""

import struct

import numpy as np
import pytest
import soundfile

from mlx_rvc_cli.audio import (
    AudioFileError,
    AudioReader,
    Written,
    check_output,
    read_audio,
    resample,
    resample_blocks,
    to_mono,
    write_audio,
    write_blocks,
)
from mlx_rvc_cli.errors import CommandError


def tone(seconds=0.3, rate=16000, hz=440.0, channels=1):
    t = np.arange(round(seconds * rate)) / rate
    wave = 0.5 * np.sin(2 * np.pi * hz * t)
    return np.stack([wave * (1 - 0.3 * c) for c in range(channels)], axis=1).astype(np.float32)


@pytest.mark.parametrize("extension", ["wav", "flac", "aiff", "aif", "WAV"])
@pytest.mark.parametrize("channels", [1, 2])
def test_lossless_formats_come_back(tmp_path, extension, channels):
    path = tmp_path / f"tone.{extension}"
    audio = tone(channels=channels)
    assert write_audio(path, audio, 44100) == Written(1.0, 44100)
    found, rate = read_audio(path)
    assert rate == 44100
    assert found.dtype == np.float32
    assert found.shape == audio.shape
    assert np.abs(found - audio).max() <= 1 / 32768


@pytest.mark.parametrize(
    ("extension", "rate"), [("ogg", 40000), ("ogg", 44100), ("opus", 48000), ("mp3", 32000)]
)
def test_lossy_formats_come_back(tmp_path, extension, rate):
    path = tmp_path / f"tone.{extension}"
    write_audio(path, tone(1.0, rate), rate)
    found, found_rate = read_audio(path)
    assert found_rate == rate
    assert abs(len(found) - rate) < 0.1 * rate
    level = np.sqrt(np.mean(found[rate // 4 : rate // 2] ** 2))
    assert level == pytest.approx(0.5 / np.sqrt(2), rel=0.05)


def test_long_ogg_does_not_overflow_the_encoder_s_stack(tmp_path):
    path = tmp_path / "long.ogg"
    write_audio(path, tone(60, 48000), 48000)
    assert len(read_audio(path)[0]) == 60 * 48000


def test_too_loud_audio_is_scaled_not_clipped(tmp_path):
    path = tmp_path / "loud.wav"
    audio = 4 * tone()
    gain = write_audio(path, audio, 16000).gain
    assert gain == pytest.approx(0.99 / 2, rel=1e-3)
    found, _ = read_audio(path)
    np.testing.assert_allclose(found, audio * gain, atol=1 / 32768)
    assert write_audio(path, tone() * 2, 16000).gain == 1.0  # full scale itself is fine


def test_one_dimension_is_one_channel(tmp_path):
    write_audio(tmp_path / "x.wav", tone()[:, 0].astype(np.float64), 16000)
    assert read_audio(tmp_path / "x.wav")[0].shape == (4800, 1)


@pytest.mark.parametrize(
    ("audio", "match"),
    [
        (np.zeros((0, 1), np.float32), "nothing to write"),
        (np.zeros((3, 3, 3), np.float32), "nothing to write"),
        (np.array([0, np.nan], np.float32), "NaN"),
        (np.array([0, -np.inf], np.float32), "NaN"),
        (np.zeros(9, np.int16), "int16"),
        (np.zeros((9, 9), np.float32), "9 channels"),
    ],
)
def test_audio_that_cannot_be_written_leaves_no_file(tmp_path, audio, match):
    with pytest.raises(AudioFileError, match=match):
        write_audio(tmp_path / "x.flac", audio, 16000)
    assert list(tmp_path.iterdir()) == []


def test_an_old_file_survives_a_failure(tmp_path):
    path = tmp_path / "x.wav"
    write_audio(path, tone(), 16000)
    before = path.read_bytes()
    with pytest.raises(AudioFileError):
        write_audio(path, np.full(9, np.nan, np.float32), 16000)
    assert path.read_bytes() == before


# --- check_output -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "rate", "match"),
    [
        ("x", None, "no extension"),
        ("x.mp4", None, r"'.mp4'.*\.wav, \.flac"),
        ("x.wav", 0, "0 Hz"),
        ("none/x.wav", None, "does not exist"),
        ("file/x.wav", None, "is not a folder"),
        ("dir.wav", None, "is a folder"),
    ],
)
def test_bad_outputs_are_found_before_work(tmp_path, name, rate, match):
    (tmp_path / "file").write_text("x")
    (tmp_path / "dir.wav").mkdir()
    with pytest.raises(CommandError, match=match):
        check_output(tmp_path / name, rate)


def test_good_outputs_pass_and_nothing_is_made(tmp_path):
    assert check_output(str(tmp_path / "x.mp3"), 44100) == tmp_path / "x.mp3"
    assert check_output(tmp_path / "x.ogg", 40000)
    assert list(tmp_path.iterdir()) == []


# --- read_audio -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", r"empty \(0 bytes\)"),
        (b"\n <!DOCTYPE html><html>", "HTML page"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS pointer"),
        (
            b"\0\0\0\x20ftypM4A \0\0\0\0" + bytes(99),
            "MP4/M4A container that cannot be read .*fetch it again",
        ),
        (b"\x1a\x45\xdf\xa3" + bytes(99), "WebM"),
        (b"\x30\x26\xb2\x75" + bytes(99), "WMA"),
        (b"#!AMR\n" + bytes(range(99)), "AMR"),
        (b"PK\x03\x04" + bytes(99), "zip archive"),
        ("Grüße, dies ist Text.\n".encode() * 50, "text file"),
        (bytes(range(256)), "cannot be read as audio"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "cannot be read as audio"),
    ],
)
@pytest.mark.parametrize("name", ["x.wav", "x.raw"])
def test_what_is_not_audio_is_named(tmp_path, name, data, match):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(AudioFileError, match=match) as error:
        read_audio(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_folder_and_no_samples(tmp_path):
    with pytest.raises(AudioFileError, match="no such file"):
        read_audio(tmp_path / "x.wav")
    with pytest.raises(AudioFileError, match="is a folder"):
        read_audio(tmp_path)
    soundfile.write(tmp_path / "none.wav", np.zeros((0, 1), np.float32), 16000)
    with pytest.raises(AudioFileError, match="no audio samples"):
        read_audio(tmp_path / "none.wav")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_samples_that_are_not_finite_are_refused(tmp_path, bad):
    audio = tone(0.5)
    audio[4000] = bad
    soundfile.write(tmp_path / "x.wav", audio, 16000, subtype="FLOAT")
    with pytest.raises(ValueError, match=r"NaN or infinite, first at 0\.250 s"):
        read_audio(tmp_path / "x.wav")


def test_a_truncated_flac_is_refused(tmp_path):
    path = tmp_path / "x.flac"
    rng = np.random.default_rng(0)
    write_audio(path, rng.uniform(-0.5, 0.5, 64000), 16000)
    path.write_bytes(path.read_bytes()[:60000])
    with pytest.raises(AudioFileError, match=r"truncated or damaged|cannot be read"):
        read_audio(path)


def with_flac_length(path, frames):
    """Overwrite the number of samples (36 bits) in a FLAC file's STREAMINFO."""
    data = bytearray(path.read_bytes())
    place = data.index(b"fLaC") + 4 + 4 + 10
    (word,) = struct.unpack_from(">Q", data, place)
    struct.pack_into(">Q", data, place, (word >> 36 << 36) | frames)
    path.write_bytes(bytes(data))


def test_a_flac_stream_of_unknown_length_is_read(tmp_path):
    path = tmp_path / "x.flac"
    write_audio(path, tone(1.0), 16000)
    with_flac_length(path, 0)
    assert read_audio(path)[0].shape == (16000, 1)


def test_a_flac_that_claims_a_year_is_refused(tmp_path):
    path = tmp_path / "x.flac"
    write_audio(path, tone(1.0), 16000)
    with_flac_length(path, (1 << 36) - 1)
    with pytest.raises((AudioFileError, MemoryError), match=r"truncated|memory|cannot be read"):
        read_audio(path)


# --- to_mono, resample ------------------------------------------------------------------------


def test_to_mono():
    stereo = np.array([[1, 0], [0.5, -0.5]], np.float32)
    np.testing.assert_array_equal(to_mono(stereo), [0.5, 0])
    assert to_mono(stereo[:, 0]).shape == (2,)
    assert to_mono(stereo[:, :1]).shape == (2,)
    with pytest.raises(ValueError, match=r"\(2, 2, 1\)"):
        to_mono(stereo[..., None])


RATES = (8000, 11025, 16000, 22050, 32000, 40000, 44100, 48000)


@pytest.mark.parametrize("rate_in", RATES)
@pytest.mark.parametrize("rate_out", RATES)
def test_resampled_length_is_exact(rate_in, rate_out):
    for n in (1, 2, 3, 5, 13, 160, 441, 1001, 4799):
        out = resample(np.ones(n, np.float32), rate_in, rate_out)
        assert out.shape == (round(n * rate_out / rate_in),)
        assert out.dtype == np.float32


def test_resampling_keeps_a_tone_in_place():
    audio = tone(0.5, 44100, 1000.0, channels=2)
    out = resample(audio, 44100, 16000)
    expected = tone(0.5, 16000, 1000.0, channels=2)
    assert out.shape == expected.shape
    assert np.abs(out - expected)[400:-400].max() < 1e-4


def test_resampling_refuses_nonsense():
    with pytest.raises(ValueError, match="0 Hz"):
        resample(np.ones(9, np.float32), 16000, 0)
    with pytest.raises(ValueError, match="shape"):
        resample(np.ones((1, 9, 1), np.float32), 16000, 8000)
    assert resample(np.ones((0, 2), np.float32), 16000, 8000).shape == (0, 2)


# --- block by block ---------------------------------------------------------------------------


@pytest.mark.parametrize("extension", ["wav", "flac", "ogg", "mp3"])
def test_blocks_are_the_whole_file(tmp_path, extension):
    path = tmp_path / f"x.{extension}"
    write_audio(path, tone(5.0, 44100, channels=2), 44100)  # four blocks
    whole, _ = soundfile.read(path, dtype="float32", always_2d=True)
    with AudioReader(path) as reader:
        blocks = list(reader)
    assert (reader.sample_rate, reader.channels, reader.frames) == (44100, 2, len(whole))
    assert max(map(len, blocks)) <= 1 << 16 and len(blocks) > 1
    np.testing.assert_array_equal(np.concatenate(blocks), whole)
    np.testing.assert_array_equal(read_audio(path)[0], whole)


def test_nan_in_a_later_block_is_named_by_its_time(tmp_path):
    audio = tone(10.0)
    audio[8 * 16000] = np.nan
    soundfile.write(tmp_path / "x.wav", audio, 16000, subtype="FLOAT")
    with (
        AudioReader(tmp_path / "x.wav") as reader,
        pytest.raises(AudioFileError, match=r"first at 8\.000 s"),
    ):
        list(reader)


@pytest.mark.parametrize("rate_in", RATES)
@pytest.mark.parametrize("rate_out", RATES)
@pytest.mark.parametrize("block", [1, 1000, 10**6])
def test_resampling_by_block_is_resampling_at_once(rate_in, rate_out, block):
    rng = np.random.default_rng(0)
    for n in (0, 1, 2, 3, 5, 13, 160, 441, 1001) if block == 1 else (4799, 44100):
        audio = rng.standard_normal(n).astype(np.float32)
        parts = [audio[i : i + block] for i in range(0, n, block)]
        found = [np.zeros(0, np.float32), *resample_blocks(parts, rate_in, rate_out)]
        assert all(len(part) for part in found[1:])
        whole = resample(audio, rate_in, rate_out)
        np.testing.assert_allclose(np.concatenate(found), whole, atol=1e-6)


def test_resampling_blocks_refuses_nonsense():
    with pytest.raises(ValueError, match="0 Hz"):
        list(resample_blocks([np.ones(9, np.float32)], 16000, 0))


@pytest.mark.parametrize("gain", [1, 4])
def test_written_by_block_is_written_at_once(tmp_path, gain):
    audio = gain * tone(9.0)[:, 0]  # three blocks
    asked = []

    def read(start, stop):
        asked.append(stop - start)
        return audio[start:stop]

    assert write_blocks(tmp_path / "b.wav", read, len(audio), 16000) == write_audio(
        tmp_path / "a.wav", audio, 16000
    )
    assert (tmp_path / "b.wav").read_bytes() == (tmp_path / "a.wav").read_bytes()
    assert max(asked) <= 1 << 16


@pytest.mark.parametrize(
    ("name", "frames", "match"),
    [
        ("x.wav", 0, "nothing to write"),
        ("x.wav", 1 << 31, "4 GiB"),
        ("x.flac", 1 << 17, "NaN"),
        ("x.xyz", 9, "'.xyz'"),
    ],
)
def test_blocks_that_cannot_be_written_leave_no_file(tmp_path, name, frames, match):
    def read(start, stop):
        return np.full(stop - start, np.nan if start else 0.1, np.float32)

    with pytest.raises(AudioFileError, match=match):
        write_blocks(tmp_path / name, read, frames, 16000)
    assert list(tmp_path.iterdir()) == []
