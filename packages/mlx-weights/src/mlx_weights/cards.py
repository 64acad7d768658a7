"""A model card: the README.md that a hub shows for a repository of weights.

What stands in it comes from files of strangers too: each value is one line and no markup, and the
front matter is written by huggingface-hub's own YAML.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

# A path is absolute (or in a home), with two parts or more; the part of an address is none.
_PATH = re.compile(r"(?<![\w./:~-])(?:~|[A-Za-z]:)?(?:[\\/]+[^\\/\s'\"<>|:;,]+){2,}[\\/]*")
_WHOLE_PATH = re.compile(r"(?:[A-Za-z]:[\\/]|[\\/]{1,2}|~[\\/])[^\n]+")
_FILE_ADDRESS = re.compile(r"file://(?:localhost)?(?=/)")
# An underscore inside a word is none, and a backslash there would break an address.
_MARKUP = re.compile(r"([\\`*\[\]<>|#]|~~|\b_|_\b|(?<!\w)_(?!\w))", re.ASCII)


def model_card(
    title: str,
    *,
    license: str,
    tags: Sequence[str],
    facts: Sequence[tuple[str, Any]],
    sections: Sequence[tuple[str, str]] = (),
) -> str:
    """Give the text of a README.md: front matter, `facts` as a table, then `sections` as they are.

    `license`: an identifier as the hub knows them ("mit", "cc-by-4.0", "unknown"). `facts`: name
    and value; values are shown as plain text. `sections`: heading and markdown of the caller.
    """
    from huggingface_hub import ModelCardData

    # Made as text and not by huggingface_hub.ModelCard, which would ask a hub for its template.
    front = ModelCardData(license=license, library_name="mlx", tags=list(tags)).to_yaml()
    lines = ["---", front.strip(), "---", "", f"# {plain_line(title)}", "", "| | |", "|---|---|"]
    lines += [f"| {plain_line(name)} | {plain_line(value)} |" for name, value in facts]
    for heading, text in sections:
        lines += ["", f"## {plain_line(heading)}", "", text.strip()]
    return "\n".join(lines) + "\n"


def plain_line(value: Any) -> str:
    """Give a value as one line that markdown shows as it is: no control characters, no markup."""
    text = "".join(
        " " if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp") else char
        for char in str(value)
    )
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def without_paths(value: Any) -> Any:
    """Give a JSON value with every absolute path in its texts cut to the last part.

    "/home/me/voices/a.pth" becomes "a.pth": what other programs noted of the machine that a voice
    was made on is nobody's business.
    """
    if isinstance(value, Mapping):
        return {_without(str(key)): without_paths(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_paths(item) for item in value]
    return _without(value) if isinstance(value, str) else value


def _without(text: str) -> str:
    text = _FILE_ADDRESS.sub("", text)
    # A whole value may have blanks in its folders; inside a sentence a blank ends the path.
    if _WHOLE_PATH.fullmatch(text) and len(re.findall(r"[\\/]+", text.strip())) > 1:
        return _last(text)
    return _PATH.sub(lambda match: _last(match[0]), text)


def _last(path: str) -> str:
    return re.split(r"[\\/]+", path.rstrip("\\/"))[-1]
