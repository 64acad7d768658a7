"""`mlx-rvc plot`: recordings side by side in a PNG."""

import json
from pathlib import Path

import pytest

from mlx_rvc_cli.host import main

AUDIO = Path(__file__).parent / "audio"
SPEECH = AUDIO / "librivox_austen_0930.flac"


def test_two_recordings_side_by_side(tmp_path, capsys):
    picture = tmp_path / "both.png"
    recordings = [str(SPEECH), str(AUDIO / "target_1.flac")]
    assert main(["plot", *recordings, "-o", str(picture), "--pitch", "10", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "inputs": recordings, "picture": str(picture), "f0_method": "swift-f0",
    }  # fmt: skip
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert list(tmp_path.iterdir()) == [picture]


def test_the_picture_lies_beside_the_recording(tmp_path, capsys):
    recording = tmp_path / "a.flac"
    recording.write_bytes(SPEECH.read_bytes())
    (tmp_path / "a.png").write_bytes(b"its cover")
    assert main(["plot", str(recording), "--f0-method", "dio"]) == 0
    assert (tmp_path / "a.png").read_bytes() == b"its cover"
    assert (tmp_path / "a.plot.png").exists()
    assert str(tmp_path / "a.plot.png") in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.wav"], "missing.wav"),
        (["SPEECH"] * 5, "5 recordings; a picture holds up to 4"),
        (["SPEECH", "-o", "a.jpg"], ".png"),
        (["SPEECH", "-o", "nowhere/a.png"], "nowhere"),
        (["SPEECH", "-o", "a.png", "--f0-method", "yin"], "'yin' is unknown"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(tmp_path, capsys, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    arguments = [str(SPEECH) if argument == "SPEECH" else argument for argument in arguments]
    assert main(["plot", *arguments]) != 0
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1 and words in said.err
    assert list(tmp_path.iterdir()) == []


CONVERT = ["convert", str(SPEECH), "out.wav", "--model", "demo", "--seed", "1"]


def test_a_conversion_draws_itself(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main([*CONVERT, "--auto-pitch", "200", "--plot", "both.png", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["picture"] == "both.png"
    assert Path("both.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["both.png", "out.wav"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([*CONVERT, "--plot", "both.jpg"], "both.jpg: pictures are written as .png"),
        ([*CONVERT, "--plot", "nowhere/a.png"], "nowhere"),
        (["convert", str(SPEECH), "-", "-m", "demo", "--plot", "a.png"], "- is a pipe"),
    ],
)
def test_a_picture_that_cannot_be_is_said_before_the_work(
    tmp_path, capsys, monkeypatch, arguments, words
):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) != 0
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1 and words in said.err
    assert list(tmp_path.iterdir()) == []
