"""The machine fails, or the user stops it: one line, a status, and nothing half-written."""

import json
import os
import resource
import signal
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
from toy_stages import Encoder, toy_pipeline

from mlx_rvc import RVCPipeline
from mlx_rvc_cli.host import main

FORMATS = ("wav", "flac", "mp3", "ogg", "opus", "m4a", "aiff")
CONVERT = ["--model", "demo", "--quiet"]


@pytest.fixture(autouse=True)
def toy(tmp_path, monkeypatch):
    """A toy voice, and three recordings of 4 s in the folder where the command runs."""
    monkeypatch.setattr(RVCPipeline, "from_pretrained", lambda *_, **__: toy_pipeline())
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 64000)
    for name in ("a.wav", "b.wav", "c.wav"):
        soundfile.write(f"in/{name}", noise, 16000)


@contextmanager
def largest_file(size):
    """No file may grow beyond so many bytes, as on a disk that has no more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def refused(capfd, status, *words):
    said = capfd.readouterr()
    assert status == 1 and said.out == "" and said.err.count("\n") == 1, said.err
    assert all(word in said.err for word in words), said.err


@pytest.mark.parametrize("extension", FORMATS)
@pytest.mark.parametrize("size", [1000, 4000])  # beyond what the line itself takes
def test_a_full_disk_while_writing(extension, size, capfd):
    Path("out").mkdir()
    with largest_file(size):
        status = main(["convert", "in/a.wav", f"out/x.{extension}", *CONVERT])
    refused(capfd, status)
    assert list(Path("out").iterdir()) == []


def test_a_full_disk_says_so(capfd):
    with largest_file(4000):
        status = main(["convert", "in/a.wav", "x.wav", *CONVERT])
    refused(capfd, status, "x.wav cannot be written", "the disk may be full", "another folder")


@pytest.mark.parametrize("folder", ["/proc", "/sys", "/proc/self"])
def test_a_folder_that_takes_no_files(folder, capfd):
    if not Path(folder).is_dir():
        pytest.skip(f"there is no {folder} here to write to, and root may write anywhere else")
    status = main(["convert", "in/a.wav", f"{folder}/out.wav", *CONVERT])
    refused(capfd, status, "choose another output path")


@contextmanager
def as_nobody():
    """As a user without rights, where the tests run as root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_permission_denied(capfd, tmp_path):
    """In one step of the work only: the rest of the path is the tests' own."""
    from mlx_rvc_cli.audio import AudioReader

    Path("in/a.wav").chmod(0)
    with as_nobody(), pytest.raises((OSError, ValueError)) as error:
        AudioReader("in/a.wav")
    assert "\n" not in str(error.value) and "enied" in str(error.value)


def test_a_recording_that_vanishes_fails_alone(capfd, monkeypatch):
    first = Encoder.extract

    def vanish(self, audio, **settings):
        Path("in/b.wav").unlink(missing_ok=True)
        return first(self, audio, **settings)

    monkeypatch.setattr(Encoder, "extract", vanish)
    assert main(["batch", "in", "--out", "out", "--model", "demo", "--json"]) == 1
    report = json.loads(capfd.readouterr().out)
    assert (report["done"], report["failed"]) == (2, 1)
    assert "b.wav: no such file" in report["recordings"][1]["note"]


@pytest.fixture
def interrupt(monkeypatch):
    """Ctrl-C, by a real signal, in the n-th use of the content encoder."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    first = Encoder.extract

    def at(number):
        left = [number]

        def extract(self, audio, **settings):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGINT)
            return first(self, audio, **settings)

        monkeypatch.setattr(Encoder, "extract", extract)

    yield at
    signal.signal(signal.SIGINT, before)


def test_an_interrupted_conversion_leaves_nothing(interrupt, capfd):
    interrupt(1)
    assert main(["convert", "in/a.wav", "x.wav", *CONVERT]) == 130
    assert capfd.readouterr() == ("", "\nmlx-rvc: interrupted\n")
    assert [path.name for path in Path().iterdir()] == ["in"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupted_batch_keeps_what_is_whole_and_goes_on(interrupt, capfd):
    arguments = ["batch", "in", "--out", "out", "--model", "demo"]
    interrupt(2)
    assert main([*arguments, "--quiet"]) == 130
    assert sorted(p.name for p in Path("out").iterdir()) == ["a.wav", "mlx-rvc-batch.jsonl"]
    assert soundfile.info("out/a.wav").frames == 64000
    interrupt(0)
    capfd.readouterr()
    assert main([*arguments, "--json"]) == 0
    report = json.loads(capfd.readouterr().out)
    assert (report["done"], report["skipped"]) == (2, 1)
