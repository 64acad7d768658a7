"""A folder of weights to a Hugging Face hub: asked first, private first, in one commit.

huggingface-hub does the transfer. Added here: everything that can be wrong is found before the
first byte is sent (name, token, a repository that is taken or of the other visibility); nothing is
sent to a repository that others can see unless that was asked for; a repository that changed in
between is left alone; and errors that say what to do.
"""

import contextlib
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mlx_weights.errors import WeightsError
from mlx_weights.hub import endpoint, offline, why

if TYPE_CHECKING:
    from huggingface_hub import HfApi

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
_MOST = 96  # characters of a name, as the hub counts them
_INITIAL = {".gitattributes"}  # what a repository that was only created holds


@dataclass(frozen=True)
class Target:
    """A repository that may be written to, as `check_target` found it.

    `commit` is what stood there, None where there is no repository yet.
    """

    repo: str
    public: bool
    commit: str | None
    api: "HfApi" = field(repr=False)  # holds the token

    @property
    def url(self) -> str:
        """Give the address of the repository's page."""
        return f"{endpoint()}/{self.repo}"


@dataclass(frozen=True)
class Pushed:
    """What `push_folder` did: the repository, its page, the commit; `changed` is False where the
    same files stood there already."""

    repo: str
    url: str
    public: bool
    commit: str
    changed: bool


def check_target(
    repo: str, *, public: bool = False, overwrite: bool = False, token: str | None = None
) -> Target:
    """Ask the hub whether a folder may be pushed to `repo`, "owner/name"; sends nothing.

    `token`: else HF_TOKEN, else the saved login (`hf auth login`). HF_ENDPOINT is respected. A
    repository that holds files is refused without `overwrite`, and always one whose visibility is
    not the one asked for: it is never changed.

    Raises WeightsError.
    """
    from huggingface_hub import HfApi, get_token
    from huggingface_hub.errors import RepositoryNotFoundError

    check_name(repo)
    if offline():
        raise WeightsError("HF_HUB_OFFLINE is set, so nothing can be pushed; unset it")
    token = token or get_token()
    if not token:
        raise WeightsError(
            f"pushing to {endpoint()} needs a token and there is none; log in with hf auth login, "
            "set HF_TOKEN or give --token"
        )
    api = HfApi(endpoint=endpoint(), token=token)
    try:
        found = api.model_info(repo)
    except RepositoryNotFoundError:
        return Target(repo, public, None, api)
    except Exception as error:
        raise _not_pushed(repo, error) from None
    _check_visibility(repo, bool(found.private), public)
    files = {sibling.rfilename for sibling in found.siblings or ()} - _INITIAL
    if files and not overwrite:
        raise WeightsError(
            f"{repo} exists and holds {_some(files)}; push to another name, or give --overwrite to "
            "replace the files of the same names"
        )
    return Target(repo, public, found.sha, api)


def check_name(repo: str) -> None:
    """Raise WeightsError unless `repo` is "owner/name" as a hub takes it."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        validate_repo_id(repo)
    except HFValidationError:
        pass
    else:
        if len(repo) <= _MOST and _NAME.fullmatch(repo):
            return
    raise WeightsError(
        f"{repo!r:.120} is no name on the hub; expected owner/name, of letters, digits and - _ . "
        f"(none of them twice in a row or at an end), at most {_MOST} together"
    )


def push_folder(
    folder: Path, target: Target, *, message: str = "Weights for MLX", bars: bool = True
) -> Pushed:
    """Make the repository of `target` if need be and send it the files of `folder`, in one commit.

    What is there under other names stays. `bars` lets huggingface-hub show its progress on stderr.

    Raises WeightsError; where the repository was made by then, it says that it is there and empty.
    """
    made = False
    commit = target.commit
    with _progress(bars):
        try:
            if commit is None:
                target.api.create_repo(target.repo, private=not target.public)
                made = True
                found = target.api.model_info(target.repo)  # an organisation may decide otherwise
                _check_visibility(target.repo, bool(found.private), target.public)
                commit = found.sha
            info = target.api.upload_folder(
                repo_id=target.repo,
                folder_path=folder,
                commit_message=message,
                parent_commit=commit,
            )
        except WeightsError:
            raise
        except Exception as error:
            raise _not_pushed(target.repo, error, made=made) from None
    return Pushed(target.repo, target.url, target.public, info.oid, info.oid != commit)


def _check_visibility(repo: str, private: bool, public: bool) -> None:
    if private and public:
        raise WeightsError(
            f"{repo} is private, and pushing does not change that; leave --public out, or make it "
            f"public at {endpoint()}/{repo}/settings"
        )
    if not private and not public:
        raise WeightsError(
            f"{repo} is public: what is pushed there, everybody sees; add --public if that is "
            "meant, or push to another name"
        )


@contextlib.contextmanager
def _progress(bars: bool) -> Iterator[None]:
    """Without `bars` huggingface-hub says nothing; its settings are left as they were."""
    from huggingface_hub.utils import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
        logging,
    )

    level, shown = logging.get_verbosity(), not are_progress_bars_disabled()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a variable decides about bars; hints of the hub
        logging.set_verbosity_error()
        if not bars:
            disable_progress_bars()
        try:
            yield
        finally:
            logging.set_verbosity(level)
            if shown and not bars:
                enable_progress_bars()


def _not_pushed(repo: str, error: BaseException, *, made: bool = False) -> WeightsError:
    """One line for what went wrong; the error of a single file is inside another."""
    while type(error) is RuntimeError and error.__cause__ is not None:
        error = error.__cause__
    status = getattr(getattr(error, "response", None), "status_code", None)
    owner = repo.partition("/")[0]
    reason = {
        401: "the hub does not know this token (HTTP 401); make one that may write at "
        f"{endpoint()}/settings/tokens",
        403: f"this token may not write to {owner} (HTTP 403); use one that may, or a name of "
        "your own",
        404: "there is no such owner, or the repository has gone (HTTP 404); check the name",
        409: "somebody made or changed it in this moment (HTTP 409); look at it and try again",
        412: "somebody changed it in this moment (HTTP 412); look at it and try again",
        429: "the hub has had too many requests (HTTP 429); try again later",
    }.get(status or 0)
    if reason is None:
        reason = why(error, "upload") + "; try again"
    left = (
        f". The repository {repo} was made and is empty; the same command goes on" if made else ""
    )
    return WeightsError(f"cannot push to {endpoint()}/{repo}: {reason}{left}")


def _some(names: set[str]) -> str:
    shown = sorted(names)
    return ", ".join(shown[:3]) + (f" and {len(shown) - 3} more" if len(shown) > 3 else "")
