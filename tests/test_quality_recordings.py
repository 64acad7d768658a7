"""What the quality benchmark converts, and whom it should sound like."""

import json

import numpy as np
import pytest
from listening import recordings
from listening.subject import Files, Subject
from listening.targets import FOLDER, Target
from listening.words import normalise


def test_transcripts_of_two_kinds():
    lines = ["# words", "<s> he was not </s> (one)", "two.wav it was", "", "three  all of it "]
    assert recordings.transcripts(lines) == {
        "one": "he was not",
        "two": "it was",
        "three": "all of it",
    }
    with pytest.raises(ValueError, match="expected 'name text'"):
        recordings.transcripts(["alone"])


def test_the_recordings_of_the_repository_have_their_texts():
    found = recordings.bundled()
    assert [len([r for r in found if r.singing is sung]) for sung in (False, True)] == [5, 2]
    assert sum(len(normalise(r.text).split()) for r in found if r.text) == 71
    assert {r.name for r in recordings.bundled(recordings.SAMPLE)} == set(recordings.SAMPLE)


def test_recordings_of_a_folder(tmp_path):
    import soundfile

    (tmp_path / "anna").mkdir()
    for path in (tmp_path / "one.wav", tmp_path / "anna/two.flac"):
        soundfile.write(path, np.zeros((8000, 2)), 8000)
    (tmp_path / "anna/transcript.txt").write_text("two She reads.\n")
    anna, other = recordings.in_folder(tmp_path)
    assert (anna.name, anna.reader, anna.text) == ("anna-two", "anna", "She reads.")
    assert (other.reader, other.text, other.singing) == (tmp_path.name, None, False)
    assert len(other.at_16k) == 16000
    assert recordings.in_folder(tmp_path, singing=True)[0].reader == "two"
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="no recording"):
        recordings.in_folder(tmp_path / "empty")


def test_a_bundle_is_found_and_every_speaker_of_the_demo_has_a_target():
    files = Files.of_model("demo")
    assert files.voice.exists() and files.contentvec.exists()
    for name in files.speakers.values():
        target = Target(**json.loads((FOLDER / f"{name.split()[0]}.json").read_text()))
        assert target.centre @ target.centre == pytest.approx(1)
        assert 50 < target.median_hz < 400
    with pytest.raises(ValueError, match="does not exist"):
        Files.of_model("nowhere.pth")


def test_a_bundle_may_bring_an_index_for_each_speaker(tmp_path):
    speakers = [{"id": 0, "name": "rms", "index": "rms.index"}, {"id": 1, "name": "slt"}]
    about = {"name": "n", "voice": "v.pth", "encoder": "e", "f0_method": "dio", "index_rate": 0.5}
    (tmp_path / "bundle.json").write_text(json.dumps({**about, "speakers": speakers}))
    files = Files.of_bundle(tmp_path)
    assert files.indices == {0: tmp_path / "rms.index"}
    assert (files.voice, files.contentvec) == (tmp_path / "v.pth", tmp_path / "e")
    assert Subject(files, {"protect": 0.2}).controls == {"index_rate": 0.5, "protect": 0.2}
    assert Subject(files, {"index_rate": 0.1}).controls == {"index_rate": 0.1}
    with pytest.raises(ValueError, match=r"no bundle\.json"):
        Files.of_bundle(FOLDER)
