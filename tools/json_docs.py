"""Write docs/json/README.md, a table for each schema in docs/json: python tools/json_docs.py"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "docs" / "json"
ENDING = ".schema.json"
HEAD = """# What the commands print with `--json`

One JSON object on stdout; on stderr where stdout carries a recording (`convert INPUT -`). Each
command has a JSON Schema (draft 2020-12) in this folder, `<command>.schema.json`; this page is made
of them by `tools/json_docs.py`. Real outputs of every command are checked against them
(`tests/test_json.py`).

- A field is always there, with `null` for what there is not, unless it is said that it may be
  missing. Schemas whose fields are fixed allow no others.
- Names say the unit where it is not a count: `_s` seconds, `_hz`, `_semitones`, `bytes`;
  `sample_rate` is in Hz. In the schemas `unit` says it for every number: `ratio` has none, `number`
  names one of several, `count` counts what the description says.
- One name means one thing in all commands: `input` and `inputs` are paths that were read, `output`
  is what was written, `picture` a PNG, `elapsed_s` the time of the work itself, `notes` remarks for
  people, `well` the verdict on which the exit status depends.
- Paths are as the command was given them or found them. Floats are rounded for people; what is not
  finite is `null`.
- An error is one object with `error` ([error](#error)), beside the line on stderr.

In the tables `a.b` is the field `b` of `a`, `a[]` an element of the list `a`, `a.*` a value of `a`
under any name.
"""


def schemas() -> dict[str, dict[str, Any]]:
    """Each schema by the name of its file, without ending."""
    return {
        path.name.removesuffix(ENDING): json.loads(path.read_text("utf-8"))
        for path in sorted(FOLDER.glob(f"*{ENDING}"))
    }


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *(_section(name, schema) for name, schema in schemas().items())])


def _section(name: str, schema: dict[str, Any]) -> str:
    lines = [f"## {name}", "", f"[{schema['title']}]({name}{ENDING}). {schema['description']}"]
    for kind in schema.get("oneOf", [schema]):
        if kind is not schema:
            lines += ["", kind["description"]]
        lines += ["", "| field | type | unit | meaning |", "|---|---|---|---|"]
        lines += ["| " + " | ".join(row) + " |" for row in _fields(kind, "", schema)]
    return "\n".join([*lines, ""])


def _fields(schema: dict[str, Any], path: str, root: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """The rows of what lies below a schema."""
    for kind in schema.get("oneOf", ()) if path else ():
        yield f"`{path}`", "object", "", f"Either: {kind['description']}"
        yield from _fields(kind, path, root)
    for name, field in schema.get("properties", {}).items():
        missing = name not in schema.get("required", ())
        yield from _row(field, f"{path}.{name}".lstrip("."), root, missing=missing)
    others = schema.get("additionalProperties")
    if isinstance(others, dict):
        yield from _row(others, f"{path}.*", root)
    if "items" in schema:
        yield from _row(schema["items"], f"{path}[]", root)


def _row(
    field: dict[str, Any], path: str, root: dict[str, Any], *, missing: bool = False
) -> Iterator[tuple[str, ...]]:
    if "$ref" in field:
        field = root["$defs"][field["$ref"].rpartition("/")[2]]
    meaning = field["description"]
    if "enum" in field:
        meaning += " One of " + ", ".join(f"`{value}`" for value in field["enum"] if value) + "."
    if "const" in field:
        meaning += f" Always `{field['const']}`."
    if missing:
        meaning += " May be missing."
    yield f"`{path}`", _type(field), field.get("unit", ""), meaning
    yield from _fields(field, path, root)


def _type(field: dict[str, Any]) -> str:
    types = field.get("type", "object")
    return types if isinstance(types, str) else " or ".join(types)


if __name__ == "__main__":
    (FOLDER / "README.md").write_text(page(), "utf-8")
