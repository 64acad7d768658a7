"""`mlx-rvc batch`: an album in, an album out."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import soundfile

from mlx_rvc_cli.host import main

AUDIO = Path(__file__).parent / "audio"
SPEECH = AUDIO / "librivox_austen_0930.flac"
DEMO = ["--model", "demo", "--f0-method", "dio", "--seed", "1"]


@pytest.fixture
def album(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    audio, rate = soundfile.read(SPEECH)
    for name, seconds in (("one.wav", 0.5), ("side two/two.flac", 0.3), ("zero.ogg", 0.2)):
        path = Path("album", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, audio[16000 : 16000 + int(seconds * rate)], rate)
    Path("album/notes.txt").write_text("takes")
    Path("album/.DS_Store").write_bytes(b"\0")
    Path("album/broken.wav").write_text("not a recording")


def batch(capsys, *arguments):
    status = main(["batch", *arguments, *DEMO, "--json"])
    said = capsys.readouterr()
    return status, json.loads(said.out), said.err


def test_an_album(album, capsys):
    status, report, said = batch(capsys, "album", "--out", "converted", "--format", "flac")
    assert status == 1  # one is broken
    assert (report["done"], report["skipped"], report["failed"]) == (3, 0, 1)
    assert {each["reason"] for each in report["passed_over"]} == {"hidden", "not audio"}
    assert "1/4 broken.flac: failed: album/broken.wav is a text file" in said
    assert sorted(p.as_posix() for p in Path("converted").rglob("*") if p.is_file()) == [
        *("converted/mlx-rvc-batch.jsonl", "converted/one.flac", "converted/side two/two.flac"),
        "converted/zero.flac",
    ]
    assert soundfile.info("converted/one.flac").duration == pytest.approx(0.5)
    assert report["recordings"][1]["summary"]["duration_s"] == 0.5

    made = Path("converted/one.flac").stat().st_mtime_ns
    Path("album/broken.wav").unlink()
    status, report, _ = batch(capsys, "album", "--out", "converted", "--format", "flac")
    assert (status, report["done"], report["skipped"]) == (0, 0, 3)
    assert {each["note"] for each in report["recordings"]} == {"made already"}
    assert Path("converted/one.flac").stat().st_mtime_ns == made


def test_a_quiet_batch_says_nothing(album, capsys):
    assert main(["batch", "album/one.wav", "--out", "converted", *DEMO, "--quiet"]) == 0
    assert capsys.readouterr() == ("", "") and Path("converted/one.wav").exists()


def test_a_batch_is_what_single_conversions_are(album, capsys):
    assert batch(capsys, "album/one.wav", "--out", "converted", "--pitch", "3")[0] == 0
    assert main(["convert", "album/one.wav", "alone.wav", *DEMO, "--pitch", "3"]) == 0
    assert Path("converted/one.wav").read_bytes() == Path("alone.wav").read_bytes()


def test_a_method_that_cannot_be_loaded_is_said_once(album, capsys):
    given = ["batch", "album", "--out", "o", "--model", "demo", "--f0-method", "rmvpe"]
    assert main([*given, "--rmvpe", "x.pt"]) != 0
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1 and "x.pt" in said.err
    assert not Path("o").exists()


def test_what_a_conversion_has_to_say_stands_in_its_line(album, capsys):
    given = ["batch", "album/one.wav", "--out", "o", "--format", "opus", *DEMO]
    assert main([*given, "--sample-rate", "44100", "--auto-pitch", "200"]) == 0
    line = next(
        line for line in capsys.readouterr().err.splitlines() if "1/1 one.opus: done" in line
    )
    assert "auto pitch shifted by" in line and "48000 Hz" in line


def test_the_failed_are_listed_for_people(album, capsys):
    shutil.rmtree("album/side two")
    assert main(["batch", "album", "--out", "album/converted", *DEMO]) == 1
    said = capsys.readouterr()
    assert "album/converted: 2 done, 0 skipped, 1 failed; 2 files passed over" in said.out
    assert said.out.rstrip().splitlines()[-1].startswith("album/broken.wav  album/broken.wav is a")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.wav", "--out", "o"], "missing.wav: no such file or folder"),
        (["album", "--out", "album/one.wav"], "album/one.wav is a file"),
        (["album", "--out", "o", "--format", "xyz"], "xyz"),
        (["album", "--out", "o", "--speaker", "9"], "speaker is 9"),
        (["album", "--out", "o", "--protect", "2"], "protect is 2"),
        (["album", "--out", "o", "--save-f0", "a.csv"], "--save-f0"),
        (["album", "--out", "o", "--rmvpe", "x.pt"], "weights for RMVPE are given, but the F0"),
    ],
)
def test_what_cannot_be_done_is_one_line(album, capsys, arguments, words):
    assert main(["batch", *arguments, *DEMO]) != 0
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1 and words in said.err
    assert not Path("o").exists()


# --- several at a time ----------------------------------------------------------------------


@pytest.fixture
def six(tmp_path, monkeypatch):
    """Six recordings of half a second."""
    monkeypatch.chdir(tmp_path)
    audio, rate = soundfile.read(SPEECH)
    Path("six").mkdir()
    for number in range(6):
        start = number * rate // 2
        soundfile.write(f"six/{number}.wav", audio[start : start + rate // 2], rate)


def test_two_jobs_give_what_one_gives(album, capsys, monkeypatch):
    """Byte for byte, with as many threads for each: another number may round otherwise."""
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    command = [sys.executable, "-m", "mlx_rvc_cli", "batch", "album", *DEMO, "--json"]
    alone = subprocess.run([*command, "--out", "1"], capture_output=True, check=False)
    one = json.loads(alone.stdout)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    status, two, said = batch(capsys, "album", "--out", "2", "--jobs", "2", "--verbose")
    assert alone.returncode == status == 1 and (one["jobs"], two["jobs"]) == (1, 2)
    for field in ("input", "output", "status", "note"):  # in the order of the inputs
        assert [each[field] for each in two["recordings"]] == [
            each[field] for each in one["recordings"]
        ]
    for name in ("one.wav", "side two/two.wav", "zero.wav"):
        assert Path("1", name).read_bytes() == Path("2", name).read_bytes(), name
        assert f"\n{name}: writing: " in said
    assert "4/4 " in said and said.count("broken.wav: failed: ") == 1


@pytest.mark.skipif(not Path("/proc").exists(), reason="workers are looked up in Linux's /proc")
def test_a_killed_job_and_ctrl_c_and_the_next_run(six, capsys):
    """The kill fails one recording, Ctrl-C leaves no process and nothing half-written."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in the background
    command = [sys.executable, "-m", "mlx_rvc_cli", "batch", "six", "--out", "o", *DEMO]
    with subprocess.Popen(
        [*command, "--jobs", "2"], start_new_session=True, stderr=subprocess.PIPE, text=True
    ) as process:
        signal.signal(signal.SIGINT, before)
        line_of(process, "1/6 ")
        os.kill(workers_of(process.pid)[0], signal.SIGKILL)
        line = line_of(process, "failed")
        os.killpg(process.pid, signal.SIGINT)
        said = process.stderr.read()  # ends when neither the command nor a worker has it any more
    assert process.returncode == 130
    assert said.endswith("\nmlx-rvc: interrupted\n") and "Traceback" not in said
    lines = [json.loads(line) for line in Path("o/mlx-rvc-batch.jsonl").read_text().splitlines()]
    (failed,) = (each for each in lines if each.get("status") == "failed")
    assert f"ended with signal 9 while converting {failed['input']}; " in failed["note"]
    assert failed["note"] in line
    done = {each["output"] for each in lines if each.get("status") == "done"}
    made = {path.name for path in Path("o").glob("[!.]*.wav")}
    # Each process may have put its output in place without having been heard to say so.
    assert done and done <= made and len(made - done) <= 2 and len(made) < 6
    for name in made:
        assert soundfile.info(f"o/{name}").duration == 0.5
    left = {path.name for path in Path("o").iterdir()} - made - {"mlx-rvc-batch.jsonl"}
    assert all(re.match(rf"\.{Path(failed['output']).stem}-\w+\.wav", name) for name in left)
    status, report, _ = batch(capsys, "six", "--out", "o")
    assert (status, report["done"], report["skipped"]) == (0, 6 - len(made), len(made))


def line_of(process, word):
    while word not in (line := process.stderr.readline()):
        assert line, f"it has ended without {word}"
    return line


def workers_of(parent):
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            (owner,) = re.findall(r"^PPid:\t(\d+)$", (folder / "status").read_text(), re.MULTILINE)
            if int(owner) == parent and b"spawn_main" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    assert len(found) == 2
    return found


def test_no_job_at_all_is_refused_before_any_work(album, capsys):
    assert main(["batch", "album", "--out", "converted", *DEMO, "--jobs", "0"]) == 1
    assert capsys.readouterr().err == (
        "mlx-rvc: error: --jobs is 0; give how many recordings at a time, 1 or more\n"
    )
    assert not Path("converted").exists()
