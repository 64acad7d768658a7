"""Files that are shorter than they say, and files whose writer did not get to say it."""

import struct

import av
import numpy as np
import pytest
import soundfile

from mlx_rvc_cli.audio import AudioFileError, AudioReader, read_audio
from mlx_rvc_cli.completeness import shortfall

TONE = (0.3 * np.sin(np.arange(48000) * 0.05)).astype(np.float32)
SNDFILE = ("wav", "rf64", "w64", "aiff", "caf", "au", "ogg", "mp3")
FFMPEG = {"m4a": ("ipod", "aac", {"movflags": "+faststart"}), "webm": ("webm", "libopus", {})}


def made(path):
    """Three seconds at 16 kHz, or what the codec holds, by extension."""
    form = path.suffix[1:]
    if form in SNDFILE:
        soundfile.write(path, TONE, 16000, format=form.upper())
        return path
    container, codec, options = FFMPEG[form]
    rate = 48000 if codec == "libopus" else 16000
    with av.open(str(path), "w", format=container, container_options=options) as file:
        stream = file.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(TONE[None], "fltp", "mono")
        frame.sample_rate, frame.pts = rate, 0
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("form", [*SNDFILE, *FFMPEG])
def test_a_file_that_lacks_its_end_is_refused_and_a_whole_one_is_not(tmp_path, form):
    path = made(tmp_path / f"x.{form}")
    with path.open("rb") as file:
        assert shortfall(file) is None and file.tell() == 0
    assert len(read_audio(path)[0]) == 48000
    whole = path.read_bytes()
    for cut in (len(whole) - 1, len(whole) * 3 // 4):
        path.write_bytes(whole[:cut])
        with pytest.raises(AudioFileError, match=r"of the \d+ bytes that it announces: it is trun"):
            AudioReader(path)


@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_wav_whose_length_was_never_filled_in_is_read_to_its_end(tmp_path, size):
    path = made(tmp_path / "x.wav")
    data = path.read_bytes()
    path.write_bytes(data[:40] + struct.pack("<I", size) + data[44:])
    np.testing.assert_allclose(read_audio(path)[0][:, 0], TONE, atol=1e-4)


def test_a_wav_without_sound_but_with_words_has_no_sound(tmp_path):
    path = tmp_path / "x.wav"
    soundfile.write(path, TONE[:0], 16000)
    path.write_bytes(path.read_bytes() + b"LIST" + struct.pack("<I", 12) + b"INFOIART\0\0\0\0")
    with pytest.raises(AudioFileError, match="holds no audio samples"):
        read_audio(path)


@pytest.mark.parametrize("rate", [1, 999, 10_000_001])
def test_a_rate_that_no_sound_has_is_refused(tmp_path, rate):
    soundfile.write(tmp_path / "x.wav", TONE, rate)
    with pytest.raises(AudioFileError, match=f"sample rate of {rate} Hz; 1000 to 10000000 Hz"):
        AudioReader(tmp_path / "x.wav")
