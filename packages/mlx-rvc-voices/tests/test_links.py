"""Voices from links and from a hub on this machine."""

import pytest

from mlx_rvc_voices import VoiceError
from mlx_weights.testing import LocalHub, refused_url


@pytest.fixture
def files(make, tmp_path):
    make.voice(tmp_path / "content" / "sam.pth")
    make.index(tmp_path / "content" / "added_sam.index")
    return {
        "sam.zip": make.zip(tmp_path / "sam.zip", tmp_path / "content").read_bytes(),
        "sam.pth": (tmp_path / "content" / "sam.pth").read_bytes(),
        "added_sam.index": (tmp_path / "content" / "added_sam.index").read_bytes(),
    }


@pytest.fixture
def hub(files, monkeypatch):
    with LocalHub({"ann/voices": files}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


def plain(hub):
    """The hub under a name that is not the endpoint's: any web server."""
    return hub.url.replace("127.0.0.1", "localhost")


def test_a_direct_link(library, hub):
    link = f"{plain(hub)}/ann/voices/resolve/main/sam.zip?token=secret#x"
    added = library.add(link)
    assert (added.voice.name, added.voice.index) == ("sam", "added_sam.index")
    assert added.voice.source == f"{plain(hub)}/ann/voices/resolve/main/sam.zip"
    assert list(library.folder.iterdir()) == [library.folder / "sam"]


def test_a_blob_link_is_fetched_as_a_file_of_the_hub(library, hub):
    voice = library.add(f"{hub.url}/ann/voices/blob/main/sam.pth").voice
    assert voice.name == "sam" and voice.source == f"{hub.url}/ann/voices/blob/main/sam.pth"
    assert any("/resolve/" in path for path in hub.downloads())
    library.remove("sam")
    before = len(hub.downloads())
    link = "https://huggingface.co/ann/voices/resolve/main/sam.pth?download=true"
    assert library.add(link).new  # HF_ENDPOINT stands for the hub, and its cache has the file
    assert len(hub.downloads()) == before


def test_a_link_is_taken_as_browsers_write_it(library, hub, files):
    hub.repos["ann/voices"]["Ann Lee/Ann (v2).pth"] = files["sam.pth"]
    link = f"{hub.url}/ann/voices/blob/main/Ann%20Lee/Ann%20(v2).pth"
    assert library.add(link).voice.name == "Ann (v2)"


def test_an_index_may_be_a_link(library, hub):
    base = f"{hub.url}/ann/voices/blob/main"
    voice = library.add(f"{base}/sam.pth", index=f"{base}/added_sam.index").voice
    assert voice.index == "added_sam.index"


def test_a_repository_is_asked_only_for_what_is_needed(library, hub, files):
    hub.repos["ann/voices"] |= {"logs/G_1.pth": b"x", "logs/D_1.pth": b"x", "song.wav": b"x"}
    voice = library.add("ann/voices").voice
    assert (voice.name, voice.index, voice.source) == ("sam", "added_sam.index", "ann/voices")
    fetched = {path.rpartition("/")[2] for path in hub.downloads() if "/tree/" not in path}
    assert fetched == {"sam.pth", "added_sam.index"}
    library.remove("sam")
    assert library.add(f"{hub.url}/ann/voices/tree/main").voice.source == "ann/voices"


def test_a_repository_of_one_archive(library, hub, files):
    hub.repos["ann/packed"] = {"sam.zip": files["sam.zip"], "README.md": b"#"}
    voice = library.add("ann/packed").voice
    assert (voice.name, voice.index, voice.source) == (
        "sam", "added_sam.index", "ann/packed: sam.zip",
    )  # fmt: skip


def test_a_repository_of_several_is_a_question(library, hub, files):
    hub.repos["ann/many"] = {"a.zip": files["sam.zip"], "b.zip": b"x"}
    with pytest.raises(VoiceError, match=r"ann/many holds 2 archives, a.zip, b.zip; .*--file"):
        library.add("ann/many")
    assert library.add("ann/many", file="a.zip").voice.name == "sam"
    hub.repos["ann/more"] = {"a.pth": b"x", "b.pth": b"x"}
    with pytest.raises(VoiceError, match=r"ann/more holds 2 voice files, a.pth, b.pth"):
        library.add("ann/more")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("missing", "HTTP 404"),
        ("error", "HTTP 500"),
        ("cut", r"the connection was cut after \d+ of \d+ bytes"),
        ("reset in the middle", r"the connection was cut \(ConnectionResetError\)"),
        ("reset", r"the connection was cut \((ConnectionResetError|RemoteDisconnected)\)"),
        ("stall", "the server did not answer in time"),
        ("silent", "the server did not answer in time"),
        ("short", r"sam\.pth"),
        ("wrong", r"sam\.pth"),
        ("html", r"is a web page \('Log in'\), not a file; give the link of its download"),
    ],
)
def test_a_link_that_fails_is_one_line_and_leaves_nothing(library, hub, fault, words, monkeypatch):
    monkeypatch.setattr("mlx_rvc_voices.download._TIMEOUT", 0.3)
    hub.faults["sam.pth"] = fault
    link = f"{plain(hub)}/ann/voices/resolve/main/sam.pth?key=secret"
    with pytest.raises(ValueError, match=words) as caught:
        library.add(link)
    assert "\n" not in str(caught.value) and "secret" not in str(caught.value)
    assert list(library.folder.iterdir()) == []
    hub.faults.clear()
    assert library.add(link).voice.name == "sam"


def test_a_server_that_is_not_there(library):
    with pytest.raises(VoiceError, match=r"cannot fetch .*/sam.pth: no connection"):
        library.add(f"{refused_url()}/sam.pth")
    for source in ("http://[bad/sam.pth", "ftp://127.0.0.1/sam.pth", "https:///sam.pth"):
        with pytest.raises(VoiceError, match=r"does not exist; .*a link"):
            library.add(source)


def test_a_repository_that_is_not_there(library, hub):
    with pytest.raises(ValueError, match=r"cannot list .*no/body.*add its file"):
        library.add("no/body")
