"""A file from a link: what the server sends, whole, or one line that says why not."""

import http.client
import urllib.error
import urllib.parse
import urllib.request
from email.message import Message
from email.utils import collapse_rfc2231_value
from pathlib import Path

from mlx_rvc_voices.archive import Progress
from mlx_rvc_voices.errors import VoiceError
from mlx_rvc_voices.naming import plain_file_name
from mlx_rvc_voices.sharing import ADVICE, confirmed, drive_file, refuse_unfetchable, title

MAX_BYTES = 8 * 2**30
_TIMEOUT = 30.0  # s without a byte
_PIECE = 1 << 18
_MOST_PAGE = 1 << 16  # bytes of a web page that are read; the parser may be quadratic in them


def is_link(source: str) -> bool:
    """Say whether a source is a link that can be fetched."""
    try:
        parts = urllib.parse.urlsplit(source)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def without_secrets(link: str) -> str:
    """Give a link without user, password, query and fragment, for voice.json and messages.

    Of a file of Google Drive, whose name may be in the query, the link of its page.
    """
    drive = drive_file(link)
    if drive is not None:
        return drive.shown
    parts = urllib.parse.urlsplit(link)
    host = parts.netloc.rpartition("@")[2]
    return urllib.parse.urlunsplit((parts.scheme, host, parts.path, "", ""))


def download(link: str, folder: Path, progress: Progress) -> Path:
    """Fetch a link into `folder`, under the name that the server or the link gives.

    Raises VoiceError when the server refuses, is not there, stops half-way, sends too much, or
    sends a web page; that of Google Drive which asks about a large file is answered.
    """
    refuse_unfetchable(link)
    shown, drive = without_secrets(link), drive_file(link)
    place, address = _fetch(drive.address if drive else link, shown, folder, progress)
    page = _web_page(place)
    if page is not None and drive is not None:
        answer = confirmed(page, address, drive)
        if answer is not None:
            place.unlink()
            place, _ = _fetch(answer, shown, folder, progress)
            page = _web_page(place)
    if page is not None:
        called = f" ({title(page)!r})" if title(page) else ""
        raise VoiceError(
            f"{shown} is a web page{called}, not a file; give the link of its download button, or "
            f"{ADVICE}"
        )
    return place


def _fetch(link: str, shown: str, folder: Path, progress: Progress) -> tuple[Path, str]:
    """What the server sends as a file in `folder`, and its address after redirects."""
    request = urllib.request.Request(link, headers={"User-Agent": "mlx-rvc"})
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
            address = answer.url
            place = folder / _name(answer.headers, address)
            expected = _length(answer.headers)
            if expected is not None and expected > MAX_BYTES:
                raise VoiceError(f"{shown} is {expected / 1e9:.1f} GB, more than a voice is")
            done = 0
            with place.open("xb") as file:
                while piece := answer.read(_PIECE):
                    done += len(piece)
                    if done > MAX_BYTES:
                        raise VoiceError(f"{shown} is more than {MAX_BYTES >> 30} GiB, no voice is")
                    file.write(piece)
                    progress(done, expected)
    except urllib.error.HTTPError as error:
        error.close()
        raise _failed(shown, f"the server answered HTTP {error.code}") from None
    except urllib.error.URLError as error:
        raise _failed(shown, f"no connection ({error.reason})") from None
    except TimeoutError:
        raise _failed(shown, "the server did not answer in time") from None
    except (http.client.HTTPException, ConnectionError) as error:
        raise _failed(shown, f"the connection was cut ({type(error).__name__})") from None
    except (ValueError, UnicodeError) as error:
        if isinstance(error, VoiceError):
            raise
        raise VoiceError(f"{shown} is no link that can be fetched ({error!s:.80})") from None
    if expected is not None and done < expected:
        raise _failed(shown, f"the connection was cut after {done} of {expected} bytes")
    return place, address


def _web_page(place: Path) -> str | None:
    """The text of a file that is a web page, None for others: no voice or index begins with <."""
    with place.open("rb") as file:
        start = file.read(_MOST_PAGE)
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text.startswith(b"<") or b"\0" in text[:64]:  # a length in binary may look like <
        return None
    return text.decode("utf-8", "replace")


def _failed(shown: str, why: str) -> VoiceError:
    return VoiceError(
        f"cannot fetch {shown}: {why}. Try again, or fetch the file by other means and add it"
    )


def _length(headers: Message) -> int | None:
    text = headers.get("Content-Length", "")
    return int(text) if text.isascii() and text.isdigit() else None


def _name(headers: Message, link: str) -> str:
    """The file's name: the server's word for it, else the end of the link (after redirects)."""
    said = headers.get_params(failobj=[], header="content-disposition")
    names = [value for name, value in said if name == "filename"]
    # Of filename and filename*, a tuple here, the second goes first: RFC 6266, 4.3.
    given = max(names, key=lambda name: isinstance(name, tuple), default="")
    path = urllib.parse.unquote(urllib.parse.urlsplit(link).path)
    return plain_file_name(collapse_rfc2231_value(given) or path.rstrip("/") or "voice")
