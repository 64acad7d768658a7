"""Fetching for real, with huggingface-hub, from a hub on this machine."""

import errno
import hashlib
import logging
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mlx_weights import HubFile, WeightsError, locate, repository_files
from mlx_weights.hub import _explain
from mlx_weights.testing import LocalHub, refused_url

DATA = np.random.default_rng(0).bytes(300_000)
SHA256 = hashlib.sha256(DATA).hexdigest()
FILE = HubFile("owner/name", "sub/model.pt", sha256=SHA256, companions=("config.json", "no.json"))
NAMES = ("model.safetensors", "model.pt")
FILES = {"sub/model.pt": DATA, "sub/config.json": b"{}", "model.pt": b"other", "config.json": b"{}"}


def find(source=None, default=FILE) -> Path:
    return locate(source, default=default, env="MODEL_HOME", option="--model", filenames=NAMES)


@pytest.fixture
def hub(monkeypatch):
    with LocalHub({"owner/name": FILES}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


def failure(*args) -> str:
    with pytest.raises(WeightsError) as caught:
        find(*args)
    text = str(caught.value)
    assert "\n" not in text
    return text


def assert_helps(text: str, hub_url: str) -> None:
    """The error names the file, where it comes from, and both ways to point elsewhere."""
    assert f"{hub_url}/owner/name/resolve/main/sub/model.pt" in text
    assert "--model" in text
    assert "MODEL_HOME" in text


def test_default_is_fetched_with_its_companions(hub):
    path = find()
    assert path.read_bytes() == DATA
    assert (path.parent / "config.json").read_bytes() == b"{}"
    assert not (path.parent / "no.json").exists()
    assert any("/-/cdn/" in url for url in hub.downloads())  # through the redirect to another host


def test_second_time_asks_the_hub_nothing(hub):
    first = find()
    hub.requests.clear()
    assert find() == first
    assert hub.requests == []


def test_cached_copy_serves_without_network(hub, monkeypatch):
    first = find()
    monkeypatch.setenv("HF_ENDPOINT", refused_url())
    assert find() == first


def test_sum_is_computed_once(hub, monkeypatch):
    find()
    monkeypatch.setattr("mlx_weights.digest.sha256", lambda path: pytest.fail("hashed again"))
    find()


def test_connection_refused(monkeypatch):
    url = refused_url()
    monkeypatch.setenv("HF_ENDPOINT", url)
    text = failure()
    assert_helps(text, url)
    assert "no connection" in text


def test_offline_mode(hub, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    text = failure()
    assert_helps(text, hub.url)
    assert "HF_HUB_OFFLINE" in text
    assert hub.requests == []
    monkeypatch.delenv("HF_HUB_OFFLINE")
    path = find()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert find() == path


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        ("missing", "no such file"),
        ("gated", "accepted its terms"),
        ("error", "HTTP 500"),
        ("html", "does not answer like a hub"),
    ],
)
def test_refusals_of_the_server(hub, fault, word):
    hub.faults["sub/model.pt"] = fault
    text = failure()
    assert_helps(text, hub.url)
    assert word in text


def test_unknown_repository_and_revision(hub):
    assert "no such repository" in failure("owner/other")
    assert "no such revision" in failure("owner/name@v9")


def test_wrong_bytes_are_found_and_deleted(hub, own_caches):
    hub.faults["sub/model.pt"] = "wrong"
    text = failure()
    assert SHA256 in text
    assert hashlib.sha256(bytes(byte ^ 0x55 for byte in DATA)).hexdigest() in text
    assert not any(path.stat().st_size == len(DATA) for path in own_caches.rglob("*"))
    hub.faults.clear()
    assert find().read_bytes() == DATA  # the next try succeeds


def test_a_damaged_cached_copy_is_fetched_again(hub):
    path = find()
    path.resolve().write_bytes(DATA[:-1] + b"?")
    assert find().read_bytes() == DATA


def test_cut_once_is_resumed(hub, fast, caplog):
    caplog.set_level(logging.ERROR, "huggingface_hub")
    hub.faults["sub/model.pt"] = "cut once"
    assert find().read_bytes() == DATA
    statuses = [status for method, _, status in hub.requests if method == "GET"]
    assert 206 in statuses  # only the rest was asked for


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("cut", "cut during the download"),
        ("reset in the middle", "cut during the download"),
        ("reset", "cut during the download"),
        ("stall", "did not answer in time"),
        ("silent", "did not answer in time"),
        ("short", "cut during the download"),
        ("long", "cut during the download"),
    ],
)
def test_a_hub_that_breaks_off_or_lies_about_the_length(hub, fast, fault, words):
    hub.faults["sub/model.pt"] = fault
    text = failure()
    assert_helps(text, hub.url)
    assert words in text
    hub.faults.clear()
    assert find().read_bytes() == DATA  # nothing half-fetched is left in the way


@pytest.mark.parametrize("fault", ["reset", "reset in the middle", "silent", "short", "wrong"])
def test_a_companion_is_no_less_than_the_file(hub, fast, fault):
    """Of config.json no SHA-256 is known: wrong bytes are for its reader."""
    hub.faults["sub/config.json"] = fault
    if fault != "wrong":
        assert re.search(r"config\.json\)?: ", failure())
        hub.faults.clear()
    assert find().read_bytes() == DATA


def test_bytes_other_than_the_hub_announced_are_deleted(hub, own_caches):
    """Of a repository's file no SHA-256 is known here, but the hub says one."""
    hub.faults["model.pt"] = "wrong"
    text = failure("owner/name")
    assert hashlib.sha256(b"other").hexdigest() in text and "the copy was deleted" in text
    assert not any(path.read_bytes() == bytes(b ^ 0x55 for b in b"other")
                   for path in own_caches.rglob("*") if path.is_file())  # fmt: skip
    hub.faults.clear()
    path = find("owner/name")
    assert path.read_bytes() == b"other"
    path.resolve().write_bytes(b"oth??")
    with pytest.raises(WeightsError, match="the copy was deleted"):
        find("owner/name")
    assert find("owner/name").read_bytes() == b"other"


def test_repository_as_source(hub):
    path = find("owner/name")
    assert (path.name, path.read_bytes()) == ("model.pt", b"other")
    assert (path.parent / "config.json").is_file()
    assert find(f"owner/name@{hub.commit}").read_bytes() == b"other"


def test_repository_without_any_of_the_files(monkeypatch):
    with LocalHub({"owner/empty": {"README.md": b""}}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        assert "none of model.safetensors, model.pt" in failure("owner/empty")


@pytest.mark.parametrize(
    ("code", "word"), [(errno.ENOSPC, "full"), (errno.EACCES, "HF_HOME"), (errno.EROFS, "HF_HOME")]
)
def test_cache_that_cannot_be_written(hub, monkeypatch, code, word):
    def fail(*args, **options):
        raise OSError(code, "no")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", fail)
    text = failure()
    assert_helps(text, hub.url)
    assert word in text


def test_unknown_errors_keep_their_text():
    text = str(_explain(RuntimeError("two\nlines"), FILE, "do this"))
    assert "RuntimeError: two lines" in text


def test_in_a_process_of_its_own(hub, own_caches):
    """As a command does it: HF_ENDPOINT from the environment, nothing on stdout."""
    code = (
        "from mlx_weights import HubFile, locate\n"
        "d = HubFile('owner/name', 'sub/model.pt')\n"
        "p = locate(None, default=d, env='NONE', option='--m', filenames=('x',))\n"
        "assert p.stat().st_size == 300000\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_the_files_of_a_repository_are_listed(monkeypatch):
    with LocalHub({"owner/name": {"b.pth": b"1", "a/config.json": b"{}"}}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        assert repository_files("owner/name", advice="give a file") == ["a/config.json", "b.pth"]
        with pytest.raises(WeightsError, match=r"no/body.*no such repository.*give a file$"):
            repository_files("no/body", advice="give a file")
        with pytest.raises(WeightsError, match="no such revision"):
            repository_files("owner/name", revision="v9", advice="give a file")
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        with pytest.raises(WeightsError, match="HF_HUB_OFFLINE is set"):
            repository_files("owner/name", advice="give a file")


def test_a_hub_that_cannot_be_reached_is_named_when_listing(fast, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", refused_url())
    with pytest.raises(WeightsError, match=r"cannot list http://127.*no connection.*give a file$"):
        repository_files("owner/name", advice="give a file")
