"""What libsndfile would misread, or write about on standard error."""

import numpy as np
import pytest
import soundfile

from mlx_rvc_cli.audio import AudioFileError, AudioReader, read_audio
from mlx_rvc_cli.misread import chained, misread

TONE = (0.3 * np.sin(np.arange(16000) * 0.05)).astype(np.float32)


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 24000, 32000, 44100, 48000])
@pytest.mark.parametrize("front", [b"", bytes(3000), b"ID3\x03\0\0\0\0\x07\x76" + bytes(1014)])
def test_mp3_is_known_by_its_frames(tmp_path, rate, front, capfd):
    path = tmp_path / "x.mp3"
    soundfile.write(path, TONE, rate)
    path.write_bytes(front + path.read_bytes())
    with path.open("rb") as file:
        assert misread(file, ".mp3") is None and file.tell() == 0
    assert len(read_audio(path)[0]) == 16000 and capfd.readouterr() == ("", "")


@pytest.mark.parametrize("data", [np.random.default_rng(4).bytes(20000), b"\xff\xfb\x10\xc4"])
@pytest.mark.parametrize("name", ["x.mp3", "x.wav"])
def test_what_is_no_mp3_is_refused_without_a_word_of_libmpg123(tmp_path, data, name, capfd):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(AudioFileError, match="cannot be read as audio"):
        AudioReader(tmp_path / name)
    assert capfd.readouterr() == ("", "")


def test_a_tag_behind_a_flac_is_no_damage(tmp_path):
    path = tmp_path / "x.flac"
    soundfile.write(path, np.tile(TONE, 9), 16000)
    path.write_bytes(path.read_bytes() + b"TAG" + bytes(125))
    assert len(read_audio(path)[0]) == 9 * 16000


def with_serial(page, serial):
    return page[:14] + serial + page[18:]


def test_a_chain_is_told_from_streams_side_by_side(tmp_path):
    soundfile.write(tmp_path / "x.ogg", TONE, 16000)
    data = (tmp_path / "x.ogg").read_bytes()
    first = data[: 28 + data[27]]
    other = with_serial(first, b"abcd")
    last = data[data.rfind(b"OggS") :]
    for name, pages, chain in (
        ("one", data, False),
        ("side by side", first + other + data[len(first) :] + with_serial(last, b"abcd"), False),
        ("one after the other", data + other + with_serial(last, b"abcd"), True),
    ):
        path = tmp_path / name
        path.write_bytes(pages)
        with path.open("rb") as file:
            assert chained(file) is chain, name
    with pytest.raises(AudioFileError, match="is a chain of several Ogg streams"):
        AudioReader(path)
