"""Links of Google Drive and Mega, against a server on this machine that answers as Drive does."""

import http.client
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import pytest

from mlx_rvc_voices import VoiceError
from mlx_rvc_voices.sharing import DriveFile, confirmed, drive_file, title

FORM = """<!DOCTYPE html><html><head><title>Google Drive - Virus scan warning</title></head><body>
<form action="https://drive.google.com/search"><input type="hidden" name="q" value="x"></form>
<p class="uc-warning-caption">Google Drive can't scan this file for viruses.</p>
<form id="download-form" action="https://{host}/download" method="get">
<input type="submit" id="uc-download-link" value="Download anyway">
<input type="hidden" name="id" value="{id}"><input type="hidden" name="export" value="download">
<input type="hidden" name="confirm" value="t"><input type="hidden" name="uuid" value="a&amp;b"></form>
"""
USERCONTENT = "drive.usercontent.google.com"


class Drive:
    """Files by ID; `requests`: (host, path, query) of each request. Used as a context manager."""

    def __init__(self, files):
        self.files, self.requests = files, []

    def __enter__(self):
        drive = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format, *args):
                pass

            def do_GET(self):
                drive.answer(self, self.headers["Host"], urlsplit(self.path))

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def answer(self, request, host, parts):
        query = dict(parse_qsl(parts.query))
        self.requests.append((host, parts.path, query))
        file = query.get("id")
        if (host, parts.path) == ("drive.google.com", "/uc"):
            where = f"https://{USERCONTENT}/download?id={file}&export=download"
            self.send(request, 303, b"", {"Location": where})
        elif file not in self.files:
            self.send(request, 404, b"<html><title>Error 404 (Not Found)!!1</title>", {})
        elif file.startswith("large") and query.get("uuid") != "a&b":
            self.page(request, FORM.format(host=USERCONTENT, id=file))
        elif file.startswith("evil"):
            self.page(request, FORM.format(host="example.org", id=file))
        elif file.startswith("quota"):
            self.page(request, "\n<html><head><title>Google Drive -\n Quota exceeded</title>")
        else:
            given = "attachment; filename=\"x.pth\"; filename*=UTF-8''S%C3%A4m%20(v2).pth"
            self.send(request, 200, self.files[file], {"Content-Disposition": given})

    def page(self, request, text):
        self.send(request, 200, text.encode(), {"Content-Type": "text/html; charset=utf-8"})

    def send(self, request, status, body, headers):
        request.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)


@pytest.fixture
def drive(make, tmp_path, monkeypatch):
    """Every https host is that server: the connection goes there, the name stays in the request."""
    voice = make.voice(tmp_path / "voice.pth").read_bytes()
    index = make.index(tmp_path / "added.index").read_bytes()
    files = {"small_1": voice, "large-2": voice, "evil": voice, "quota": voice, "large_i": index}
    with Drive(files) as drive:

        class Mapped(urllib.request.HTTPSHandler):
            def https_open(self, req):
                def connect(host, **settings):
                    return http.client.HTTPConnection("127.0.0.1", drive.server.server_port)

                return self.do_open(connect, req)

        opener = urllib.request.build_opener(Mapped, urllib.request.ProxyHandler({}))
        monkeypatch.setattr("urllib.request.urlopen", opener.open)
        yield drive


@pytest.mark.parametrize(
    "link",
    [
        "https://drive.google.com/file/d/small_1/view?usp=sharing",
        "https://drive.google.com/file/u/0/d/small_1/edit",
        "https://drive.google.com/open?id=small_1&usp=drive_copy",
        "https://drive.google.com/uc?export=download&id=small_1",
        "http://docs.google.com/uc?id=small_1",
        f"https://{USERCONTENT}/download?id=small_1&export=download",
    ],
)
def test_a_shared_file_is_fetched_under_its_own_name(library, drive, link):
    voice = library.add(link).voice
    assert (voice.name, voice.source) == ("Säm (v2)", DriveFile("small_1").shown)
    assert [(host, path) for host, path, _ in drive.requests] == [
        *(("drive.google.com", "/uc"), (USERCONTENT, "/download")),
    ]


def test_the_page_about_a_large_file_is_answered(library, drive):
    link = "https://drive.google.com/file/d/large-2/view?usp=sharing&resourcekey=0-k"
    index = "https://drive.google.com/open?id=large_i"
    voice = library.add(link, index=index).voice
    assert voice.name == "Säm (v2)" and voice.index is not None
    first, _, last = drive.requests[:3]
    assert first[2] == {"export": "download", "id": "large-2", "resourcekey": "0-k"}
    assert last == (
        *(USERCONTENT, "/download"),
        {"id": "large-2", "export": "download", "confirm": "t", "uuid": "a&b"},
    )
    assert "resourcekey" not in voice.source


@pytest.mark.parametrize(
    ("link", "words", "requests"),
    [
        ("drive.google.com/open?id=quota", r"web page \('Google Drive - Quota exceeded'\)", 2),
        ("drive.google.com/open?id=evil", "is a web page .'Google Drive - Virus scan warning'", 2),
        ("drive.google.com/open?id=gone", "the server answered HTTP 404", 2),
        ("drive.google.com/drive/folders/abc?usp=sharing", "is a folder of Google Drive", 0),
        ("drive.google.com/drive/u/1/folders/abc", "is a folder of Google Drive", 0),
        ("mega.nz/file/abc#secret", "mega.nz/file/abc: files of Mega are encrypted", 0),
        ("mega.nz/#!abc!secret", "files of Mega are encrypted", 0),
    ],
)
def test_what_cannot_be_had_is_one_line(library, drive, link, words, requests):
    with pytest.raises(VoiceError, match=words) as caught:
        library.add(f"https://{link}")
    said = str(caught.value)
    assert "\n" not in said and "secret" not in said
    assert "voices add FILE" in said or "add it" in said
    assert len(drive.requests) == requests and list(library.folder.iterdir()) == []
    assert not any("example.org" in host for host, *_ in drive.requests)


def test_forms_that_lead_elsewhere_are_none():
    file, address = DriveFile("a"), f"https://{USERCONTENT}/download"
    assert confirmed(FORM.format(host=USERCONTENT, id="b"), address, file) is None
    page = FORM.format(host=USERCONTENT, id="a")
    assert confirmed(page.replace("https://", "http://"), address, file) is None
    assert confirmed(page.replace(f"https://{USERCONTENT}", f"https://x@{USERCONTENT}"), address, file) is None  # fmt: skip
    assert confirmed(page.replace('name="confirm"', 'name="c"'), address, file) is None
    relative = page.replace(f"https://{USERCONTENT}/download", "/uc?a=1&amp;b=2")
    found = confirmed(relative, "https://drive.google.com/uc?id=a", file)
    assert found == "https://drive.google.com/uc?a=1&b=2&id=a&export=download&confirm=t&uuid=a%26b"
    assert confirmed("<form", address, file) is None and confirmed("", address, file) is None


def test_links_that_are_no_file_of_drive():
    for link in (
        "https://drive.google.com.example.org/file/d/a/view",
        "https://drive.google.com/open?id=../x",
        "https://drive.google.com/drive/my-drive",
        "https://docs.google.com/document/d/a/edit",
    ):
        assert drive_file(link) is None


def test_a_title_is_one_short_line():
    assert (
        title(f"<title>a\x1b[2J\n b{'c' * 99}</title><svg><title>d</title>") == "a [2J b" + 73 * "c"
    )
    assert title("<p>") == "" and title("<title>x</title><![foo[") == "x"
