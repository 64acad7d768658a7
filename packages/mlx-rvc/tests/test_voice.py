"""What `--model` means, before anything is loaded."""

from pathlib import Path

import numpy as np
import pytest

from mlx_rvc import RVCPipeline
from mlx_rvc.voice import ChosenVoice, find_voice
from mlx_rvc_voices import Library


@pytest.fixture
def sam(tmp_path, monkeypatch):
    """A voice of the library with an index, as far as the library looks."""
    from safetensors.numpy import save_file

    monkeypatch.setenv("MLX_RVC_VOICES", str(tmp_path / "voices"))
    monkeypatch.chdir(tmp_path)
    save_file({"enc_p.emb_phone.weight": np.zeros((2, 256), np.float32)}, "x.safetensors")
    np.save("features.npy", np.zeros((3, 256), np.float32))
    Library().add("x.safetensors", name="sam", index="features.npy")
    return Library().set_preset("sam", {"pitch": 3})


def test_a_name_of_the_library_brings_index_and_preset(sam):
    found = find_voice("sam")
    assert found == ChosenVoice(sam.model_path, sam.index_path, "sam", {"pitch": 3})
    assert find_voice("sam", "mine.index").index == "mine.index"


def test_a_path_that_exists_goes_first(sam):
    Path("sam").mkdir()
    assert find_voice("sam") == ChosenVoice("sam")


@pytest.mark.parametrize("model", ["demo", "owner/name", "none.pth", "a\\b", Path("sam")])
def test_what_can_only_be_something_else_is_left_alone(sam, model):
    assert find_voice(model, "i.index") == ChosenVoice(model, "i.index")


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("samm", r"there is no voice 'samm': no file .*library .*voices; is it sam\?"),
        ("zzz", "see mlx-rvc voices list"),
    ],
)
def test_a_name_of_nothing_lists_near_names(sam, model, words):
    with pytest.raises(ValueError, match=words):
        find_voice(model)
    with pytest.raises(ValueError, match=words):
        RVCPipeline.from_pretrained(model)


def test_a_voice_that_lost_its_file_is_said_to_have(sam):
    sam.model_path.unlink()
    with pytest.raises(ValueError, match=r"'sam' has lost its file .*x.safetensors; remove it"):
        find_voice("sam")
