"""Folders to a hub: what is refused before anything is sent, and what stands there afterwards.

Everything goes through huggingface-hub's own upload, over HTTP, to a server on this machine.
"""

import numpy as np
import pytest

import mlx_weights as weights
from mlx_weights.publishing import check_name
from mlx_weights.testing import LocalHub, refused_url

TOKEN, REPO = "hf_test", "me/voice"


@pytest.fixture
def hub(monkeypatch, tmp_path):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)  # read when it was imported
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
    with LocalHub({"me/taken": {"model.safetensors": b"old", "notes.txt": b"mine"}}) as hub:
        hub.tokens[TOKEN] = ("me",)
        hub.private.add("me/taken")
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield hub


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "made"
    weights.save_model(folder, {"w": np.arange(6, dtype=np.float32)}, {"size": 6})
    card = weights.model_card("voice", license="mit", tags=["mlx"], facts=[("size", 6)])
    (folder / "README.md").write_text(card)
    return folder


def push(folder, repo=REPO, **options):
    return weights.push_folder(folder, weights.check_target(repo, **options), bars=False)


def refused(folder, repo=REPO, **options):
    with pytest.raises(weights.WeightsError) as error:
        push(folder, repo, **options)
    assert "\n" not in str(error.value) and TOKEN not in str(error.value)
    return str(error.value)


def sent(hub):
    return [path for method, path, _ in hub.requests if method in ("POST", "PUT")]


def fetched(repo):
    file = weights.HubFile("", "model.safetensors", companions=("config.json",))
    path = weights.locate(repo, default=file, env=None, option="x", filenames=[file.filename])
    return weights.load_model_folder(path.parent)


def test_what_is_pushed_is_private_and_loads_from_there(hub, folder, monkeypatch, capfd):
    pushed = push(folder)
    assert (pushed.repo, pushed.url, pushed.public) == (REPO, f"{hub.url}/{REPO}", False)
    assert pushed.changed and hub.private == {"me/taken", REPO}
    [(repo, _, paths)] = hub.commits  # one commit: never half of it
    assert (repo, sorted(paths)) == (REPO, ["README.md", "config.json", "model.safetensors"])
    for name in paths:
        assert hub.contents(REPO, name) == (folder / name).read_bytes()
    tensors, config = fetched(REPO)
    np.testing.assert_array_equal(tensors["w"], np.arange(6))
    assert config == {"size": 6}
    assert not push(folder, overwrite=True).changed
    assert len(hub.commits) == 1
    assert capfd.readouterr() == ("", "")

    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(weights.WeightsError, match="no such repository, or it is private"):
        fetched(f"{REPO}@{hub.commit}")  # who has no token does not see it


def test_public_only_when_asked_for(hub, folder):
    assert push(folder, public=True).public
    assert REPO not in hub.private
    assert "is public" in refused(folder, overwrite=True)
    assert "is private" in refused(folder, "me/taken", overwrite=True, public=True)
    hub.ignores_private = True
    assert "is public" in refused(folder, "me/other")  # checked again before anything is sent
    assert len(hub.commits) == 1 and len(hub.objects) == 1


def test_what_is_there_is_not_replaced_unasked(hub, folder):
    message = refused(folder, "me/taken")
    assert "holds model.safetensors, notes.txt" in message and "--overwrite" in message
    assert sent(hub) == []
    push(folder, "me/taken", overwrite=True)
    assert hub.contents("me/taken", "notes.txt") == b"mine"
    assert fetched("me/taken")[1] == {"size": 6}


def test_a_change_in_between_is_left_alone(hub, folder):
    target = weights.check_target("me/taken", overwrite=True)
    hub.commit = "b" * 40  # somebody else's commit
    with pytest.raises(weights.WeightsError, match="somebody changed it in this moment"):
        weights.push_folder(folder, target, bars=False)
    assert hub.contents("me/taken", "model.safetensors") == b"old"

    target = weights.check_target(REPO)
    hub.repos[REPO] = {"model.safetensors": b"theirs"}
    with pytest.raises(weights.WeightsError, match="somebody made or changed it"):
        weights.push_folder(folder, target, bars=False)
    assert hub.contents(REPO, "model.safetensors") == b"theirs"


@pytest.mark.parametrize(
    ("step", "fault", "words"),
    [
        ("create", 403, "may not write to me (HTTP 403)"),
        ("validate", 401, "does not know this token (HTTP 401)"),
        ("preupload", 404, "HTTP 404"),
        ("put", 403, "HTTP 403"),
        ("commit", 500, "the server answered HTTP 500; try again"),
        ("commit", "cut", "the connection was cut during the upload"),
    ],
)
def test_a_failure_on_the_way_and_the_same_again(hub, folder, fast, step, fault, words):
    hub.upload_faults[step] = fault
    message = refused(folder)
    assert message.startswith(f"cannot push to {hub.url}/{REPO}: ") and words in message
    assert ("was made and is empty" in message) == (step != "create")
    assert hub.commits == []
    hub.upload_faults.clear()
    push(folder)  # the empty repository is no obstacle
    assert len(hub.commits) == 1


def test_who_may_not(hub, folder, monkeypatch):
    assert "may not write to them (HTTP 403)" in refused(folder, "them/voice")
    assert "does not know this token (HTTP 401)" in refused(folder, token="hf_wrong")
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    assert push(folder, token=TOKEN).changed  # the one that is given goes first
    monkeypatch.delenv("HF_TOKEN")
    assert "needs a token and there is none" in refused(folder)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "HF_HUB_OFFLINE is set" in refused(folder, token=TOKEN)


def test_a_saved_login_is_used(hub, folder, monkeypatch, tmp_path):
    monkeypatch.delenv("HF_TOKEN")
    (tmp_path / "no-token").write_text(TOKEN)
    assert push(folder).changed


def test_no_network_and_no_hub(hub, folder, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", refused_url())
    assert "no connection to the server" in refused(folder)
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    hub.page = True
    assert "does not answer like a hub" in refused(folder)


@pytest.mark.parametrize(
    "name", ["voice", "a/b/c", "me/ voice", "me/v--w", "-me/v", "me/v.git", "me/" + "v" * 95, ""]
)
def test_names_that_no_hub_takes(name):
    with pytest.raises(weights.WeightsError, match="expected owner/name"):
        check_name(name)


def test_a_card_shows_values_as_text(hub):
    import yaml

    card = weights.model_card(
        "a|b\n# <img src=x>",
        license="mit",
        tags=["rvc: yes", "x"],
        facts=[("speakers", "0 *A*|`B`\u202e, [x](http://y) _e_ a_b")],
        sections=[("Use", "some <kept> *text*\n")],
    )
    _, front, body = card.split("---\n", 2)
    assert yaml.safe_load(front) == {
        "library_name": "mlx", "license": "mit", "tags": ["rvc: yes", "x"]
    }  # fmt: skip
    assert "# a\\|b \\# \\<img src=x\\>\n" in body
    assert "| speakers | 0 \\*A\\*\\|\\`B\\` , \\[x\\](http://y) \\_e\\_ a_b |" in body
    assert body.endswith("\n\n## Use\n\nsome <kept> *text*\n")


@pytest.mark.parametrize(
    ("found", "left"),
    [
        ("/home/me/voices/a.pth", "a.pth"),
        ("C:\\Users\\A B\\voice x\\v.pth", "v.pth"),
        ("trained from /home/me/data at 40k", "trained from data at 40k"),
        ("see file:///home/me/x.wav", "see x.wav"),
        ("\\\\server\\share\\a", "a"),
        ("~/a b/c", "c"),
        ("https://huggingface.co/a/b", "https://huggingface.co/a/b"),
        ("lexandstuff/mlx-rvc", "lexandstuff/mlx-rvc"),
        ("200 epochs, 7/8", "200 epochs, 7/8"),
    ],
)
def test_paths_are_cut_to_their_last_part(found, left):
    given = {"a": [found, 3, None], "b": {found: True}}
    assert weights.without_paths(given) == {"a": [left, 3, None], "b": {left: True}}
