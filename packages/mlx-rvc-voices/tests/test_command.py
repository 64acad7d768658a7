"""The command: tables and JSON, questions, and one line when something is wrong."""

import json
import sys

import pytest

from mlx_rvc_cli.host import main


@pytest.fixture
def run(capsys):
    def run(*arguments, status=0):
        assert main(["voices", *map(str, arguments)]) == status
        said = capsys.readouterr()
        if status:
            assert said.err.count("\n") <= 1
            return said.err or said.out
        return json.loads(said.out) if "--json" in arguments else said.out

    return run


@pytest.fixture
def no_hooks(monkeypatch):
    """The tiny voices of these tests can be recognised, not converted with."""
    monkeypatch.setattr("mlx_rvc_voices.hooks.hook", lambda name: None)


@pytest.fixture
def sam(make, tmp_path, no_hooks, run):
    make.voice(tmp_path / "sam" / "sam.pth")
    make.index(tmp_path / "sam" / "added_sam.index")
    run("add", tmp_path / "sam")
    return tmp_path / "sam"


def test_add_says_what_it_did(make, tmp_path, no_hooks, run):
    make.voice(tmp_path / "p" / "Ann Lee.pth")
    make.index(tmp_path / "p" / "trained_x.index", vectors=0)
    said = run("add", tmp_path / "p")
    assert 'without an index; use it with --model "Ann Lee"' in said
    assert "note: trained_x.index is only a step" in said
    assert "in the library already (the same SHA-256)" in run("add", tmp_path / "p")
    data = run("add", tmp_path / "p" / "Ann Lee.pth", "--json")
    assert data["new"] is False and data["name"] == "Ann Lee" and len(data["sha256"]) == 64


def test_list_and_show(sam, run):
    assert "sam   v2       yes" in run("list")
    [voice] = run("list", "--json")["voices"]
    assert voice == run("show", "sam", "--json")
    assert voice["index"].endswith("sam/added_sam.index")
    assert voice["sha256"] in run("show", "sam") and str(sam) in run("show", "sam")


def test_an_empty_library_says_how_to_fill_it(run):
    assert "holds no voices; add one with mlx-rvc voices add" in run("list")
    assert run("list", "--json")["voices"] == []
    assert run("check", "--json") == {"well": True, "voices": {}}


def test_a_damaged_voice_does_not_hide_the_others(sam, make, tmp_path, run):
    voice = run("add", make.voice(tmp_path / "ann.pth", fill=1), "--json")
    (tmp_path / voice["model"]).with_name("voice.json").write_text("{")
    assert "ann   damaged" in run("list") and "sam   v2" in run("list")
    assert "ann: " in run("check", status=1)


def test_check_ends_with_status_1_where_something_is_wrong(sam, run):
    assert run("check", "sam") == "sam: well\n"
    index = run("show", "sam", "--json")["index"]
    (sam / index).write_bytes(b"x")
    assert "added_sam.index is not what was added" in run("check", status=1)
    assert "there is no voice 'bob'" in run("check", "bob", status=1)


def test_remove_asks_on_a_terminal_only(sam, run, monkeypatch):
    assert "sam would be removed with its files; add --yes" in run("remove", "sam", status=1)
    asked = []
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", lambda text, **_: asked.append(text))
    assert run("remove", "sam") == "sam: removed\n"
    assert asked == ["Remove sam and its files?"]
    assert "there is no voice 'sam'" in run("remove", "sam", "--yes", status=1)


def test_remove_without_asking(sam, run):
    assert run("remove", "sam", "--yes", "--json") == {"name": "sam", "removed": True}


def test_rename(sam, run):
    assert run("rename", "sam", "ann") == "sam: now ann\n"
    assert "'x.pth' is no name for a voice" in run("rename", "ann", "x.pth", status=1)


def test_presets_need_who_knows_the_settings(sam, run, monkeypatch):
    assert "pip install mlx-rvc" in run("preset", "sam", "--set", "pitch=12", status=1)

    def checked(settings, origin):
        if "loud" in settings:
            raise ValueError(f"{origin}: the key 'loud' is unknown")
        return settings

    monkeypatch.setattr("mlx_rvc_voices.hooks.hook", lambda name: checked)
    assert "sam has no preset; set one with --set" in run("preset", "sam")
    given = ["--set", "pitch=12", "--set", "index-rate = 0.5", "--set", "f0_method=dio"]
    assert run("preset", "sam", *given, "--json")["preset"] == {
        "pitch": 12, "index_rate": 0.5, "f0_method": "dio",
    }  # fmt: skip
    after = run("preset", "sam", "--unset", "pitch", "--set", "f0_method=true", "--json")
    assert after["preset"] == {"index_rate": 0.5, "f0_method": True}
    assert "index_rate" in run("preset", "sam") and "index_rate 0.5" in run("list")
    assert "the preset of sam: the key 'loud'" in run("preset", "sam", "--set", "loud=1", status=1)
    assert "has no pitch; it has index_rate, f0" in run(
        "preset", "sam", "--unset", "pitch", status=1
    )
    assert "--set pitch: KEY=VALUE is expected" in run("preset", "sam", "--set", "pitch", status=1)
    assert run("preset", "sam", "--json")["preset"] == after["preset"]
