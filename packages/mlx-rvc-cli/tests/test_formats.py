"""Every format that is written: duration, frequency, rate, bit depth; by FFmpeg's decoder too."""

import av
import numpy as np
import pytest
import soundfile

from mlx_rvc_cli.audio import (
    AudioFileError,
    Written,
    check_output,
    output_rate,
    read_audio,
    write_audio,
    write_blocks,
)

HZ = 440.0
# Extension, and the samples of a frame of its codec at 48 kHz (0 = exact).
FORMATS = [
    ("wav", 0),
    ("flac", 0),
    ("aiff", 0),
    ("aif", 0),
    ("ogg", 0),
    ("opus", 960),
    ("mp3", 1152),
    ("m4a", 1024),
]


def tone(rate, frames, channels=1):
    wave = 0.5 * np.sin(2 * np.pi * HZ * np.arange(frames) / rate)
    return np.stack([wave * (1 - 0.5 * c) for c in range(channels)], axis=1).astype(np.float32)


def frequency(audio, rate):
    middle = audio[len(audio) // 4 : 3 * len(audio) // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle)), 1 << 18))
    return np.argmax(spectrum) * rate / (1 << 18)


@pytest.mark.parametrize(("extension", "frame"), FORMATS)
@pytest.mark.parametrize("rate", [8000, 16000, 32000, 40000, 44100, 48000, 96000])
def test_duration_and_frequency_are_kept(tmp_path, extension, frame, rate):
    path = tmp_path / f"x.{extension}"
    frames = round(0.9 * rate) + 37
    written = write_audio(path, tone(rate, frames), rate)
    assert written == Written(1.0, output_rate(path, rate))
    audio, found_rate = read_audio(path)
    assert found_rate == written.sample_rate
    exact = round(frames * found_rate / rate)
    assert abs(len(audio) - exact) <= frame
    assert frequency(audio[:, 0], found_rate) == pytest.approx(HZ, abs=0.5)
    level = np.sqrt(np.mean(audio[len(audio) // 4 : len(audio) // 2] ** 2))
    assert level == pytest.approx(0.5 / np.sqrt(2), rel=0.06)
    # In place, too: neither the filter nor the codec delays it.
    middle = slice(exact // 3, exact // 2)
    expected = tone(found_rate, exact)[middle, 0]
    found = audio[middle, 0]
    assert np.dot(found, expected) > 0.995 * np.linalg.norm(found) * np.linalg.norm(expected)


@pytest.mark.parametrize(("extension", "frame"), FORMATS)
def test_other_decoders_hear_the_same(tmp_path, extension, frame):
    """FFmpeg on what libsndfile wrote: the length but for a frame, both channels in their place."""
    path = tmp_path / f"x.{extension}"
    write_audio(path, tone(48000, 50000, channels=2), 48000)
    even = av.AudioResampler("fltp", "stereo", 48000)
    with av.open(str(path)) as container:
        parts = [part for whole in container.decode(audio=0) for part in even.resample(whole)]
    audio = np.concatenate([part.to_ndarray() for part in parts], axis=1)
    assert abs(audio.shape[1] - 50000) <= max(frame, 128)  # FFmpeg drops Vorbis's first block
    levels = np.sqrt(np.mean(audio[:, 10000:40000] ** 2, axis=1))
    assert levels[1] == pytest.approx(levels[0] / 2, rel=0.1)


@pytest.mark.parametrize("rate", [16000, 44100, 48000])
def test_an_m4a_file_has_the_length_to_the_sample(tmp_path, rate):
    frames = rate + 123
    write_audio(tmp_path / "x.m4a", tone(rate, frames, 2), rate)
    audio, _ = read_audio(tmp_path / "x.m4a")
    assert audio.shape == (frames, 2)


@pytest.mark.parametrize(
    ("name", "wanted", "rate"),
    [
        ("x.mp3", 40000, 44100),
        ("x.mp3", 96000, 48000),
        ("x.mp3", 18000, 16000),
        ("x.opus", 44100, 48000),
        ("x.opus", 22050, 24000),
        ("x.opus", 10000, 12000),  # of two that are as near, the higher one
        ("x.m4a", 40000, 44100),
        ("x.m4a", 192000, 96000),
        ("x.ogg", 40000, 40000),
        ("x.wav", 12345, 12345),
        ("-", 40000, 40000),
    ],
)
def test_the_nearest_rate_is_taken_and_told(name, wanted, rate):
    assert output_rate(name, wanted) == rate


def test_a_rate_that_is_none_is_refused(tmp_path):
    with pytest.raises(AudioFileError, match="0 Hz is not possible"):
        output_rate("x.mp3", 0)
    with pytest.raises(AudioFileError, match="-8000 Hz is not possible"):
        check_output(tmp_path / "x.mp3", -8000)


def test_a_rate_is_snapped_by_block_as_at_once(tmp_path):
    """Three blocks of two channels, too loud: the gain follows the peak of what is written."""
    audio = 3 * tone(40000, 150000, channels=2)
    asked = []

    def read(start, stop):
        asked.append(stop - start)
        return audio[start:stop]

    by_block = write_blocks(tmp_path / "b.mp3", read, len(audio), 40000, channels=2)
    assert by_block == write_audio(tmp_path / "a.mp3", audio, 40000)
    assert by_block.sample_rate == 44100 and by_block.gain == pytest.approx(0.99 / 1.5, rel=0.01)
    assert max(asked) <= 1 << 16
    found, _ = read_audio(tmp_path / "b.mp3")
    assert found.shape == (round(150000 * 44100 / 40000), 2)
    assert np.abs(found[1000:-1000]).max() == pytest.approx(0.99, rel=0.05)


# --- bit depth --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("extension", "depth", "subtype", "error"),
    [
        ("wav", None, "PCM_16", 1 / 32768),
        ("wav", 16, "PCM_16", 1 / 32768),
        ("wav", 24, "PCM_24", 1.2e-7),
        ("wav", 32, "FLOAT", 0),
        ("flac", 24, "PCM_24", 1.2e-7),
        ("flac", None, "PCM_16", 1 / 32768),
        ("aiff", 24, "PCM_24", 1.2e-7),
        ("aiff", 32, "FLOAT", 0),
    ],
)
def test_bit_depths(tmp_path, extension, depth, subtype, error):
    path = tmp_path / f"x.{extension}"
    audio = tone(44100, 4410)
    write_audio(path, audio, 44100, bit_depth=depth)
    assert soundfile.info(path).subtype == subtype
    assert np.abs(read_audio(path)[0] - audio).max() <= error


@pytest.mark.parametrize(
    ("name", "depth", "match"),
    [
        ("x.flac", 32, r"\.flac cannot hold 32 bits: choose one of 16, 24"),
        ("x.wav", 8, r"\.wav cannot hold 8 bits: choose one of 16, 24, 32"),
        ("x.mp3", 16, r"\.mp3 has no bit depth, 16 is given: leave it out"),
        ("x.m4a", 24, r"\.m4a has no bit depth"),
    ],
)
def test_bit_depths_that_a_format_lacks_are_refused_before_work(tmp_path, name, depth, match):
    with pytest.raises(AudioFileError, match=match):
        check_output(tmp_path / name, bit_depth=depth)
    with pytest.raises(AudioFileError, match=match):
        write_audio(tmp_path / name, tone(44100, 100), 44100, bit_depth=depth)
    assert list(tmp_path.iterdir()) == []


def test_a_deep_file_is_full_earlier(tmp_path):
    def read(start, stop):
        raise AssertionError("nothing should be read")

    with pytest.raises(AudioFileError, match="4 GiB"):
        write_blocks(tmp_path / "x.wav", read, (1 << 30) + 1, 48000, bit_depth=32)


# --- failures ---------------------------------------------------------------------------------


@pytest.mark.parametrize("extension", ["m4a", "mp3", "wav"])
def test_a_failure_on_the_way_leaves_the_old_file(tmp_path, extension):
    path = tmp_path / f"x.{extension}"
    write_audio(path, tone(44100, 44100), 44100)
    before = path.read_bytes()
    reads = []

    def read(start, stop):
        reads.append(start)
        if len(reads) > 3:  # in the second pass
            raise OSError(28, "No space left on device")
        return tone(44100, stop - start)

    with pytest.raises(OSError, match="No space left"):
        write_blocks(path, read, 100000, 44100)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_three_channels_are_too_many_for_m4a(tmp_path):
    with pytest.raises(AudioFileError, match=r"3 channels; \.m4a holds 2"):
        write_audio(tmp_path / "x.m4a", tone(44100, 100, 3), 44100)


@pytest.mark.parametrize("name", ["a:b.m4a", "file:x.m4a", "ä %d.m4a", "-x.m4a"])
def test_a_name_is_no_address(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    write_audio(name, tone(44100, 5000), 44100)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert read_audio(name)[0].shape == (5000, 1)
