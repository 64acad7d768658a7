"""`-` for a file name, in processes of their own: their standard input and output are pipes."""

import io
import os
import subprocess
import sys
import tempfile
import threading

import av
import numpy as np
import pytest
import soundfile

from mlx_rvc_cli.audio import (
    AudioFileError,
    AudioReader,
    check_output,
    read_audio,
    write_audio,
)
from mlx_rvc_cli.console import emit, reserve_stdout
from mlx_rvc_cli.host import main

PASS_ON = """
import sys
from mlx_rvc_cli.audio import read_audio, write_audio
from mlx_rvc_cli.errors import CommandError
try:
    audio, rate = read_audio("-")
    write_audio("-", audio, rate, bit_depth=24)
except CommandError as error:
    sys.exit(str(error))
"""


def tone(rate=16000):
    wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(rate + 7) / rate)
    return np.stack([wave, 0.3 * wave], axis=1).astype(np.float32)


def passed_on(data):
    return subprocess.run(
        [sys.executable, "-c", PASS_ON], input=data, capture_output=True, check=False
    )


def encoded(form, **settings):
    file = io.BytesIO()
    soundfile.write(file, tone(), 16000, format=form, **settings)
    return file.getvalue()


def in_m4a():
    file = io.BytesIO()
    with av.open(file, "w", format="ipod") as container:
        stream = container.add_stream("alac", rate=16000, layout="stereo")
        samples = np.ascontiguousarray((tone().T * 32767).astype(np.int16))
        frame = av.AudioFrame.from_ndarray(samples, "s16p", "stereo")
        frame.sample_rate, frame.pts = 16000, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


@pytest.mark.parametrize("kind", ["wav", "flac", "m4a"])
def test_audio_goes_through_a_process(kind):
    """wav and flac by libsndfile; m4a, whose table stands at its end, by FFmpeg."""
    data = in_m4a() if kind == "m4a" else encoded(kind.upper())
    done = passed_on(data)
    assert (done.returncode, done.stderr) == (0, b"")
    audio, rate = soundfile.read(io.BytesIO(done.stdout), dtype="float32")
    assert soundfile.info(io.BytesIO(done.stdout)).subtype == "PCM_24"
    assert rate == 16000
    np.testing.assert_allclose(audio, tone(), atol=2 / 32768)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "standard input is empty (0 bytes)"),
        (b"no audio, words", "standard input is a text file, not audio"),
        (bytes(range(256)), "standard input cannot be read as audio"),
    ],
)
def test_what_is_no_audio_is_one_line_and_nothing_goes_out(data, words):
    done = passed_on(data)
    assert done.returncode == 1 and done.stdout == b""
    assert words in done.stderr.decode() and done.stderr.count(b"\n") == 1


def test_a_named_pipe_is_read(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    feeder = threading.Thread(target=lambda: path.write_bytes(encoded("WAV")))
    feeder.start()
    audio, rate = read_audio(path)
    feeder.join()
    assert (audio.shape, rate) == ((16007, 2), 16000)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_is_refused_in_one_line(monkeypatch):
    monkeypatch.setattr("sys.stdin", Terminal())
    with pytest.raises(AudioFileError, match=r"standard input is a terminal.* < me\.wav"):
        AudioReader("-")
    monkeypatch.setattr("sys.stdout", Terminal())
    with pytest.raises(AudioFileError, match="standard output is a terminal"):
        check_output("-")
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(AudioFileError, match="standard input"):
        AudioReader("-")


def test_standard_output_takes_no_tags_and_any_rate(capfd):
    with pytest.raises(AudioFileError, match="tags cannot go to standard output"):
        check_output("-", tags=True)
    check_output("-", 12345, bit_depth=32)


def test_a_failure_on_the_way_sends_nothing(capfdbinary):
    with pytest.raises(AudioFileError, match="NaN"):
        write_audio("-", np.full(9, np.nan), 16000)
    assert capfdbinary.readouterr().out == b""


def test_no_temporary_file_has_a_name(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    path = tmp_path / "pipe"
    os.mkfifo(path)
    feeder = threading.Thread(target=lambda: path.write_bytes(encoded("WAV")))
    feeder.start()
    with AudioReader(path) as reader:
        feeder.join()
        assert [file.name for file in tmp_path.iterdir()] == ["pipe"]
        assert len(np.concatenate(list(reader))) == 16007


def test_a_full_folder_of_temporary_files_is_named(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    path = tmp_path / "pipe"
    os.mkfifo(path)
    monkeypatch.setattr("shutil.copyfileobj", full)
    feeder = threading.Thread(target=lambda: path.open("wb").close())
    feeder.start()
    with pytest.raises(OSError, match=r"a pipe needs a temporary file.*another folder in TMPDIR"):
        AudioReader(path)
    feeder.join()


@pytest.mark.parametrize("as_json", [True, False])
def test_results_go_to_stderr_when_stdout_carries_sound(capsys, as_json):
    reserve_stdout()
    try:
        emit({"rate": 5}, as_json=as_json)
    finally:
        reserve_stdout(False)
    said = capsys.readouterr()
    assert said.out == "" and "rate" in said.err
    emit({"rate": 5}, as_json=as_json)
    assert "rate" in capsys.readouterr().out


def test_a_new_run_speaks_on_stdout_again(capsys):
    reserve_stdout()
    assert main(["--version"]) == 0
    emit({"rate": 5}, as_json=True)
    assert '"rate": 5' in capsys.readouterr().out
