"""Fetching one file, and what belongs beside it, from a Hugging Face hub.

huggingface-hub does the transfer (cache, resuming, progress on stderr). Added here: a first short
question to the hub, so that without a network the error comes at once and not after retries; the
check of a known SHA-256, or of the one that the hub announces for a large file; and errors that say
what to do.
"""

import errno
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from mlx_weights.digest import known_sha256
from mlx_weights.errors import WeightsError

_DEFAULT_ENDPOINT = "https://huggingface.co"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class HubFile:
    """A file in a hub repository.

    `sha256`: of its contents, checked after fetching if given. `companions`: names of files wanted
    beside it, in the same folder (config.json); those the repository lacks are left out.
    """

    repo: str
    filename: str
    sha256: str | None = None
    revision: str = "main"
    companions: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """Give the address a browser would fetch it from; respects HF_ENDPOINT."""
        return f"{endpoint()}/{self.repo}/resolve/{self.revision}/{self.filename}"

    def beside(self, name: str) -> "HubFile":
        """Give the file of that name in the same folder."""
        path = PurePosixPath(self.filename).with_name(name)
        return HubFile(self.repo, str(path), revision=self.revision)


def endpoint() -> str:
    """Give the hub's address, from HF_ENDPOINT as it is now."""
    return (os.environ.get("HF_ENDPOINT") or _DEFAULT_ENDPOINT).rstrip("/")


def fetch(file: HubFile, advice: str) -> Path:
    """Give a local copy of `file` with its companions beside it.

    A whole copy in huggingface-hub's cache is taken without asking the hub; one whose SHA-256 is
    wrong is thrown away and fetched again. Where `file` has none, that which the hub announced
    counts. `advice` ends every error: where else to put the file.
    """
    path = _cached_with_companions(file)
    if path is not None:
        expected = file.sha256 or _announced(path)
        if expected is None or known_sha256(path) == expected:
            return path
        _discard(path)
    _ask(file, advice)
    return _download_with_companions(file, advice)


def fetch_first(file: HubFile, filenames: tuple[str, ...], advice: str) -> Path:
    """Give the first of `filenames` that the repository of `file` has, with companions."""
    for name in filenames:
        candidate = replace(file, filename=name, sha256=None)
        if _ask(candidate, advice, optional=True):
            return _download_with_companions(candidate, advice)
    raise WeightsError(
        f"the repository {file.repo} (revision {file.revision}) at {endpoint()} has none of "
        f"{', '.join(filenames)}; check its name, or {advice}"
    )


def repository_files(repo: str, *, revision: str = "main", advice: str) -> list[str]:
    """Give the paths of all files of a hub repository, sorted.

    Respects HF_ENDPOINT. Raises WeightsError that ends with `advice`: what to do instead.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import OfflineModeIsEnabled

    try:
        if offline():
            raise OfflineModeIsEnabled
        return sorted(HfApi(endpoint=endpoint()).list_repo_files(repo, revision=revision))
    except Exception as error:
        raise WeightsError(
            f"cannot list {endpoint()}/{repo} (revision {revision}): {why(error)}. To go on "
            f"without it, {advice}"
        ) from error


def _download_with_companions(file: HubFile, advice: str) -> Path:
    for name in file.companions:  # first, so that the file itself means that all is there
        # Asked shortly, as the file was: huggingface-hub would wait six minutes for an answer.
        _ask(file.beside(name), advice, optional=True)
        _download(file, advice, companion=name)
    path = _download(file, advice)
    expected = file.sha256 or _announced(path)
    if expected is not None and (found := known_sha256(path)) != expected:
        _discard(path)
        raise WeightsError(
            f"{file.url} has the SHA-256 {found}, but {expected} is expected: it was damaged on "
            f"the way or replaced; the copy was deleted. Try again, or {advice}"
        )
    return path


def _announced(path: Path) -> str | None:
    """Give the SHA-256 that the hub announced: a large file's copy in the cache is named so."""
    name = path.resolve().name
    return name if _SHA256.fullmatch(name) else None


def cache_folder() -> Path:
    """Give huggingface-hub's cache: HF_HUB_CACHE, else hub in HF_HOME, else the usual place."""
    # Read now, not when huggingface_hub was imported, so that a program may still set them.
    if folder := os.environ.get("HF_HUB_CACHE"):
        return Path(folder).expanduser()
    if home := os.environ.get("HF_HOME"):
        return Path(home).expanduser() / "hub"
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def offline() -> bool:
    """Say whether HF_HUB_OFFLINE forbids to ask the hub."""
    from huggingface_hub import constants

    chosen = os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")
    return chosen or bool(constants.HF_HUB_OFFLINE)


def cached(file: HubFile) -> Path | None:
    """Give the copy in huggingface-hub's cache, if there is one; companions are files too."""
    found = _cached(file)
    return found if isinstance(found, Path) else None


def known_absent(file: HubFile) -> bool:
    """Say whether the cache knows that the repository lacks the file."""
    return _cached(file) is False


def _cached(file: HubFile) -> Path | bool | None:
    """Give the cached copy; None if there is none, False if the hub is known not to have it."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(
        file.repo, file.filename, cache_dir=cache_folder(), revision=file.revision
    )
    if isinstance(found, str):
        return Path(found)
    return None if found is None else False


def _cached_with_companions(file: HubFile) -> Path | None:
    path = _cached(file)
    if not isinstance(path, Path):
        return None
    for name in file.companions:
        if _cached(file.beside(name)) is None and not offline():
            return None
    return path


def _discard(path: Path) -> None:
    path.resolve().unlink(missing_ok=True)  # the blob
    path.unlink(missing_ok=True)  # the link to it


def _ask(file: HubFile, advice: str, *, optional: bool = False) -> bool:
    """Ask the hub, or without network the cache, for the file; False if an optional one is not."""
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import (
        EntryNotFoundError,
        FileMetadataError,
        HfHubHTTPError,
        OfflineModeIsEnabled,
    )

    cached = _cached(file)
    try:
        if offline():
            raise OfflineModeIsEnabled
        url = hf_hub_url(file.repo, file.filename, revision=file.revision, endpoint=endpoint())
        answer = get_hf_file_metadata(
            url, timeout=constants.HF_HUB_ETAG_TIMEOUT, endpoint=endpoint()
        )
        if answer.commit_hash is None or answer.etag is None:
            raise FileMetadataError  # a login page, say, which a proxy put in the way
    except Exception as error:
        if optional and isinstance(error, EntryNotFoundError):
            return False
        if not isinstance(error, HfHubHTTPError):  # no hub to be reached: what does the cache say?
            if isinstance(cached, Path):
                return True
            if optional and cached is False:
                return False
        raise _explain(error, file, advice) from error
    return True


def _download(file: HubFile, advice: str, *, companion: str | None = None) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError

    wanted = file if companion is None else file.beside(companion)
    try:
        return Path(
            hf_hub_download(
                wanted.repo,
                wanted.filename,
                revision=wanted.revision,
                cache_dir=cache_folder(),
                endpoint=endpoint(),
                local_files_only=offline(),
            )
        )
    except Exception as error:
        # A companion may be absent; huggingface-hub remembers that, so it is asked only once.
        if companion is not None and isinstance(error, EntryNotFoundError):
            return Path()
        raise _explain(error, file, advice, companion) from error


_CUT = "the connection was cut during the {doing}"
# Class names in an error's ancestry (huggingface-hub's, its HTTP library's) -> what it means.
_MEANINGS = (
    ("GatedRepoError", "access to it needs an account that accepted its terms (hf auth login)"),
    ("RepositoryNotFoundError", "there is no such repository, or it is private"),
    ("RevisionNotFoundError", "the repository has no such revision"),
    ("LocalEntryNotFoundError", "it is not in the cache and the hub cannot be reached"),
    ("EntryNotFoundError", "the repository has no such file"),
    ("OfflineModeIsEnabled", "HF_HUB_OFFLINE is set and there is no copy in the cache"),
    ("FileMetadataError", "the server does not answer like a hub; check HF_ENDPOINT and proxies"),
    ("JSONDecodeError", "the server does not answer like a hub; check HF_ENDPOINT and proxies"),
    ("TimeoutException", "the server did not answer in time"),
    ("TimeoutError", "the server did not answer in time"),
    ("ProxyError", "the proxy refused; check HTTP_PROXY and HTTPS_PROXY"),
    ("ConnectError", "no connection to the server"),
    ("ConnectionError", "no connection to the server"),
    ("RemoteProtocolError", _CUT),
    ("ReadError", _CUT),
    ("WriteError", _CUT),
)
_NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS)


def _explain(
    error: Exception, file: HubFile, advice: str, companion: str | None = None
) -> WeightsError:
    part = "" if companion is None else f" (its {companion})"
    return WeightsError(
        f"cannot fetch {file.url}{part}: {why(error)}. To go on without it, {advice}"
    )


def why(error: BaseException, doing: str = "download") -> str:
    """Say what an error of huggingface-hub, its HTTP library or the system means to a user."""
    ancestry = {kind.__name__ for kind in type(error).__mro__}
    status = getattr(getattr(error, "response", None), "status_code", None)
    code = getattr(error, "errno", None)
    reason = next((text for name, text in _MEANINGS if name in ancestry), None)
    if status in (401, 403) and reason is None:
        reason = f"access was refused (HTTP {status}); log in with hf auth login"
    elif reason is None and status is not None:
        reason = f"the server answered HTTP {status}"
    elif code == errno.ENOSPC:
        reason = f"the disk of the cache {cache_folder()} is full; set HF_HOME to another"
    elif code in _NOT_WRITABLE:
        reason = f"the cache {cache_folder()} cannot be written; set HF_HOME to another folder"
    elif reason is None and "Consistency check" in str(error):
        reason = _CUT
    elif reason is None:
        text = " ".join(str(error).split())
        reason = f"{type(error).__name__}: {text:.160}"
    return reason.replace("{doing}", doing)
