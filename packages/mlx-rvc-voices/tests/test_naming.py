"""Names: what is made of a stranger's."""

import pytest

from mlx_rvc_voices import VoiceError
from mlx_rvc_voices.naming import check_name, name_from, near, plain_file_name


@pytest.mark.parametrize(
    ("stems", "name"),
    [
        (("sam", "pack"), "sam"),
        (("model", "Ann"), "Ann"),
        (("G_2333333", "Ann"), "Ann"),
        (("model", "D_1"), "model"),
        (("[2023] Ann／Lee!!",), "2023 Ann Lee"),
        (("demo", "x"), "x"),
        (("дом",), "дом"),
        (("e\u0301tude",), "étude"),
        (("..", "-x-"), "x"),
        (("a" * 99,), "a" * 64),
    ],
)
def test_a_name_is_made_from_the_first_stem_that_says_something(stems, name):
    assert name_from(*stems) == name


def test_a_name_that_cannot_be_made_is_asked_for():
    with pytest.raises(VoiceError, match="choose one with --name"):
        name_from("///", "demo")


@pytest.mark.parametrize("name", ["a", "Ann Lee", "v2.1", "x (RVC)", "C++", "7"])
def test_plain_names_stay(name):
    assert check_name(name) == name


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("a/b/c.pth", "c.pth"),
        ("a\\b.pth", "b.pth"),
        ("../.pth", "file.pth"),
        ("con\x00trol?.index", "con_trol_.index"),
        ("", "file"),
        ("..", "file"),
        (".hidden.pth", "hidden.pth"),
        ("x" * 300 + ".pth", "x" * 100 + ".pth"),
    ],
)
def test_file_names_become_harmless(name, plain):
    assert plain_file_name(name) == plain


def test_near_names():
    assert near("samm", ["Sam", "bob", "Samantha"])[0] == "Sam"
    assert near("zzz", ["Sam", "bob"]) == []
