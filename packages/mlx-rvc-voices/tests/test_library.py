"""Adding from files and folders, and what can be done with a voice once it is there."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from mlx_rvc_voices import Library, VoiceError, library_folder


def contents(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_a_file_becomes_a_voice_by_its_name(library, make, tmp_path):
    added = library.add(str(make.voice(tmp_path / "Ann Lee_v2.pth")))
    assert added.new and added.notes == []
    voice = library.get("Ann Lee_v2")
    assert voice == added.voice
    assert voice.model_path.read_bytes() == (tmp_path / "Ann Lee_v2.pth").read_bytes()
    assert (voice.kind, voice.width, voice.index_path) == ("small model", 768, None)
    assert voice.source == str(tmp_path / "Ann Lee_v2.pth")
    assert voice.added.endswith("+00:00") and dict(voice.preset) == {}
    assert library.names() == ["Ann Lee_v2"] and library.check("Ann Lee_v2") == []
    assert contents(library.folder) == [
        "Ann Lee_v2", "Ann Lee_v2/Ann Lee_v2.pth", "Ann Lee_v2/voice.json",
    ]  # fmt: skip


def test_safetensors_bring_the_configuration_beside_them(library, tmp_path):
    from safetensors.numpy import save_file

    folder = tmp_path / "exported"
    folder.mkdir()
    tensors = {"enc_p.emb_phone.weight": np.zeros((2, 256), np.float32)}
    save_file(tensors, folder / "model.safetensors")
    (folder / "config.json").write_text("{}")
    voice = library.add(str(folder / "model.safetensors"), name="one").voice
    assert set(voice.files) == {"model.safetensors", "config.json"}
    assert (voice.kind, voice.width) == ("safetensors", 256)
    library.remove("one")
    assert library.add(str(folder)).voice.name == "exported"  # "model" says nothing


@pytest.mark.parametrize("config", ["voice.json", "voice.config.json", "config.json"])
def test_an_npz_brings_the_configuration_beside_it(library, make, tmp_path, config):
    given = tmp_path / "given"
    given.mkdir()
    np.savez(given / "voice.npz", **{"enc_p.emb_phone.weight": np.zeros((2, 256), np.float32)})
    (given / config).write_text("[1, 2]")
    (given / "tokenizer.json").write_text("{}")
    for source in (given, given / "voice.npz", make.zip(tmp_path / "pack.zip", given)):
        voice = library.add(str(source), name="ann").voice
        assert (voice.kind, voice.width) == ("npz", 256)
        # Not voice.json: that is the record.
        own = "config.json" if config == "config.json" else "voice-voice.json"
        assert set(voice.files) == {"voice-voice.npz", own}
        assert (voice.folder / own).read_text() == "[1, 2]"
        assert library.check("ann") == []
        library.remove("ann")


def test_names_of_compiled_and_parallel_models_are_recognised(library, make, tmp_path):
    tensor = make.tensor(2, 768)
    for part in ("weight", "generator_state_dict", "model"):
        name = "_orig_mod.module.enc_p.emb_phone.weight"
        path = make.torch(tmp_path / f"{part}.pth", {part: {name: tensor}})
        voice = library.add(str(path)).voice
        assert voice.kind == ("training checkpoint" if part == "model" else "small model")
        assert voice.width == 768
        library.remove(part)


def test_a_folder_gives_its_voice_and_the_index_that_belongs_to_it(library, make, tmp_path):
    pack = tmp_path / "pack"
    make.voice(pack / "sam.pth")
    make.checkpoint(pack / "logs" / "G_2333.pth")
    make.checkpoint(pack / "logs" / "D_2333.pth")
    make.index(pack / "trained_IVF5_Flat_nprobe_1_sam_v2.index", vectors=0)
    make.index(pack / "added_IVF5_Flat_nprobe_1_sam_v2.index")
    make.index(pack / "added_IVF5_Flat_nprobe_1_ann_v2.index")
    make.index(pack / "added_IVF5_Flat_nprobe_1_sam_v1.index", width=256)
    (pack / "._sam.pth").write_bytes(b"junk")
    added = library.add(str(pack))
    assert added.voice.name == "sam"
    assert added.voice.index == "added_IVF5_Flat_nprobe_1_sam_v2.index"
    assert added.notes == [
        "added_IVF5_Flat_nprobe_1_sam_v1.index is not taken as the index: it is 256 wide, the "
        "voice takes 768"
    ]


def test_what_is_left_out_is_said(library, make, tmp_path):
    make.voice(tmp_path / "a" / "sam.pth")
    make.index(tmp_path / "a" / "trained_sam.index", vectors=0)
    [note] = library.add(str(tmp_path / "a")).notes
    assert "trained_sam.index is only a step" in note
    make.voice(tmp_path / "b" / "ann.pth", fill=1)
    (tmp_path / "b" / "added_ann.index").write_bytes(b"<html>no such file</html>")
    [note] = library.add(str(tmp_path / "b")).notes
    assert "added_ann.index is no faiss index" in note


def test_a_checkpoint_is_a_voice_where_there_is_no_other(library, make, tmp_path):
    make.checkpoint(tmp_path / "run" / "G_100.pth")
    make.checkpoint(tmp_path / "run" / "D_100.pth")
    voice = library.add(str(tmp_path / "run")).voice
    assert (voice.name, voice.kind, voice.model) == ("run", "training checkpoint", "G_100.pth")


def test_several_voices_are_a_question(library, make, tmp_path):
    make.voice(tmp_path / "p" / "one.pth")
    make.voice(tmp_path / "p" / "deep" / "two.pth", fill=1)
    with pytest.raises(VoiceError, match=r"2 voice files, deep/two.pth, one.pth; choose .*--file"):
        library.add(str(tmp_path / "p"))
    assert library.add(str(tmp_path / "p"), file="two.pth").voice.name == "two"
    with pytest.raises(VoiceError, match=r"no voice file 'three.pth'; it has deep/two.pth, one"):
        library.add(str(tmp_path / "p"), file="three.pth")


def test_the_same_file_under_two_names_is_one(library, make, tmp_path):
    make.voice(tmp_path / "p" / "one.pth")
    make.voice(tmp_path / "p" / "copy" / "one.pth")
    assert library.add(str(tmp_path / "p")).voice.name == "one"


def test_several_indexes_are_a_question(library, make, tmp_path):
    make.voice(tmp_path / "p" / "one.pth")
    make.index(tmp_path / "p" / "added_x.index")
    make.index(tmp_path / "p" / "added_y.index", vectors=6)
    with pytest.raises(VoiceError, match=r"several indexes, added_x.index, added_y.*--index"):
        library.add(str(tmp_path / "p"))
    index = tmp_path / "p" / "added_y.index"
    assert library.add(str(tmp_path / "p"), index=str(index)).voice.index == "added_y.index"


@pytest.mark.parametrize(
    ("index", "words"),
    [
        ("none.index", "none.index does not exist; give an added_"),
        ("narrow.index", "narrow.index is 256 wide, the voice takes 768"),
        ("trained_x.index", "holds no vectors, as the trained_"),
        ("page.index", "page.index is no faiss index"),
        ("empty.index", "empty.index is an empty file"),
        ("wild.index", r"a damaged index \(width -1\)"),
        (".", "is a folder"),
    ],
)
def test_an_index_that_cannot_be_its_own_is_refused(library, make, tmp_path, index, words):
    make.index(tmp_path / "narrow.index", width=256)
    make.index(tmp_path / "trained_x.index", vectors=0)
    make.index(tmp_path / "wild.index", width=-1)
    (tmp_path / "page.index").write_text("<html>not found, sorry</html>")
    (tmp_path / "empty.index").touch()
    with pytest.raises(VoiceError, match=words):
        library.add(str(make.voice(tmp_path / "sam.pth")), index=str(tmp_path / index))
    assert library.names() == [] and contents(library.folder) == []


def test_features_in_npy_are_an_index_too(library, make, tmp_path):
    np.save(tmp_path / "total_fea.npy", np.zeros((3, 768), np.float32))
    source = str(make.voice(tmp_path / "sam.pth"))
    assert library.add(source, index=str(tmp_path / "total_fea.npy")).voice.index == "total_fea.npy"


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.pth", b"<!DOCTYPE html><title>Google Drive</title>", "web page"),
        ("a.pth", b"7z\xbc\xaf\x27\x1c" + bytes(600), "7-Zip archive.*unpack it first"),
        ("a.rar", b"Rar!" + bytes(600), "RAR archive.*no voice file|holds no voice file"),
        ("a.safetensors", b"\x05\0\0\0\0\0\0\0{abc}", "damaged safetensors"),
        ("a.zip", b"PK\x03\x04 cut off", "a.zip is a damaged zip archive"),
        ("a.wav", b"RIFF" + bytes(60), "holds no voice file"),
    ],
)
def test_other_files_are_named(library, tmp_path, name, data, words):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ValueError, match=words) as caught:
        library.add(str(tmp_path / name))
    assert "\n" not in str(caught.value)
    assert contents(library.folder) == []


def test_weights_of_another_kind_are_named(library, make, tmp_path):
    rmvpe = make.torch(tmp_path / "rmvpe.pt", {"unet.encoder.weight": 1})
    with pytest.raises(VoiceError, match=r"rmvpe.pt is a weights file, but no RVC voice"):
        library.add(str(rmvpe))
    with pytest.raises(VoiceError, match="holds a list, not a voice"):
        library.add(str(make.torch(tmp_path / "list.pth", [1, 2])))
    make.checkpoint(tmp_path / "run" / "D_1.pth")
    with pytest.raises(VoiceError, match=r"D_1.pth is a weights file"):
        library.add(str(tmp_path / "run"))


def test_a_missing_source_says_what_is_expected(library):
    for source in ("nowhere.pth", "a/b/c", "none"):
        with pytest.raises(VoiceError, match=f"{source} does not exist; .*owner/name is expected"):
            library.add(source)


def test_the_same_voice_is_not_added_twice(library, make, tmp_path):
    one = make.voice(tmp_path / "sam.pth")
    library.add(str(one))
    again = library.add(str(make.voice(tmp_path / "other.pth")))
    assert not again.new and again.voice.name == "sam" and library.names() == ["sam"]
    assert not library.add(str(one), name="sam").new  # as after a kill that came too late
    with pytest.raises(VoiceError, match=r"already, as 'sam'.*voices rename 'sam' 'new'"):
        library.add(str(one), name="new")
    index = make.index(tmp_path / "added_sam.index")
    with pytest.raises(VoiceError, match=r"as 'sam', but without an index; remove it first"):
        library.add(str(one), index=str(index))


@pytest.mark.parametrize(
    "name", ["", "a/b", "../x", ".hidden", "-x", "demo", "DEMO", "x.pth", "a\nb", "x" * 65, "a:b"]
)
def test_names_that_could_be_something_else_are_refused(library, make, tmp_path, name):
    with pytest.raises(VoiceError, match="is no name for a voice"):
        library.add(str(make.voice(tmp_path / "sam.pth")), name=name)


def test_a_name_is_taken_whatever_its_case(library, make, tmp_path):
    library.add(str(make.voice(tmp_path / "sam.pth")))
    other = str(make.voice(tmp_path / "Sam.pth", fill=1))
    with pytest.raises(VoiceError, match="there is a voice 'sam' in the library already"):
        library.add(other)
    with pytest.raises(VoiceError, match="there is a voice 'sam' in the library already"):
        library.add(other, name="SAM")
    assert library.add(other, name="two").new
    with pytest.raises(VoiceError, match="there is a voice 'sam'"):
        library.rename("two", "SAM")
    assert library.rename("sam", "SAM").name == "SAM"
    assert library.names() == ["SAM", "two"]


def test_renaming_keeps_everything(library, make, tmp_path):
    library.add(str(make.voice(tmp_path / "sam.pth")))
    library.set_preset("sam", {"pitch": 12, "f0_method": "dio"})
    renamed = library.rename("sam", "ann")
    assert library.get("ann") == renamed and dict(renamed.preset) == {
        "pitch": 12,
        "f0_method": "dio",
    }
    assert library.names() == ["ann"] and library.check("ann") == []
    assert json.loads((library.folder / "ann/voice.json").read_text())["name"] == "ann"


def test_removing_leaves_nothing(library, make, tmp_path):
    library.add(str(make.voice(tmp_path / "sam.pth")))
    library.remove("sam")
    assert library.names() == [] and contents(library.folder) == []
    with pytest.raises(VoiceError, match="there is no voice 'sam'"):
        library.remove("sam")


def test_near_names_are_listed(library, make, tmp_path):
    with pytest.raises(VoiceError, match="it is empty: add a voice"):
        library.get("x")
    for number, name in enumerate(("Samantha", "sam v2", "bob")):
        library.add(str(make.voice(tmp_path / f"{name}.pth", fill=number)))
    with pytest.raises(VoiceError, match=r"there is no voice 'sam' .*is it (sam v2|Samantha) or"):
        library.get("sam")


def test_check_finds_what_has_changed(library, make, tmp_path):
    voice = library.add(str(make.voice(tmp_path / "sam.pth"))).voice
    data = bytearray(voice.model_path.read_bytes())
    data[-80] ^= 1
    voice.model_path.write_bytes(data)
    [problem] = library.check("sam")
    assert problem.startswith("sam.pth is not what was added (its SHA-256 differs)")
    voice.model_path.unlink()
    assert library.check("sam") == ["sam.pth is missing; remove the voice and add it again"]
    assert library.check("bob")[0].startswith("there is no voice 'bob'")


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.update(format="x"),
        lambda data: data.update(model="../../etc/passwd"),
        lambda data: data.update(files={"../x.pth": data["files"]["sam.pth"]}, model="../x.pth"),
        lambda data: data.pop("preset"),
        lambda data: data.update(width="wide"),
    ],
)
def test_a_damaged_record_is_one_line_and_can_be_removed(library, make, tmp_path, change):
    voice = library.add(str(make.voice(tmp_path / "sam.pth"))).voice
    path = voice.folder / "voice.json"
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))
    [problem] = library.check("sam")
    assert "voice.json is damaged" in problem and "\n" not in problem
    library.remove("sam")
    assert library.names() == []


def test_a_record_of_a_later_version_is_said_to_be_so(library, make, tmp_path):
    path = library.add(str(make.voice(tmp_path / "sam.pth"))).voice.folder / "voice.json"
    path.write_text(path.read_text().replace('"format_version": 1', '"format_version": 2'))
    with pytest.raises(VoiceError, match="format_version 2; this version reads 1: update"):
        library.get("sam")


def test_the_caller_s_checks_decide(make, tmp_path):
    asked = []

    def check(path):
        asked.append(path.name)
        raise ValueError("enc_p.x is missing")

    source = str(make.voice(tmp_path / "sam.pth"))
    index = str(make.index(tmp_path / "added_sam.index"))
    with pytest.raises(ValueError, match=r"enc_p.x is missing"):
        Library(check_voice=check).add(source)
    with pytest.raises(ValueError, match=r"enc_p.x is missing"):
        Library(check_index=check).add(source, index=index)
    assert asked == ["sam.pth", "added_sam.index"] and contents(Library().folder) == []
    Library().add(source)
    assert Library(check_voice=check).check("sam") == ["enc_p.x is missing"]


def test_a_killed_add_leaves_nothing_that_is_taken_for_whole(library, make, tmp_path):
    source = make.voice(tmp_path / "sam.pth")
    code = (
        "import os, sys; from mlx_rvc_voices import Library;"
        "Library().add(sys.argv[1], progress=lambda done, total: os._exit(9))"
    )
    run = subprocess.run([sys.executable, "-c", code, str(source)], check=False)
    assert run.returncode == 9
    [left] = library.folder.iterdir()
    assert left.name.startswith(".adding-") and (left / "whole").is_dir()
    assert library.names() == []
    assert library.add(str(source)).new
    assert left.exists()  # it might be another process's
    old = time.time() - 2 * 86400
    for path in [*left.rglob("*"), left]:
        os.utime(path, (old, old))
    library.add(str(make.voice(tmp_path / "ann.pth", fill=1)))
    assert not left.exists() and library.names() == ["ann", "sam"]


def test_progress_reaches_the_end(library, make, tmp_path):
    seen = []
    source = make.voice(tmp_path / "sam.pth")
    library.add(str(source), progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (source.stat().st_size, source.stat().st_size)


def test_where_the_library_is(monkeypatch, tmp_path):
    assert library_folder().name == "voices"
    monkeypatch.delenv("MLX_RVC_VOICES")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert library_folder() == tmp_path / "mlx-rvc" / "voices"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert library_folder().parts[-4:] == ("Library", "Application Support", "mlx-rvc", "voices")
    monkeypatch.setattr(sys, "platform", "linux")
    assert library_folder().parts[-4:] == (".local", "share", "mlx-rvc", "voices")


def test_a_library_that_cannot_be_written_is_named(make, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(VoiceError, match=r"file/voices cannot be written.*MLX_RVC_VOICES"):
        Library(tmp_path / "file" / "voices").add(str(make.voice(tmp_path / "sam.pth")))
