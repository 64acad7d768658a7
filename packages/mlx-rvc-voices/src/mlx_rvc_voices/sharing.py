"""Links to the pages of file hosts, where the file itself is meant.

Google Drive    /file/d/ID/view, /open?id=ID, /uc?id=ID: one file, at an address made from its ID.
                For a large file, which Drive does not scan for viruses, it sends a page that asks;
                its form, filled in, is the address.
Mega            encrypted, with the key in the link: only Mega's page and programs can decrypt it.

Google describes none of this. The links and the form are those that gdown 5 and others follow.
"""

import contextlib
import re
import urllib.parse
from dataclasses import dataclass
from html.parser import HTMLParser

from mlx_rvc_voices.errors import VoiceError

ADVICE = "download it in the browser, then: mlx-rvc voices add FILE"

_DRIVE_HOSTS = ("drive.google.com", "docs.google.com", "drive.usercontent.google.com")
_MEGA_HOSTS = ("mega.nz", "www.mega.nz", "mega.co.nz", "mega.io", "mega.app")
_FILE = re.compile(r"/file/(?:u/\d+/)?d/(?P<id>[\w-]+)(?:/.*)?", re.ASCII)
_BY_QUERY = re.compile(r"/(?:u/\d+/)?(?:open|uc|download)", re.ASCII)
_FOLDER = re.compile(r"/drive/(?:u/\d+/)?(?:mobile/)?folders/.+", re.ASCII)
_ID = re.compile(r"[\w-]+", re.ASCII)


@dataclass(frozen=True)
class DriveFile:
    """A file of Google Drive. `key`: what links to older files carry as `resourcekey`, or ""."""

    id: str
    key: str = ""

    @property
    def shown(self) -> str:
        """The link of its page, for people."""
        return f"https://drive.google.com/file/d/{self.id}/view"

    @property
    def address(self) -> str:
        """Where Drive sends the file itself, or the page that asks first."""
        query = {"export": "download", "id": self.id} | (
            {"resourcekey": self.key} if self.key else {}
        )
        return f"https://drive.google.com/uc?{urllib.parse.urlencode(query)}"


def drive_file(link: str) -> DriveFile | None:
    """Give the file of Google Drive that a link means, None for other links."""
    parts = urllib.parse.urlsplit(link)
    if parts.hostname not in _DRIVE_HOSTS:
        return None
    query = dict(urllib.parse.parse_qsl(parts.query))
    match = _FILE.fullmatch(parts.path)
    found = match["id"] if match else ""
    if _BY_QUERY.fullmatch(parts.path):
        found = query.get("id", "")
    return DriveFile(found, query.get("resourcekey", "")) if _ID.fullmatch(found) else None


def refuse_unfetchable(link: str) -> None:
    """Raise VoiceError for links from which no program but a browser gets a voice."""
    parts = urllib.parse.urlsplit(link)
    shown = f"{parts.hostname}{parts.path}"
    if parts.hostname in _MEGA_HOSTS:
        raise VoiceError(
            f"{shown}: files of Mega are encrypted and decrypted in its page; {ADVICE}"
        )
    if parts.hostname in _DRIVE_HOSTS and _FOLDER.fullmatch(parts.path):
        raise VoiceError(
            f"{shown} is a folder of Google Drive: give the link of one file in it, or {ADVICE}"
        )


def confirmed(page: str, address: str, file: DriveFile) -> str | None:
    """Give the address that the form of Drive's page leads to, None if there is no such form.

    page: its text. address: where it came from. A form for another file, or to another host, is
    none: the page is a stranger's word.
    """
    for form in _parsed(page).forms:
        action = urllib.parse.urlsplit(urllib.parse.urljoin(address, form.action))
        query = dict(urllib.parse.parse_qsl(action.query)) | form.fields
        trusted = action.scheme == "https" and action.netloc in _DRIVE_HOSTS
        if trusted and query.get("id") == file.id and "confirm" in query:
            return action._replace(query=urllib.parse.urlencode(query), fragment="").geturl()
    return None


def title(page: str) -> str:
    """Give the title of a page on one line, shortened; "" if it has none."""
    printable = "".join(char if char.isprintable() else " " for char in _parsed(page).title)
    return " ".join(printable.split())[:80]


@dataclass
class _Form:
    action: str
    fields: dict[str, str]


class _Page(HTMLParser):
    """The title of a page, and its forms with their hidden fields."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[_Form] = []
        self.title = ""
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "title" and not self.title:
            self._inside = tag
        elif tag == "form":
            self.forms.append(_Form(said.get("action", ""), {}))
        elif tag == "input" and self.forms and said.get("type", "").lower() == "hidden":
            self.forms[-1].fields[said.get("name", "")] = said.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._inside:
            self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.title += data


def _parsed(page: str) -> _Page:
    found = _Page()
    with contextlib.suppress(AssertionError):  # what html.parser raises at marks it does not know
        found.feed(page)
    return found
