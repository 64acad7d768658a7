"""A hub on this machine, for tests of code that fetches weights.

It speaks what huggingface-hub asks of a hub for single files: HEAD and GET of
`/{repo}/resolve/{revision}/{file}` with the hub's headers, and, as the real one, a redirect to
another host for large files; what it says of a repository and the list of its files,
`/api/models/{repo}` and `/api/models/{repo}/tree/{revision}`. Faults can be switched on per file.
With `tokens` it takes uploads (`testing_uploads.py`) and hides what is private.

    with LocalHub({"owner/name": {"model.safetensors": data}}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
"""

import hashlib
import json
import re
import socket
import struct
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

from mlx_weights.testing_uploads import Uploads

_RESOLVE = re.compile(r"/(?P<repo>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<file>.+)")
_TREE = re.compile(r"/api/models/(?P<repo>[^/]+/[^/]+)/tree/(?P<revision>[^/?]+)(\?.*)?")
_ABOUT = re.compile(r"/api/models/(?P<repo>[^/]+/[^/]+)(/revision/(?P<revision>[^/?]+))?(\?.*)?")
_LARGE = (".pt", ".pth", ".bin", ".ckpt", ".safetensors", ".index")
_NO_FILE = ("missing", "gated", "error", "html", "reset", "silent")
_PARTIAL = ("cut", "cut once", "stall", "reset in the middle")
FAULTS = (*_NO_FILE, "wrong", "short", "long", *_PARTIAL)


class LocalHub:
    """A server on a free port of 127.0.0.1; a context manager.

    `repos`: repository -> file name -> contents (bytes, or the path of a file). `faults`: file name
    -> one of FAULTS:
    missing (404), gated (403), error (500), wrong (other bytes of the same length), short (half of
    it, said to be all), long (twice as much), cut (the connection ends half-way, always at the same
    place), cut once (then it can be resumed), stall (headers, half of the data, then nothing),
    reset in the middle (half of the data, then a reset instead of an end), reset (instead of an
    answer), silent (no answer), html (a web page instead of a hub's answer).
    `requests` records (method, path, status).

    `tokens`: token -> owners whose repositories it may write; `private`: repositories that only
    those see; `commits`: (repository, summary, paths) of each upload. `upload_faults`: step of an
    upload (`testing_uploads.STEPS`) -> HTTP status, or "cut". `ignores_private`: makes every
    repository public, whatever was asked for. `page`: what is said of a repository is a web page,
    as from a network that wants a login first.
    """

    def __init__(self, repos: Mapping[str, Mapping[str, bytes | Path]]) -> None:
        """Prepare the server; it starts on entering the context."""
        self.repos = {repo: dict(files) for repo, files in repos.items()}
        self.faults: dict[str, str] = {}
        self.requests: list[tuple[str, str, int]] = []
        self.tokens: dict[str, tuple[str, ...]] = {}
        self.private: set[str] = set()
        self.commits: list[tuple[str, str, list[str]]] = []
        self.objects: dict[str, bytes] = {}  # large files, by SHA-256
        self.upload_faults: dict[str, int | str] = {}
        self.ignores_private = False
        self.page = False
        self.commit = hashlib.sha1(repr(sorted(self.repos)).encode()).hexdigest()
        self._released = threading.Event()

    @property
    def url(self) -> str:
        """Give the address for HF_ENDPOINT."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def downloads(self) -> list[str]:
        """Give the paths of all GET requests so far."""
        return [path for method, path, _ in self.requests if method == "GET"]

    def __enter__(self) -> "LocalHub":
        """Start serving."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop serving and release stalled connections."""
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def contents(self, repo: str, name: str) -> bytes | None:
        """Give a file's true contents, or None."""
        found = self.repos.get(repo, {}).get(name)
        return found.read_bytes() if isinstance(found, Path) else found

    @staticmethod
    def is_large(name: str) -> bool:
        """Say whether a file is kept in large file storage."""
        return name.endswith(_LARGE)

    def stalled(self) -> None:
        """Wait until the hub is closed."""
        self._released.wait(60)


def refused_url() -> str:
    """Give an address at which connections are refused."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def _handler(local: LocalHub) -> type[BaseHTTPRequestHandler]:
    class Handler(Uploads, BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else every body waits 40 ms for an acknowledgement
        hub = local

        def log_message(self, format: str, *args: Any) -> None:
            """Stay silent: the record is `hub.requests`."""

        def do_HEAD(self) -> None:
            self._answer()

        def do_GET(self) -> None:
            self._answer()

        def _answer(self) -> None:
            tree = _TREE.fullmatch(self.path)
            if tree is not None:
                self._list(tree["repo"], tree["revision"])
                return
            about = _ABOUT.fullmatch(self.path)
            if about is not None:
                self._about(about["repo"], about["revision"] or "main")
                return
            cdn = self.path.startswith("/-/cdn/")
            match = _RESOLVE.fullmatch(urlsplit(self.path).path.removeprefix("/-/cdn"))
            if match is None:
                self._refuse(404, "RepoNotFound", "Repository not found")
                return
            if not cdn and self._unseen(match["repo"]):  # the other host's addresses are signed
                return
            name, revision = unquote(match["file"]), match["revision"]
            data, fault = self.hub.contents(match["repo"], name), self.hub.faults.get(name)
            if revision not in ("main", self.hub.commit):
                self._refuse(404, "RevisionNotFound", "Invalid rev id")
            elif data is None or fault == "missing":
                self._refuse(404, "EntryNotFound", "Entry not found")
            elif self._fails(fault):
                return
            elif self.hub.is_large(name) and not cdn:
                self._redirect(data)
            else:
                self._file(name, data, fault)

        def _fails(self, fault: str | None) -> bool:
            """Do what a fault makes of the whole answer; say whether there was one."""
            if fault == "gated":
                self._refuse(403, "GatedRepo", "Access to this repository is restricted")
            elif fault == "error":
                self._refuse(500, "", "Internal error")
            elif fault == "reset":
                self._reset()
            elif fault == "silent":
                self.hub.stalled()
                self.close_connection = True
            elif fault == "html":
                self._send(200, b"<!doctype html><title>Log in</title>", {})
            else:
                return False
            return True

        def _unseen(self, repo: str) -> bool:
            """Refuse, as the real hub does, what does not exist or is private; say whether so."""
            if self.token_unknown():
                self._refuse(401, "", "Invalid credentials in Authorization header")
            elif repo in self.hub.repos and (
                repo not in self.hub.private or self.owner_allowed(repo)
            ):
                return False
            else:
                self._refuse(404, "RepoNotFound", "Repository not found")
            return True

        def _about(self, repo: str, revision: str) -> None:
            if self._unseen(repo):
                return
            if self.hub.page:
                self._send(200, b"<!doctype html><title>Log in</title>", {})
                return
            if revision not in ("main", self.hub.commit):
                self._refuse(404, "RevisionNotFound", "Invalid rev id")
                return
            files = [{"rfilename": name} for name in self.hub.repos[repo]]
            private = repo in self.hub.private
            self._json({"id": repo, "private": private, "sha": self.hub.commit, "siblings": files})

        def _list(self, repo: str, revision: str) -> None:
            if self._unseen(repo):
                return
            if revision not in ("main", self.hub.commit):
                self._refuse(404, "RevisionNotFound", "Invalid rev id")
            else:
                files = [
                    {
                        "type": "file",
                        "oid": "0" * 40,
                        "size": len(self.hub.contents(repo, name) or b""),
                    }
                    | {"path": name}
                    for name in self.hub.repos[repo]
                ]
                self._send(200, json.dumps(files).encode(), {"Content-Type": "application/json"})

        def _redirect(self, data: bytes) -> None:
            """Send large files elsewhere, to another host name as the real hub does."""
            sha256 = hashlib.sha256(data).hexdigest()
            port = urlsplit(self.hub.url).port
            headers = {
                "Location": f"http://localhost:{port}/-/cdn{self.path}",
                "X-Repo-Commit": self.hub.commit,
                "X-Linked-Size": str(len(data)),
                "X-Linked-Etag": f'"{sha256}"',
                "ETag": f'"{sha256}"',
            }
            self._send(302, b"", headers)

        def _file(self, name: str, data: bytes, fault: str | None) -> None:
            headers = {
                "X-Repo-Commit": self.hub.commit,
                "ETag": f'"{hashlib.sha1(data).hexdigest()}"',
                "Accept-Ranges": "bytes",
                "Content-Type": "application/octet-stream",
            }
            if fault == "wrong":
                data = bytes(byte ^ 0x55 for byte in data)
            elif self.command == "GET" and fault in ("short", "long"):
                data = data[: len(data) // 2] if fault == "short" else data * 2
            status, start = 200, 0
            asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            if asked:
                status, start = 206, int(asked[1])
                headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
            end = len(data)
            if fault in _PARTIAL and self.command == "GET":
                end = max(start, len(data) // 2)
                if fault == "cut once":
                    del self.hub.faults[name]
            self._send(status, data[start:end], headers, length=len(data) - start)
            if end < len(data):
                self.wfile.flush()
                if fault == "stall":
                    self.hub.stalled()
                elif fault == "reset in the middle":
                    self._reset()
                self.close_connection = True

        def _reset(self) -> None:
            """End the connection as a machine that fails does: by RST, which is no end of data."""
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            for part in (self.rfile, self.wfile, self.connection):
                part.close()
            self.wfile = BytesIO()  # for what the base class still flushes
            self.close_connection = True

    return Handler
