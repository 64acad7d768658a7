"""Which files a batch takes, what it leaves alone, and how it goes on after a stop."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from mlx_rvc.batch import MANIFEST, Manifest, Status, collect, run, run_side_by_side

READABLE = (".wav", ".mp3")


def make(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def targets(items):
    return [item.target.as_posix() for item in items]


@pytest.fixture
def album(tmp_path):
    make(tmp_path / "album", "b.wav", "a.MP3", "side two/a.wav", "cover.jpg", ".DS_Store")
    make(tmp_path / "album", "._b.wav", ".hidden/c.wav")
    return tmp_path / "album"


def test_a_folder_keeps_its_structure_and_loses_what_is_no_recording(album):
    items, passed = collect([str(album)], ".flac", READABLE)
    assert targets(items) == ["a.flac", "b.flac", "side two/a.flac"]
    reasons = {(each.path.name, each.reason) for each in passed}
    assert reasons == {
        *((name, "hidden") for name in (".DS_Store", "._b.wav", "c.wav")),
        ("cover.jpg", "not audio"),
    }


def test_files_folders_and_patterns(album, tmp_path):
    make(tmp_path, "take.raw", "one.wav")
    given = [str(tmp_path / "take.raw"), str(album / "side two"), str(tmp_path / "o*.wav")]
    items, passed = collect(given, ".wav", READABLE)
    assert targets(items) == ["take.wav", "a.wav", "one.wav"] and passed == []
    deep, _ = collect([str(tmp_path / "**" / "*.wav")], ".wav", READABLE)
    assert "b.wav" in targets(deep)


def test_what_the_last_batch_made_is_not_taken_for_a_recording(album):
    make(album, "converted/b.wav")
    items, passed = collect([str(album)], ".wav", READABLE, outputs=album / "converted")
    assert targets(items) == ["a.wav", "b.wav", "side two/a.wav"]
    assert ("b.wav", "in the output folder") in {(each.path.name, each.reason) for each in passed}


def test_a_file_that_is_given_twice_is_converted_once(album):
    items, _ = collect([str(album / "b.wav"), str(album / "b.wav")], ".wav", READABLE)
    assert targets(items) == ["b.wav"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["nothing.wav"], "nothing.wav: no such file or folder"),
        (["album/side*/*.ogg"], "no recording among album/side*/*.ogg"),
        (["album/.hidden"], None),
        (["empty"], "no recording among empty; the folders are empty"),
        (["pictures"], "no recording among pictures; passed over: 1 hidden, 2 not audio"),
        (["album/b.wav", "other/b.mp3"], "would both become b.flac; convert them into two folders"),
    ],
)
def test_what_cannot_be_a_batch_is_one_line(album, tmp_path, monkeypatch, given, words):
    make(tmp_path, "other/b.mp3", "pictures/a.jpg", "pictures/b.png", "pictures/.c.wav")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    if words is None:  # hidden itself, but asked for by its name
        assert targets(collect(given, ".wav", READABLE)[0]) == ["c.wav"]
        return
    with pytest.raises(ValueError) as error:
        collect(given, ".flac", READABLE)
    assert words in str(error.value)


class Converter:
    """Writes what it was given; fails for b, stops after `until` calls."""

    def __init__(self, until=99):
        self.seen, self.until = [], until

    def __call__(self, source, output):
        if len(self.seen) == self.until:
            raise KeyboardInterrupt
        self.seen.append(source.name)
        if source.name == "b.wav":
            raise ValueError("b is\nno audio")
        output.write_bytes(source.read_bytes())
        return {"seconds": 1.0}


def batch(album, out, converter, settings=None, **options):
    items, _ = collect([str(album)], ".wav", READABLE)
    manifest = Manifest(out, settings or {"pitch": 12})
    return [
        (outcome.item.target.as_posix(), outcome.status, outcome.note)
        for outcome in run(items, out, manifest, converter, **options)
    ]


@pytest.fixture
def out(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def test_one_bad_file_does_not_stop_the_rest(album, out):
    assert batch(album, out, Converter()) == [
        ("a.wav", Status.DONE, ""),
        ("b.wav", Status.FAILED, "b is no audio"),
        ("side two/a.wav", Status.DONE, ""),
    ]
    assert (out / "side two" / "a.wav").read_bytes() == b"side two/a.wav"
    entries = [json.loads(line) for line in (out / MANIFEST).read_text().splitlines()]
    assert [entry.get("event", entry.get("status")) for entry in entries] == [
        *("start", "done", "failed", "done", "end"),
    ]
    assert entries[2]["note"] == "b is no audio" and entries[1]["summary"] == {"seconds": 1.0}


def test_what_is_there_is_skipped_and_what_failed_is_tried_again(album, out):
    batch(album, out, Converter())
    again = Converter()
    found = batch(album, out, again)
    assert again.seen == ["b.wav"]
    assert found[0] == ("a.wav", Status.SKIPPED, "made already")
    assert batch(album, out, again, {"pitch": 0})[0][2] == (
        "there already, made with other settings (--overwrite makes it anew)"
    )
    (album / "a.MP3").write_bytes(b"another take")
    assert batch(album, out, again)[0][2] == "there already (--overwrite makes it anew)"


def test_overwrite_makes_all_anew(album, out):
    batch(album, out, Converter())
    again = Converter()
    batch(album, out, again, overwrite=True)
    assert again.seen == ["a.MP3", "b.wav", "a.wav"]


@pytest.mark.parametrize("cut", [False, True])
def test_a_stopped_run_goes_on_where_it_was(album, out, cut):
    """Also with --overwrite, and with a line that the kill has cut."""
    batch(album, out, Converter())
    with pytest.raises(KeyboardInterrupt):
        batch(album, out, Converter(until=1), overwrite=True)
    if cut:
        with (out / MANIFEST).open("a") as file:
            file.write('{"input": "album/b.wav", "outp')
    again = Converter()
    found = batch(album, out, again, overwrite=True)
    assert again.seen == ["b.wav", "a.wav"]
    assert found[0] == ("a.wav", Status.SKIPPED, "made before the run was stopped")
    after = Converter()
    batch(album, out, after, overwrite=True)  # that run came to its end: now all is made anew
    assert len(after.seen) == 3


def test_a_stopped_run_with_other_settings_is_not_gone_on_with(album, out):
    with pytest.raises(KeyboardInterrupt):
        batch(album, out, Converter(until=1))
    again = Converter()
    batch(album, out, again, {"pitch": 0}, overwrite=True)
    assert len(again.seen) == 3


def test_a_recording_is_never_replaced_by_its_conversion(tmp_path):
    make(tmp_path, "a.wav")
    items, _ = collect([str(tmp_path / "a.wav")], ".wav", READABLE)
    (outcome,) = run(items, tmp_path, Manifest(tmp_path, {}), Converter(), overwrite=True)
    assert outcome.status is Status.FAILED and "choose another --out" in outcome.note
    assert (tmp_path / "a.wav").read_bytes() == b"a.wav"


def test_a_recording_that_goes_away_on_the_way_does_not_stop_the_rest(album, out):
    def convert(source, output):
        made = Converter()(source, output)
        source.unlink()
        return made

    assert [status for _, status, _ in batch(album, out, convert)] == [
        *(Status.DONE, Status.FAILED, Status.DONE),
    ]


def test_a_recording_that_is_away_when_a_stopped_run_goes_on_fails_alone(album, out):
    with pytest.raises(KeyboardInterrupt):
        batch(album, out, Converter(until=1))
    items, _ = collect([str(album)], ".wav", READABLE)
    items[0].source.unlink()
    found = list(run(items, out, Manifest(out, {"pitch": 12}), Converter(), overwrite=True))
    assert [each.status for each in found] == [Status.FAILED, Status.FAILED, Status.DONE]


@pytest.mark.parametrize("line", ['{"status": "done"}', '{"status": "done", "output": "a.wav"}'])
def test_a_manifest_that_someone_has_edited_counts_for_nothing(album, out, line):
    batch(album, out, Converter())
    (out / MANIFEST).write_text(line + "\n")
    assert batch(album, out, Converter())[0][2] == "there already (--overwrite makes it anew)"


# --- side by side ---------------------------------------------------------------------------


@pytest.fixture
def toy(monkeypatch):
    """The module that workers import; they have the search path of their parent."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import toy_work

    return toy_work


def at_once(album, out, start, **options):
    items, _ = collect([str(album)], ".wav", READABLE)
    manifest = Manifest(out, {"pitch": 12})
    found = run_side_by_side(items, out, manifest, start, **{"jobs": 2, **options})
    with closing(found):
        return {outcome.item.target.as_posix(): outcome for outcome in found}


def test_side_by_side_a_bad_file_and_a_dead_process_fail_alone(album, out, toy):
    make(album, "d.wav", "e.wav")
    found = at_once(album, out, toy.copying)
    assert {name: outcome.status for name, outcome in found.items()} == {
        **dict.fromkeys(["a.wav", "e.wav", "side two/a.wav"], Status.DONE),
        **dict.fromkeys(["b.wav", "d.wav"], Status.FAILED),
    }
    assert found["b.wav"].note == "b is no audio"
    assert found["d.wav"].note == (
        f"the worker process ended with signal 9 while converting {album / 'd.wav'}; start the "
        f"batch again to try it once more, with fewer jobs if memory was short"
    )
    assert (out / "side two" / "a.wav").read_bytes() == b"side two/a.wav"
    lines = [json.loads(line) for line in (out / MANIFEST).read_text().splitlines()]
    assert [lines[0]["event"], lines[-1]["event"]] == ["start", "end"]
    assert [line["output"] for line in lines[1:-1]] == list(found)  # in the order of their ends


def test_side_by_side_what_is_there_needs_no_process(album, out, toy):
    (album / "b.wav").unlink()
    batch(album, out, Converter())
    found = at_once(album, out, toy.refusing)
    assert {outcome.note for outcome in found.values()} == {"made already"}
    (out / "a.wav").unlink()
    heard = []
    found = at_once(album, out, toy.copying, hear=lambda item, said: heard.append((item, said)))
    assert heard == [(found["a.wav"].item, 0.5)] and found["a.wav"].status is Status.DONE


@pytest.mark.parametrize("first", ["one after another", "side by side"])
def test_a_stopped_run_goes_on_with_another_number_of_jobs(album, out, toy, first):
    (album / "b.wav").unlink()
    batch(album, out, Converter())
    if first == "one after another":
        with pytest.raises(KeyboardInterrupt):
            batch(album, out, Converter(until=1), overwrite=True)
        found = at_once(album, out, toy.copying, overwrite=True)
        ends = [(outcome.status, outcome.note) for outcome in found.values()]
    else:
        items, _ = collect([str(album)], ".wav", READABLE)
        manifest = Manifest(out, {"pitch": 12})
        found = run_side_by_side(items, out, manifest, toy.copying, jobs=1, overwrite=True)
        with closing(found):
            assert next(found).item.target.name == "a.wav"
        ends = [end[1:] for end in batch(album, out, Converter(), overwrite=True)]
    assert ends == [(Status.SKIPPED, "made before the run was stopped"), (Status.DONE, "")]


def test_a_voice_that_no_process_can_load_stops_the_run(album, out, toy):
    with pytest.raises(ValueError, match="the voice is none"):
        at_once(album, out, toy.refusing)
    assert [path.name for path in out.iterdir()] == [MANIFEST]


def test_no_jobs_are_refused_before_anything_is_written(album, out, toy):
    with pytest.raises(ValueError, match="jobs is 0"):
        at_once(album, out, toy.copying, jobs=0)
    assert list(out.iterdir()) == []
