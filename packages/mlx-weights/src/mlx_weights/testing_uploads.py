"""What a hub does with an upload, for `LocalHub`: create, preupload, LFS batch and PUT, commit.

As huggingface-hub's HTTP upload asks for it (git-LFS "basic" transfer, in one piece; the real hub
has Xet besides). The server is strict: sums, sizes and the parent commit must be right, the card's
front matter must be YAML, and who has no right gets what the real hub answers.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from mlx_weights.testing import LocalHub

_NAME = r"(?P<repo>[^/]+/[^/]+)"
_PREUPLOAD = re.compile(rf"/api/models/{_NAME}/preupload/main")
_COMMIT = re.compile(rf"/api/models/{_NAME}/commit/main")
_BATCH = re.compile(rf"/{_NAME}\.git/info/lfs/objects/batch")
_OBJECT = re.compile(r"/-/lfs/(?P<oid>[0-9a-f]{64})")
_FRONT = re.compile(r"---\n(.*?)\n---\n", re.DOTALL)
STEPS = ("create", "validate", "preupload", "batch", "put", "commit")
"""The steps of an upload at which `LocalHub.upload_faults` can be switched on."""


class Uploads(BaseHTTPRequestHandler):
    """The POST and PUT routes; `hub` is set by the subclass."""

    hub: "LocalHub"

    def do_POST(self) -> None:
        """Answer one step of an upload."""
        path, body = urlsplit(self.path).path, self._body()
        if path == "/api/repos/create":
            self._step("create", self._create, None, body)
        elif path == "/api/validate-yaml":
            self._step("validate", self._validate, None, body)
        elif match := _PREUPLOAD.fullmatch(path):
            self._step("preupload", self._preupload, match["repo"], body)
        elif match := _BATCH.fullmatch(path):
            self._step("batch", self._batch, match["repo"], body)
        elif match := _COMMIT.fullmatch(path):
            self._step("commit", self._commit, match["repo"], body)
        else:
            self._refuse(404, "", f"no route {path}")

    def do_PUT(self) -> None:
        """Take a large file, at the address that the batch gave."""
        match, body = _OBJECT.fullmatch(urlsplit(self.path).path), self._body()
        if match is None:
            self._refuse(404, "", "no such upload")
        else:
            self._step("put", self._put, match["oid"], body)

    def owner_allowed(self, repo: str) -> bool:
        """Say whether the request's token may write to (and see what is private of) `repo`."""
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        return repo.partition("/")[0] in self.hub.tokens.get(token, ())

    def token_unknown(self) -> bool:
        """Say whether the request has a token that the hub does not know (if it knows any)."""
        sent = self.headers.get("Authorization")
        return (
            bool(self.hub.tokens)
            and sent is not None
            and sent.removeprefix("Bearer ") not in self.hub.tokens
        )

    def _step(self, step: str, answer: Any, about: str | None, body: bytes) -> None:
        fault = self.hub.upload_faults.get(step)
        if fault == "cut":
            self.hub.requests.append((self.command, self.path, 0))
            self.close_connection = True
        elif isinstance(fault, int):
            self._refuse(fault, "", f"the hub was told to fail at {step}")
        elif step == "put":  # a signed address: no token
            answer(about, body)
        elif "Authorization" not in self.headers or self.token_unknown():
            self._refuse(401, "", "Invalid credentials in Authorization header")
        elif about is not None and about not in self.hub.repos:
            self._refuse(404, "RepoNotFound", "Repository not found")
        elif about is not None and not self.owner_allowed(about):
            self._refuse(403, "", "you have no write access to this repository")
        else:
            answer(about, body)

    def _create(self, _: None, body: bytes) -> None:
        asked = json.loads(body)
        repo = f"{asked['organization']}/{asked['name']}"
        if not self.owner_allowed(repo):
            self._refuse(403, "", f"you may not make models under {asked['organization']}")
        elif repo in self.hub.repos:
            self._json({"error": "You already created this model repo"}, status=409)
        else:
            private = asked.get("visibility") == "private" or asked.get("private") is True
            self.hub.repos[repo] = {".gitattributes": b"*.safetensors filter=lfs -text\n"}
            if private and not self.hub.ignores_private:
                self.hub.private.add(repo)
            self._json({"url": f"{self.hub.url}/{repo}", "name": repo, "id": repo})

    def _validate(self, _: None, body: bytes) -> None:
        from huggingface_hub import ModelCard

        content = json.loads(body)["content"]
        try:
            found = (
                ModelCard(content).data.to_dict().get("license") if _FRONT.match(content) else None
            )
        except Exception as error:  # of YAML's own kinds too
            found, said = None, str(error)
        else:
            said = f"front matter with a license is expected, found {content!r:.80}"
        if found:
            self._json({"errors": [], "warnings": []})
        else:
            self._json({"errors": [{"message": said}], "warnings": []}, status=400)

    def _preupload(self, repo: str, body: bytes) -> None:
        files = [
            {
                "path": file["path"],
                "uploadMode": "lfs" if self.hub.is_large(file["path"]) else "regular",
                "shouldIgnore": False,
                "oid": self._oid(repo, file["path"]),
            }
            for file in json.loads(body)["files"]
        ]
        self._json({"files": files})

    def _oid(self, repo: str, name: str) -> str | None:
        """What huggingface-hub compares to leave out files that have not changed."""
        data = self.hub.contents(repo, name)
        if data is None:
            return None
        if self.hub.is_large(name):
            return hashlib.sha256(data).hexdigest()
        return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()

    def _batch(self, repo: str, body: bytes) -> None:
        port = urlsplit(self.hub.url).port
        objects = []
        for wanted in json.loads(body)["objects"]:
            entry = {"oid": wanted["oid"], "size": wanted["size"]}
            if wanted["oid"] not in self.hub.objects:  # uploaded to another host, as in reality
                href = f"http://localhost:{port}/-/lfs/{wanted['oid']}"
                entry["actions"] = {"upload": {"href": href, "header": {}}}
            objects.append(entry)
        self._json({"transfer": "basic", "objects": objects})

    def _put(self, oid: str, body: bytes) -> None:
        if hashlib.sha256(body).hexdigest() != oid:
            self._refuse(400, "", "the contents have another SHA-256 than announced")
        else:
            self.hub.objects[oid] = body
            self._json({})

    def _commit(self, repo: str, body: bytes) -> None:
        lines = [json.loads(line) for line in body.splitlines()]
        header, changes = lines[0]["value"], lines[1:]
        files = dict(self.hub.repos[repo])
        if header.get("parentCommit") not in (None, self.hub.commit):
            self._refuse(412, "", "A commit has happened since. Please refresh and try again.")
            return
        for change in changes:
            value = change["value"]
            if change["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif change["key"] == "lfsFile":
                data = self.hub.objects.get(value["oid"])
                if data is None or len(data) != value["size"]:
                    self._refuse(400, "", f"{value['path']} was not uploaded")
                    return
                files[value["path"]] = data
            else:
                self._refuse(400, "", f"{change['key']} is not supported here")
                return
        self.hub.repos[repo] = files
        self.hub.commit = hashlib.sha1(body + self.hub.commit.encode()).hexdigest()
        self.hub.commits.append((repo, header["summary"], [c["value"]["path"] for c in changes]))
        url = f"{self.hub.url}/{repo}/commit/{self.hub.commit}"
        self._json({"success": True, "commitOid": self.hub.commit, "commitUrl": url})

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _json(self, data: Mapping[str, Any], status: int = 200) -> None:
        self._send(status, json.dumps(data).encode(), {"Content-Type": "application/json"})

    def _refuse(self, status: int, code: str, message: str) -> None:
        headers = {"X-Error-Message": message, "X-Repo-Commit": self.hub.commit}
        if code:
            headers["X-Error-Code"] = code
        self._send(status, json.dumps({"error": message}).encode(), headers)

    def _send(
        self, status: int, body: bytes, headers: Mapping[str, str], length: int | None = None
    ) -> None:
        self.hub.requests.append((self.command, self.path, status))
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
